"""Mails a member their one-time link; without mail it is printed, on the server's terminal."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.arguments import text
from staff.directory import people
from staff.frame import mails
from staff.frame.reasons import words_of
from staff.models import Member
from staff.sign_in import invitations

UNSENT = "The link could not be mailed. Run this without GATEKEEPER_MAIL_URL to have it printed."


def _addressee(number: str) -> Member:
    """The member, as far as this role may read them."""
    return Member.objects.using(people.ALIAS).only("email", "language").get(number=number)


class Command(BaseCommand):
    help = "Mails, or without mail prints, a one-time link for a password and a second factor."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("number", type=text, metavar="NUMBER", help="the member's number, K-…")

    def handle(self, *_args: Any, **options: Any) -> None:
        if people.ALIAS not in settings.DATABASES:
            raise CommandError("invite needs GATEKEEPER_DATABASE_URL_PEOPLE.")
        try:
            token = invitations.invite_by_command(options["number"])
        except invitations.InvitationError as error:
            raise CommandError(str(words_of(str(error)))) from None
        path = invitations.path_of(token)
        if not mails.are_configured():
            self.stdout.write(f"{settings.SITE_URL}{path}")
        elif invitations.mail(_addressee(options["number"]), path):
            self.stdout.write("The link was mailed to the member.")
        else:
            raise CommandError(UNSENT)
