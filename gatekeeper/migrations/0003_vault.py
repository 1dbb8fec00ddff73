"""The schema that holds personal data, data keys and the functions; no model reaches it."""

from pathlib import Path

from django.db import migrations

_TABLES = Path(__file__).resolve().parent.parent / "gate" / "sql" / "vault_tables.sql"


class Migration(migrations.Migration):
    dependencies = [
        ("gatekeeper", "0002_members"),
        ("audit", "0002_members"),
    ]

    operations = [
        migrations.RunSQL(
            "CREATE SCHEMA IF NOT EXISTS vault;" + _TABLES.read_text(encoding="utf-8"),
            reverse_sql="DROP SCHEMA vault CASCADE",
        ),
    ]
