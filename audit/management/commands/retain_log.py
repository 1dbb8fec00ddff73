"""`manage.py retain_log`: takes the bodies of entries away that are older than the rule."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from audit.context import command_source
from audit.database import call

MOST = 10_000  # in one transaction: the sealer waits for it
REASONS = ("retention_period", "order_of_an_authority")


class Command(BaseCommand):
    help = (
        "Remove the bodies and salts of entries older than GATEKEEPER_LOG_RETENTION_DAYS; their leaves stay,"
        " so that the rest remains provable. Each step is an entry with its reason."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--reason", choices=REASONS, default=REASONS[0])

    def handle(self, *_args: Any, reason: str, **_options: Any) -> None:
        """Remove piece by piece until nothing is old enough. Raises CommandError."""
        if "sealer" not in connections:
            raise CommandError("retain_log needs GATEKEEPER_DATABASE_URL_SEALER.")
        removed = 0
        while piece := self._piece(reason):
            removed += piece
        self.stdout.write(f"{removed} bodies are gone; their leaves are kept.")

    def _piece(self, reason: str) -> int:
        source = command_source("retain_log")
        return int(call("audit.retain", reason=reason, source=source, most=MOST, using="sealer"))
