"""A language is as long as a tag of BCP 47 need be (RFC 5646 §4.4.1)."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('gatekeeper', '0008_doubts'),
    ]

    operations = [
        migrations.AlterField(
            model_name='account',
            name='language',
            field=models.CharField(blank=True, max_length=35),
        ),
    ]
