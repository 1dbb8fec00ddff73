"""Takes the helpdesk's export of tickets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from audit.context import command_source
from gatekeeper.feeds import complete, doubts, tickets
from gatekeeper.feeds.byte_lines import LONGEST_LINE
from gatekeeper.feeds.importing import Import, ImportCommand, opened
from gatekeeper.feeds.jsonlines import lines
from gatekeeper.feeds.line_fields import CLOCK_TOLERANCE
from gatekeeper.feeds.ticket_lines import TicketLine
from gatekeeper.feeds.times import FeedTimeError, read_moment

BATCH = 200


class Command(ImportCommand):
    help = (
        "Takes tickets, one JSON object a line; import members first, for an assignee who is not known"
        " is nobody. updated_at orders them: older never overwrites newer. A line about a known ticket"
        " that cannot be used blocks that ticket. Refused lines are named on standard error, without a"
        " value; the others get in. A run that gets to its end counts as news from the helpdesk."
        " With --complete the file is all that the helpdesk has open: what is open here and not in it is"
        " shown, and closed after a confirmation, unless it changed after the list was begun."
    )
    what = "tickets"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        complete.add_arguments(parser, what="open tickets")
        parser.add_argument(
            "--began",
            metavar="TIME",
            help="when the helpdesk began to make the list; else when the file was last written, and"
            " for standard input when the command started",
        )

    def handle(self, *args: Any, file: str, **options: Any) -> None:
        """Run as any import; a complete one knows first what is open."""
        self._options = options
        self._complete = bool(options["complete"])
        if not self._complete:
            if options["dry_run"] or options["yes"] or options["began"] or options["closes"] is not None:
                raise CommandError("--dry-run, --yes, --closes and --began go with --complete.")
            super().handle(*args, file=file, **options)
            return
        self._as_of = _beginning(file, options["began"])
        # Of what is open here, what the list has not named yet: memory grows with that alone.
        self._missing = tickets.open_numbers(self._as_of)
        self._held = len(self._missing)
        self._is_empty, self._is_cut_off = True, False
        if options["dry_run"]:
            self._only_say(file)
            return
        super().handle(*args, file=file, **options)

    def begin(self, refused: Callable[[int, str], None], source: str) -> Import[TicketLine]:
        as_of = self._as_of if self._complete else None
        self._remarks: Counter[str] = Counter()

        def store(batch: Sequence[TicketLine]) -> Mapping[str, str]:
            for line in batch:
                self._remarks.update(line.remarks)
            outcomes = tickets.apply_patiently(batch, source, as_of=as_of)
            self._named(outcomes)
            return outcomes

        def unusable(raw: bytes) -> None:
            self._unusable(raw, tickets.block_named(raw, None, source))

        return Import(TicketLine, store, batch=BATCH, refused=refused, unusable=unusable)

    def finished(self) -> None:
        for remark, count in sorted(self._remarks.items()):
            self.stderr.write(f"{count} lines: {remark}")
        tickets.record_contact(command_source("import_tickets"))
        if self._complete:
            self._close()

    def _named(self, numbers: Mapping[str, str]) -> None:
        if self._complete:
            self._is_empty = False
            self._missing.difference_update(numbers)

    def _unusable(self, raw: bytes, named: Sequence[str]) -> None:
        if self._complete:
            self._is_cut_off = not raw.endswith(b"\n") and len(raw) <= LONGEST_LINE
            self._missing.difference_update(named)

    def _only_say(self, file: str) -> None:
        with opened(file) as stream:
            for line in lines(stream, TicketLine):
                if line.value:
                    self._named({line.value.number: ""})
                else:
                    self._unusable(line.raw, tickets.named(line.raw))
                    self.stderr.write(f"line {line.number}: {line.reason}")
        self._say_what_is_missing("would be closed")

    def _say_what_is_missing(self, what_becomes: str) -> None:
        names = f": {complete.shown(self._missing)}" if self._missing else ""
        self.stdout.write(f"missing: {len(self._missing)} of {self._held} open tickets {what_becomes}{names}")
        if self._is_cut_off:
            raise CommandError("Nothing is closed by this file: it ends in the middle of a line.")

    def _close(self) -> None:
        """Close what the list lacks. Raises CommandError where that is not confirmed."""
        source = command_source("import_tickets --complete")
        self._say_what_is_missing("are not in the list")
        if self._missing:
            complete.confirm(
                len(self._missing),
                self._held,
                is_empty=self._is_empty,
                yes=self._options["yes"],
                closes=self._options["closes"],
                say=self.stderr.write,
            )
        closed = self._close_each(sorted(self._missing), source)
        self.stdout.write(f"missing: {closed} closed")
        doubts.settle(doubts.HELPDESK, self._as_of, source)

    def _close_each(self, numbers: list[str], source: str) -> int:
        parts = (numbers[start : start + BATCH] for start in range(0, len(numbers), BATCH))
        return sum(len(tickets.close_missing(part, self._as_of, source)) for part in parts)


def _beginning(file: str, given: str | None) -> datetime:
    """When the list was begun. Raises CommandError for what is no such moment."""
    now = timezone.now()
    if given is None:
        try:
            return now if file == "-" else min(datetime.fromtimestamp(Path(file).stat().st_mtime, UTC), now)
        except OSError as error:
            raise CommandError(f"The file cannot be read: {error.strerror}.") from None
    try:
        moment = read_moment(given)
    except FeedTimeError:
        raise CommandError("--began is not a time with a zone, such as 2026-03-02T09:00:00Z.") from None
    if moment > now + CLOCK_TOLERANCE:
        raise CommandError("--began is in the future.")
    return moment
