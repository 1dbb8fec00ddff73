"""A run of the rules that is not done keeps where it is."""

import audit.models
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0007_log_key'),
    ]

    operations = [
        migrations.AddField(
            model_name='round',
            name='ahead',
            field=audit.models.TransactionId(null=True),
        ),
        migrations.AddField(
            model_name='round',
            name='newest',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='round',
            name='upto',
            field=models.BigIntegerField(null=True),
        ),
    ]
