"""`manage.py tidy`: end what time alone has ended, so that lists and guardian's rows are short."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.core.management.base import BaseCommand, CommandParser
from django.db import connections

from audit import rounds
from audit.database import call

ALIAS = "default"


class _Ended(NamedTuple):
    grants: int
    requests: int


class Command(BaseCommand):
    """Nothing waits for this: the gate judges time itself."""

    help = "End accesses and requests whose time is over. Safe to run at any time, by cron or with --every."

    def add_arguments(self, parser: CommandParser) -> None:
        """`--every SECONDS`: go on until stopped."""
        rounds.add_argument(parser)

    def handle(self, *args: Any, every: float | None = None, **options: Any) -> None:
        """Run once, or until stopped."""
        if every is None:
            self._round()
            return
        rounds.repeat(self._round, every=every, alias=ALIAS, out=self.stderr, well="Tidying again.")

    def _round(self) -> str:
        grants, requests = call("gatekeeper.tidy", into=_Ended)
        connections[ALIAS].close()  # not held while nothing is done
        self.stdout.write(f"grants ended: {grants}, requests expired: {requests}")
        return ""
