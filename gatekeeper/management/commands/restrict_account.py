"""Restricts the processing of an account (GDPR, Art. 18), or lifts the restriction."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.arguments import text
from audit.context import command_source
from gatekeeper.feeds import connection, store
from gatekeeper.management.asking import answer
from gatekeeper.models import Account

SAID = {
    "restricted": "{} is restricted: nobody sees its data.",
    "lifted": "{} is no longer restricted.",
    "platform": "Our restriction of {} is lifted; the platform's own stands.",
    "same": "{}: nothing to change.",
}
FAILED = {"unknown": "There is no such account.", "erased": "The account is erased."}


class Command(BaseCommand):
    help = (
        "Restricts an account (GDPR, Art. 18): nobody sees its data until the restriction is lifted"
        " with --lift. No import lifts it, and --lift does not lift what the platform restricts."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("reference", type=text, metavar="REFERENCE", help="the account, MOC-…")
        parser.add_argument("--lift", action="store_true", help="lift the restriction")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *_args: Any, reference: str, lift: bool, yes: bool, **_options: Any) -> None:
        if not Account.objects.using(connection.ALIAS).filter(reference=reference).exists():
            raise CommandError(FAILED["unknown"])
        question = f"{'Lift the restriction of' if lift else 'Restrict'} {reference}? [y/N] "
        if not yes and answer(question).strip().lower() != "y":
            raise CommandError("Nothing was changed.")
        outcome = store.restrict_account(reference, command_source("restrict_account"), restrict=not lift)
        if outcome in FAILED:
            raise CommandError(FAILED[outcome])
        self.stdout.write(SAID[outcome].format(reference))
