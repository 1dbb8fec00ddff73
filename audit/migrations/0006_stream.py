"""Up to where the stream to a SIEM has gone."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0005_flags'),
    ]

    operations = [
        migrations.CreateModel(
            name='Stream',
            fields=[
                ('target', models.CharField(max_length=200, primary_key=True, serialize=False)),
                ('place', models.BigIntegerField(default=0)),
                ('sent_at', models.DateTimeField(null=True)),
                ('failed_at', models.DateTimeField(null=True)),
                ('failure', models.CharField(default='', max_length=200)),
            ],
            options={
                'default_permissions': (),
            },
        ),
    ]
