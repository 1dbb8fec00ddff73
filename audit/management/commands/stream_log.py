"""`manage.py stream_log`: what was sealed goes to the SIEM, as OCSF events."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from audit import rounds
from audit.context import command_source
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
        rounds.add_argument(parser)

    def handle(self, *_args: Any, every: float | None = None, **_options: Any) -> None:
        """Run once, or until stopped. Raises CommandError."""
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
        rounds.repeat(
            lambda: self._round(streamer)[1],
            every=every,
            alias=ALIAS,
            out=self.stderr,
            well="The receiver takes entries again.",
        )

    def _round(self, streamer: stream.Streamer) -> tuple[int, str]:
        """Send; return how many entries went, and in words what is wrong then."""
        sent = streamer.send()
        found = stream.state(timezone.now(), using=ALIAS)
        if found is None or not found.is_late:
            return sent, ""
        return sent, found.failure or f"An entry waits since {found.lag}."
