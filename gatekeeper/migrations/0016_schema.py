"""A schema for the functions of this room, and the vault is left with personal data and what releases it.

The functions themselves are made anew where they belong by the installation that follows each `migrate`. Until
then the old ones stay, and whatever decides by the tables that move here raises. One goes at once: it would fail
a later migration that writes a limit.
"""

from django.db import migrations

_FORWARDS = """
    CREATE SCHEMA gatekeeper;
    DROP FUNCTION IF EXISTS vault.spread_limits() CASCADE;  -- with its trigger
    ALTER TABLE vault.limits SET SCHEMA staff;
    ALTER TABLE vault.clock SET SCHEMA gatekeeper;
    DROP TABLE IF EXISTS vault.installation;  -- a note that the installation writes anew, in audit
"""
_BACKWARDS = """
    DROP FUNCTION IF EXISTS gatekeeper.spread_limits() CASCADE;
    ALTER TABLE staff.limits SET SCHEMA vault;
    ALTER TABLE gatekeeper.clock SET SCHEMA vault;
    DROP SCHEMA gatekeeper CASCADE;
"""


class Migration(migrations.Migration):

    dependencies = [
        ("gatekeeper", "0015_delivery_digest"),
        ("staff", "0012_schema"),
        ("audit", "0010_schema"),
    ]

    operations = [
        migrations.RunSQL(_FORWARDS, reverse_sql=_BACKWARDS),
    ]
