"""The table of limits goes to audit, with its rows, and the accepted clock to staff: the lowest room that reads each.

The function that spreads limits goes at once: it knows the former name. It is made anew by the installation that
follows each `migrate`.
"""

from django.db import migrations

_FORWARDS = """
    DROP FUNCTION IF EXISTS gatekeeper.spread_limits() CASCADE;  -- with its trigger
    ALTER TABLE gatekeeper_limit RENAME TO audit_limit;
    ALTER TABLE gatekeeper.clock SET SCHEMA staff;
"""
_BACKWARDS = """
    DROP FUNCTION IF EXISTS staff.spread_limits() CASCADE;
    ALTER TABLE audit_limit RENAME TO gatekeeper_limit;
    ALTER TABLE staff.clock SET SCHEMA gatekeeper;
"""


class Migration(migrations.Migration):

    dependencies = [
        ("gatekeeper", "0016_schema"),
        ("audit", "0011_limits"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    _FORWARDS,
                    reverse_sql=_BACKWARDS,
                ),
            ],
            state_operations=[migrations.DeleteModel("Limit")],
        ),
    ]
