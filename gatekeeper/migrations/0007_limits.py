"""The limits with their types, in one row; a trigger fills it."""

from django.db import migrations

_TABLE = """
    CREATE TABLE vault.limits (
        one boolean PRIMARY KEY DEFAULT true CHECK (one),  -- one row
        session_idle interval,
        session_whole interval,
        factor interval,
        factor_signing interval,
        feed_age interval,
        release_age interval,
        views_per_grant integer,
        participants_per_grant integer,
        time_zone text
    )
"""


class Migration(migrations.Migration):
    dependencies = [("gatekeeper", "0006_open_tickets")]

    operations = [migrations.RunSQL(_TABLE, reverse_sql="DROP TABLE vault.limits")]
