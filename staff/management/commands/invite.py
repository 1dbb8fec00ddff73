"""Prints a member's one-time link, on the server's terminal."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from staff import invitations, people
from staff.reasons import words_of


class Command(BaseCommand):
    help = "Prints a one-time link with which a member sets a password and a second factor."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("number", metavar="NUMBER", help="the member's number, K-…")

    def handle(self, *_args: Any, **options: Any) -> None:
        if people.ALIAS not in settings.DATABASES:
            raise CommandError("invite needs GATEKEEPER_DATABASE_URL_PEOPLE.")
        try:
            token = invitations.invite_by_command(options["number"])
        except invitations.InvitationError as error:
            raise CommandError(str(words_of(str(error)))) from None
        self.stdout.write(f"{settings.SITE_URL}{invitations.path_of(token)}")
