"""`manage.py tidy`: end what time alone has ended, so that lists and guardian's rows are short."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import connections

from audit.explorer.moments import seconds


class Command(BaseCommand):
    """Nothing waits for this: the gate judges time itself."""

    help = "End accesses and requests whose time is over. Safe to run at any time, by cron or with --every."

    def add_arguments(self, parser: CommandParser) -> None:
        """`--every SECONDS`: go on until stopped."""
        parser.add_argument("--every", type=seconds, metavar="SECONDS", help="run again and again")

    def handle(self, *args: Any, every: float | None = None, **options: Any) -> None:
        """Run once, or for ever."""
        while True:
            with connections["default"].cursor() as cursor:
                cursor.execute("SELECT grants, requests FROM vault.tidy()")
                grants, requests = cursor.fetchone()
            self.stdout.write(f"ended {grants} grants, lapsed {requests} requests")
            if every is None:
                return
            connections["default"].close()
            time.sleep(every)
