"""`manage.py recover K-0001 K-0002`: the way back when too few people officers are able to act."""

from __future__ import annotations

from typing import Any, Final

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from psycopg.conninfo import make_conninfo

from audit import arguments, references
from audit.context import command_source
from gatekeeper.settings import environment
from staff.directory import recoveries
from staff.frame.reasons import words_of

#: What keeps an officer from acting, by its code; every other code is about the NDA.
HINDRANCES: Final = {
    "member_not_started": "has not started",
    "member_suspended": "is suspended",
    "member_left": "has left",
    "role_missing": "has another role",
    "mfa_missing": "has no second factor in use",
}


class Command(BaseCommand):
    help = (
        "Brings back people officers by one-time links, so that two are able to act; only while fewer are."
        " It lifts what keeps them from acting (suspension, leaving, lost factors) and ends their sessions."
        " It is recorded, mailed to everybody, and stands on every page until a reviewer has acknowledged it."
        " It runs as the setup role: with web.env and setup.env."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "numbers",
            type=arguments.text,
            metavar="NUMBER",
            nargs="+",
            help="an officer's number, K-…: one where another is able to act, else two",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would be done, and change nothing"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Judge, do and record it in one step. Raises CommandError where it is refused."""
        numbers: list[str] = options["numbers"]
        for number in numbers:
            if not references.is_member(number):
                raise CommandError(f"{number} is no member's number: they are K-, then 4 to 6 digits.")
        url, dry = environment.text("DATABASE_URL_SETUP"), options["dry_run"]
        if not url:
            raise CommandError("recover needs GATEKEEPER_DATABASE_URL_SETUP: it runs as the setup role.")
        try:
            with psycopg.connect(make_conninfo(url, dbname=settings.DATABASES["default"]["NAME"])) as setup:
                outcome = recoveries.recover(setup, numbers, command_source("recover"), dry=dry)
        except psycopg.errors.InsufficientPrivilege as error:
            raise CommandError(str(error.diag.message_primary)) from None
        except psycopg.Error as error:
            raise CommandError(f"Nobody was brought back: {error}") from None
        self._say(outcome, dry=dry)

    def _say(self, outcome: recoveries.Outcome, *, dry: bool) -> None:
        self.stdout.write(f"Able to act now: {', '.join(outcome.able) or 'nobody'}.")
        for number, codes in outcome.hindered.items():
            said = ", ".join(HINDRANCES.get(code, "has no NDA in force, and can sign one") for code in codes)
            self.stdout.write(f"{number} {said or 'is able to act'}.")
        if outcome.reason:
            raise CommandError(f"Nobody was brought back. {words_of(outcome.reason)}")
        if dry:
            self.stdout.write("Nothing was changed. Without --dry-run each gets a one-time link.")
            return
        recoveries.notify_officers(list(outcome.links))
        for number, path in outcome.links.items():
            self.stdout.write(f"{number}: one-time link, good for 24 hours: {settings.SITE_URL}{path}")
        self.stdout.write("Recorded. It stands on every page until a reviewer has acknowledged it.")
