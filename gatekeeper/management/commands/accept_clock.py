"""`manage.py accept_clock`: say that the database's clock is right although entries are newer."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections, transaction

from audit.context import command_source
from audit.database import call, rows
from gatekeeper.management.asking import answer

_ACCEPT = (
    "INSERT INTO staff.clock SELECT max(id), clock_timestamp() FROM audit_entry"
    " HAVING max(id) IS NOT NULL RETURNING accepted_entry"
)
MIGRATOR = "migrator"


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
        if MIGRATOR not in connections:
            raise CommandError("Set GATEKEEPER_DATABASE_URL_MIGRATOR: this is the migrator's to do.")
        if not yes and answer("Is the clock right now? Type yes: ") != "yes":
            raise CommandError("Nothing was changed.")
        with transaction.atomic(using=MIGRATOR):
            accepted = [entry for (entry,) in rows(_ACCEPT, using=MIGRATOR)]
            if not accepted:
                self.stdout.write("The log is empty: there is nothing to accept.")
                return
            facts = {"source": command_source("accept_clock"), "details": {"clock_accepted": accepted[0]}}
            call("audit.write_entry", event="change", outcome="allowed", facts=facts, using=MIGRATOR)
        self.stdout.write(f"The clock is accepted as it is; entries up to {accepted[0]} no longer count.")
