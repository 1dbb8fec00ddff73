"""The log's public keys, as the sealer announces them."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0006_stream'),
    ]

    operations = [
        migrations.CreateModel(
            name='LogKey',
            fields=[
                ('number', models.BigAutoField(primary_key=True, serialize=False)),
                ('key', models.CharField(max_length=160)),
                ('announced_at', models.DateTimeField()),
            ],
            options={
                'default_permissions': (),
            },
        ),
    ]
