"""A feed keeps whether its contact was last recorded as fresh or stale."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("gatekeeper", "0011_daily_budget")]

    operations = [
        migrations.AddField("feed", "contact", models.CharField(blank=True, db_default="", max_length=5)),
    ]
