"""Removes one participant's record."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit import references
from audit.arguments import text
from audit.context import command_source
from gatekeeper.feeds import connection, removing
from gatekeeper.management.asking import answer
from gatekeeper.models import Account


class Command(BaseCommand):
    help = (
        "Removes one participant's record by its reference, and records it. Nothing of it is kept; a later"
        " import that names the participant brings a new one. Who objected stays known as such, and that"
        " is all that is kept of them."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("reference", type=text, metavar="REFERENCE", help="the participant, MOC-…-P…")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *_args: Any, reference: str, yes: bool, **_options: Any) -> None:
        named = references.participant(reference)
        if named is None:
            raise CommandError("That is no participant's reference: MOC-48213-P17.")
        account, number = named
        if not Account.objects.using(connection.ALIAS).filter(reference=account).exists():
            raise CommandError("There is no such record.")
        if not yes and answer(f"Remove {reference}? Type the reference: ") != reference:
            raise CommandError("Nothing was removed.")
        if not removing.remove(account, [number], command_source("remove_participant")):
            raise CommandError("There is no such record.")
        self.stdout.write(f"{reference} is removed.")
