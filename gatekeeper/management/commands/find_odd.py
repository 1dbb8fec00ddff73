"""`manage.py find_odd`: flag what is odd in the log, and queue it for review."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import Error as DatabaseError
from django.db import connections

from audit.context import command_source
from audit.odd import finding
from gatekeeper.reviews import calls


class Command(BaseCommand):
    """Nothing waits for this: what is odd was recorded before, and stays recorded."""

    help = (
        "Flag what is odd in the log, queue it for review, and draw each week's sample."
        " Safe to run at any time, by cron or with --every."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """`--every SECONDS`: go on until stopped."""
        parser.add_argument("--every", type=float, metavar="SECONDS", help="run again and again")

    def handle(self, *_args: Any, every: float | None = None, **_options: Any) -> None:
        """Run once, or for ever: then a database that is away is waited for."""
        while True:
            try:
                self._round()
            except DatabaseError as error:
                if every is None:
                    raise
                self.stderr.write(f"The database: {type(error).__name__}")
            if every is None:
                return
            connections["default"].close()
            time.sleep(every)

    def _round(self) -> None:
        source = command_source("find_odd")
        found = finding.find(lambda entries: calls.queue(entries, source))
        for name, count in sorted(found.items()):
            self.stdout.write(f"{name}: {count}")
        drawn = calls.draw(source)
        if drawn:
            self.stdout.write(f"drawn at random: {drawn}")
