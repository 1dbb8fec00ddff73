"""`manage.py stream_log`: what was sealed goes to the SIEM, as OCSF events."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error as DatabaseError
from django.db import connections
from django.utils import timezone

from audit.context import command_source
from audit.explorer.moments import seconds
from audit.seal import stored
from audit.siem import stream
from audit.siem.receivers import receiver

ALIAS = stream.WATCH


class Command(BaseCommand):
    """Nothing waits for this: a receiver that is down gets later what it lacks."""

    help = (
        "Send sealed entries to GATEKEEPER_SIEM_TARGET as OCSF events, each at least once. Exit status 1 when"
        " the receiver does not take them, or lacks an entry for too long."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """`--every SECONDS`: go on until stopped."""
        parser.add_argument("--every", type=seconds, metavar="SECONDS", help="run again and again")

    def handle(self, *_args: Any, every: float | None = None, **_options: Any) -> None:
        """Run once, or for ever. Raises CommandError."""
        if not settings.SIEM_TARGET:
            raise CommandError("stream_log needs GATEKEEPER_SIEM_TARGET.")
        if ALIAS not in settings.DATABASES:
            raise CommandError("stream_log needs GATEKEEPER_DATABASE_URL_WATCH.")
        streamer = stream.Streamer(
            partial(stored.raw, ALIAS),
            settings.SIEM_TARGET,
            receiver(settings.SIEM_TARGET, token=settings.SIEM_TOKEN, roots=settings.SIEM_ROOTS),
            origin=settings.LOG_ORIGIN,
            vendor=settings.COMPANY,
            source=command_source("stream_log"),
        )
        if every is None:
            sent, wrong = self._round(streamer)
            if wrong:
                raise CommandError(wrong)
            self.stdout.write(f"{sent} entries sent.")
            return
        self._for_ever(streamer, every)

    def _for_ever(self, streamer: stream.Streamer, every: float) -> None:
        said = ""
        while True:
            try:
                wrong = self._round(streamer)[1]
            except (psycopg.Error, DatabaseError) as error:
                connections[ALIAS].close()
                wrong = f"The database: {type(error).__name__}"
            if wrong != said:
                self.stderr.write(wrong or "The receiver takes entries again.")
                said = wrong
            time.sleep(every)

    def _round(self, streamer: stream.Streamer) -> tuple[int, str]:
        """Send; return how many entries went, and in words what is wrong then."""
        sent = streamer.send()
        found = stream.state(timezone.now(), using=ALIAS)
        if found is None or not found.is_late:
            return sent, ""
        return sent, found.failure or f"An entry waits since {found.lag}."
