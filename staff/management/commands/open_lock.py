"""`manage.py open_lock K-1042`: forget the failed sign-ins of a member, who may try again at once."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.arguments import text
from audit.context import command_source
from staff.directory import people
from staff.frame.reasons import words_of
from staff.models import Member
from staff.sign_in import lockout


class Command(BaseCommand):
    """A lock opens by itself within the hour; this is for whoever cannot wait."""

    help = "Opens the lock that failed sign-ins have put on a member, and records it."

    def add_arguments(self, parser: CommandParser) -> None:
        """NUMBER: whose."""
        parser.add_argument("number", type=text, metavar="NUMBER", help="the member's number, K-…")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Record it and forget the counts, in one step. Raises CommandError."""
        if people.ALIAS not in settings.DATABASES:
            raise CommandError("open_lock needs GATEKEEPER_DATABASE_URL_PEOPLE.")
        number = options["number"]
        found = Member.objects.using(people.ALIAS).filter(number=number)
        email = found.values_list("email", flat=True).first() or ""
        reason, counts = people.open_lock(number, lockout.name_of(email), command_source("open_lock"))
        if reason:
            raise CommandError(str(words_of(reason)))
        self.stdout.write(f"{counts} counts forgotten")
