"""A limit may be the address of a SIEM."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('gatekeeper', '0009_account_language'),
    ]

    operations = [
        migrations.AlterField(
            model_name='limit',
            name='value',
            field=models.CharField(max_length=200),
        ),
    ]
