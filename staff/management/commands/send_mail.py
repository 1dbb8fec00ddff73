"""`manage.py send_mail`: send the notices that wait."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import connections

from audit import rounds
from staff.frame import mails, outbox

ALIAS = "default"


class Command(BaseCommand):
    """The web processes send what their own acts put down; this sends what they could not."""

    help = "Send the notices that wait for the mail server. Safe to run at any time, by cron or with --every."

    def add_arguments(self, parser: CommandParser) -> None:
        """`--every SECONDS`: go on until stopped."""
        rounds.add_argument(parser)

    def handle(self, *args: Any, every: float | None = None, **options: Any) -> None:
        """Run once, or until stopped."""
        if every is None:
            self._round()
            return
        rounds.repeat(self._round, every=every, alias=ALIAS, out=self.stderr, well="Sending again.")

    def _round(self) -> str:
        taken = outbox.send_due() if mails.are_configured() else 0
        connections[ALIAS].close()  # not held while nothing is done
        self.stdout.write(f"sent {taken}")
        return ""
