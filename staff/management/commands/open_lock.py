"""`manage.py open_lock K-1042`: forget the failed sign-ins of a member, who may try again at once."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.context import command_source
from staff import database, lockout, people
from staff.models import Member
from staff.reasons import words_of

RECORD = """
    SELECT vault.record_act('change', vault.judge_command(%s::text, %s::text), '{}', '{"lock": "opened"}')
"""


class Command(BaseCommand):
    """A lock opens by itself within the hour; this is for whoever cannot wait."""

    help = "Opens the lock that failed sign-ins have put on a member, and records it."

    def add_arguments(self, parser: CommandParser) -> None:
        """NUMBER: whose."""
        parser.add_argument("number", metavar="NUMBER", help="the member's number, K-…")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Record it, then forget the counts. Raises CommandError."""
        if people.MIGRATOR not in settings.DATABASES:
            raise CommandError("open_lock needs GATEKEEPER_DATABASE_URL_MIGRATOR.")
        member = Member.objects.filter(number=options["number"]).first()
        if member is None:
            raise CommandError(str(words_of("member_unknown")))
        database.row(RECORD, [command_source("open_lock"), member.number], using=people.MIGRATOR)
        self.stdout.write(f"{lockout.forgive(member.email)} counts forgotten")
