"""`manage.py detect`: flag what is flagged in the log, and queue it for review."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from audit import rounds
from audit.arguments import entry_number
from audit.context import command_source
from gatekeeper.reviews import calls, finding


class Command(BaseCommand):
    """Nothing waits for this: what is flagged was recorded before, and stays recorded."""

    help = (
        "Flag what is flagged in the log, queue it for review, and draw each week's sample."
        " Safe to run at any time, by cron or with --every."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """`--every SECONDS`: go on until stopped; `--from NUMBER`: once more over what was judged."""
        how = parser.add_mutually_exclusive_group()
        rounds.add_argument(how)
        how.add_argument(
            "--from",
            type=entry_number,
            metavar="NUMBER",
            dest="begin",
            help="judge all entries from this number on once more, and say which flags were lacking",
        )

    def handle(
        self, *_args: Any, every: float | None = None, begin: int | None = None, **_options: Any
    ) -> None:
        """Run once, or until stopped. Raises CommandError."""
        if finding.WATCH not in settings.DATABASES:
            raise CommandError("detect needs GATEKEEPER_DATABASE_URL_WATCH.")
        if begin is not None:
            self._again(begin)
        elif every is None:
            self._round()
        else:
            well = "Rules are run again."
            rounds.repeat(self._round, every=every, alias=finding.WATCH, out=self.stderr, well=well)

    def _round(self) -> str:
        source = command_source("detect")
        found = finding.find(source)
        for name, count in sorted(found.items()):
            self.stdout.write(f"{name}: {count}")
        drawn = calls.draw(source)
        if drawn:
            self.stdout.write(f"drawn at random: {drawn}")
        connections[finding.WATCH].close()  # not held while nothing is done
        return ""

    def _again(self, begin: int) -> None:
        found = finding.find_again(begin - 1, command_source("detect"))
        for name, count in sorted(found.items()):
            self.stdout.write(f"{name}: {count}")
        if found:
            raise CommandError(f"{found.total()} flags were lacking.")
        self.stdout.write("No flag was lacking.")
