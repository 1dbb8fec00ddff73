"""Takes the platform's export of participants."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db.models import QuerySet, Sum

from audit.arguments import text
from audit.context import command_source
from gatekeeper.feeds import closing, complete, connection, removing
from gatekeeper.feeds import store as storing
from gatekeeper.feeds.byte_lines import LONGEST_LINE
from gatekeeper.feeds.importing import Import, ImportCommand, opened
from gatekeeper.feeds.jsonlines import lines
from gatekeeper.feeds.participant_lines import ParticipantLine
from gatekeeper.models import Account

BATCH = 500


class Command(ImportCommand):
    help = (
        "Takes participants' records of accounts that are here, one JSON object a line. Of who objected"
        " nothing is kept but that. A field that cannot be used is dropped, or mended, and named on"
        " standard error; the line gets in. A line is refused for its references or its objection alone,"
        " and an objection that cannot be read is kept as one. Nothing that is said repeats a value."
        " Run it again to resume: nothing is stored twice. With --complete the file is all participants"
        " that there are, or all of one account: who is here and not in it is shown, and removed after a"
        " confirmation. Who objected stays known as such."
    )
    what = "participants"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        complete.add_arguments(parser, what="participants")
        parser.add_argument(
            "--account",
            type=text,
            metavar="REFERENCE",
            help="with --complete: these are all of this account",
        )

    def handle(self, *args: Any, file: str, **options: Any) -> None:
        """Run as any import; a complete one keeps in mind whom the file names."""
        self._options = options
        self._complete = bool(options["complete"])
        if not self._complete and (
            options["dry_run"] or options["yes"] or options["account"] or options["closes"] is not None
        ):
            raise CommandError("--dry-run, --yes, --closes and --account go with --complete.")
        #: The numbers that the file names, by account: four bytes a participant.
        self._named: dict[str, array[int]] = defaultdict(lambda: array("I"))
        self._is_cut_off = False
        if self._complete:
            self._accounts = _accounts(options["account"])
        if options["dry_run"]:
            self._only_say(file)
            return
        super().handle(*args, file=file, **options)

    def begin(self, refused: Callable[[int, str], None], source: str) -> Import[ParticipantLine]:
        def store(batch: Sequence[ParticipantLine]) -> Mapping[str, str]:
            outcomes = storing.store_participants(batch, source)
            self._name(outcomes)
            return outcomes

        def unusable(raw: bytes) -> None:
            self._unusable(raw)
            run.closed(storing.object_refused(raw, source))

        run = Import(
            ParticipantLine, store, batch=BATCH, refused=refused, unusable=unusable, noted=self.noted
        )
        return run

    def finished(self) -> None:
        if self._complete:
            self._remove()

    def _name(self, references: Sequence[str] | Mapping[str, str]) -> None:
        if self._complete:
            for reference in references:
                account, _, number = reference.rpartition("-P")
                self._named[account].append(int(number))

    def _unusable(self, raw: bytes) -> None:
        """Whoever a refused line names is named; a line that breaks off is the end of a file cut short."""
        self._is_cut_off = not raw.endswith(b"\n") and len(raw) <= LONGEST_LINE
        self._name(closing.participants_of(raw))

    def _only_say(self, file: str) -> None:
        with opened(file) as stream:
            for line in lines(stream, ParticipantLine):
                if line.value:
                    self._name([line.value.reference])
                else:
                    self._unusable(line.raw)
                    self.stderr.write(f"line {line.number}: {line.reason}")
        self._missing("would be removed")

    def _missing(self, what_becomes: str) -> tuple[dict[str, list[int]], int]:
        """Say and return who is here and not in the file, and how many there are."""
        held = self._accounts.aggregate(held=Sum("participants"))["held"] or 0
        references = self._accounts.order_by("reference").values_list("reference", flat=True)
        missing: dict[str, list[int]] = {}
        for start in range(0, len(references), BATCH):
            batch = {one: self._named.get(one, array("I")) for one in references[start : start + BATCH]}
            missing |= removing.beyond(batch)
        names = [f"{account}-P{number}" for account, numbers in missing.items() for number in numbers]
        shown = f": {complete.shown(names)}" if names else ""
        self.stdout.write(f"missing: {len(names)} of {held} participants {what_becomes}{shown}")
        if self._is_cut_off:
            raise CommandError("Nothing is removed by this file: it ends in the middle of a line.")
        return missing, held

    def _remove(self) -> None:
        """Remove whom the file lacks. Raises CommandError where that is not confirmed."""
        missing, held = self._missing("are not in the file")
        if not missing:
            return
        complete.confirm(
            sum(map(len, missing.values())),
            held,
            is_empty=not self._named,
            yes=self._options["yes"],
            closes=self._options["closes"],
            say=self.stderr.write,
        )
        source = command_source("import_participants --complete")
        removed = sum(removing.remove(account, numbers, source) for account, numbers in missing.items())
        self.stdout.write(f"missing: {removed} removed")


def _accounts(reference: str) -> QuerySet[Account]:
    """The accounts that a complete file speaks of: all with participants, or the one that is named."""
    held = Account.objects.using(connection.ALIAS)
    if reference and not held.filter(reference=reference).exists():
        raise CommandError("There is no such account.")
    found = held.filter(participants__gt=0, erased_at=None)
    return found.filter(reference=reference) if reference else found
