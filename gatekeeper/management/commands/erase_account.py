"""Erases an account at once and for ever."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.arguments import text
from audit.context import command_source
from gatekeeper.feeds import connection, store
from gatekeeper.management.asking import answer
from gatekeeper.models import Account

SAID = {
    "erased": "{} is erased.",
    "already": "{} was erased before.",
    "barred": "{} was never here, and is barred now.",
}


class Command(BaseCommand):
    help = (
        "Erases an account at once and for ever: its data key and values are deleted, every grant on"
        " it ends, its reference is barred. Nobody can bring it back."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("reference", type=text, metavar="REFERENCE", help="the account, MOC-…")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *_args: Any, reference: str, yes: bool, **_options: Any) -> None:
        # A slip of the pen would bar a reference that another customer gets one day.
        if not Account.objects.using(connection.ALIAS).filter(reference=reference).exists():
            raise CommandError("There is no such account.")
        if not yes and answer(f"Erase {reference} for ever? Type its reference: ") != reference:
            raise CommandError("Nothing was erased.")
        outcome = store.erase_account(reference, command_source("erase_account"))
        self.stdout.write(SAID[outcome].format(reference))
