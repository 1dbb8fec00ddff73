"""`manage.py remind`: tell of agreements that end in 30, 14, 3 and 0 days, once each."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from staff.frame import mails
from staff.nda import reminders


class Command(BaseCommand):
    """By cron, once a day. Apart from `tidy`, which runs each minute and must wait for no mail server."""

    help = "Remind members and people officers of agreements that end in 30, 14, 3 and 0 days, once each."

    def add_arguments(self, parser: CommandParser) -> None:
        """`--dry-run`: say what would be told, and tell nobody."""
        parser.add_argument("--dry-run", action="store_true", help="say what is due, and tell nobody")

    def handle(self, *_args: Any, dry_run: bool = False, **_options: Any) -> None:
        """Names members by number alone: the output may land in a log."""
        found = list(reminders.due())
        for one in found:
            number = one.signature.member.number
            self.stdout.write(
                f"{number}: signature {one.signature.pk} ends on {one.last_day} ({one.days} days)"
            )
        if dry_run:
            self.stdout.write(f"{len(found)} due, nobody told (--dry-run)")
            return
        told = reminders.remind(found)
        how = (
            "by mail, and on their home" if mails.are_configured() else "on their home; no mail is configured"
        )
        self.stdout.write(f"{told} told: {how}")
