"""`manage.py accept_clock`: say that the database's clock is right although entries are newer."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections, transaction

from audit.context import command_source
from gatekeeper.management.asking import answer

_ACCEPT = (
    "INSERT INTO staff.clock SELECT max(id), clock_timestamp() FROM audit_entry"
    " HAVING max(id) IS NOT NULL RETURNING accepted_entry"
)
_RECORD = (
    "SELECT audit.write_entry('change', 'allowed', jsonb_build_object('source', %s::text, 'details',"
    " jsonb_build_object('clock_accepted', %s::bigint)))"
)


class Command(BaseCommand):
    """As the migrator: the run-time roles can neither set the clock's mark nor forge entries."""

    help = (
        "Accept the database's clock as it is now. While it is behind the newest entry nothing opens"
        " (clock_behind). Set the clock right first; run this only when the entries were from the future."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """`--yes`: do not ask."""
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, yes: bool = False, **options: Any) -> None:
        """Ask, note the newest entry as accepted, record it."""
        if "migrator" not in connections:
            raise CommandError("Set GATEKEEPER_DATABASE_URL_MIGRATOR: this is the migrator's to do.")
        if not yes and answer("Is the clock right now? Type yes: ") != "yes":
            raise CommandError("Nothing was changed.")
        with transaction.atomic(using="migrator"), connections["migrator"].cursor() as cursor:
            cursor.execute(_ACCEPT)
            row = cursor.fetchone()
            if row is None:
                self.stdout.write("The log is empty: there is nothing to accept.")
                return
            cursor.execute(_RECORD, [command_source("accept_clock"), row[0]])
        self.stdout.write(f"The clock is accepted as it is; entries up to {row[0]} no longer count.")
