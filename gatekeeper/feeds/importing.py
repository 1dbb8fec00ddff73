"""What the import commands have in common: streaming a file of JSON lines in batches.

Constant memory, one pass. Each batch is a transaction of its own: a run that was cut short is
resumed by running it again, because what is stored already comes out as the same.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, BinaryIO, ClassVar, Final, Generic

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections
from tqdm import tqdm

from audit.context import command_source
from gatekeeper.feeds import store as storing
from gatekeeper.feeds.byte_lines import UnreadableError
from gatekeeper.feeds.jsonlines import lines
from gatekeeper.feeds.records import Line, Note, Shape

TAKEN: Final = ("new", "changed", "same", "older")
#: Taken as well, but it waits for a second person; counted where there is any.
PROPOSED: Final = "proposed"
#: A reason is told so often line by line, and then by its number alone.
SHOWN_EACH: Final = 20
#: The database's outcomes that refuse a line, in words.
REASONS: Final = {
    "erased": "reference: erased, and barred for ever",
    "repeated": "reference: repeated with other data",
    "unknown": "account: not known",
    "future": "updated_at: in the future",
    "tied": "updated_at: another state of that moment is here",
    "refused:email": "email: another member's",
    "refused:manager": "manager: not known, or stands below",
    "refused:value": "line: not what the database takes",
}


class Import(Generic[Shape]):
    """One run: it counts what comes in, and tells each refused line to `refused`.

    While PostgreSQL stores a batch, in a thread of its own, the next is read and judged: the two
    take about as long. There is one such thread, so that batches keep the order of the file.
    """

    def __init__(
        self,
        shape: type[Shape],
        store: Callable[[Sequence[Shape]], Mapping[str, str]],
        *,
        batch: int,
        refused: Callable[[int, str], None],
        unusable: Callable[[bytes], object] | None = None,
        noted: Callable[[int, Note], None] | None = None,
    ) -> None:
        """`store` takes lines with different keys; `unusable` hears of a line that has no shape, and
        `noted` of each field that a line got in without."""
        self._shape, self._store, self._batch = shape, store, batch
        self._refused, self._unusable, self._noted = refused, unusable, noted
        self._waiting: dict[str, Line[Shape]] = {}
        self._refusals: list[tuple[int, str]] = []
        self._handed: Future[list[tuple[int, str]]] | None = None
        self.counts: Counter[str] = Counter(dict.fromkeys((*TAKEN, "refused"), 0))

    def run(self, stream: BinaryIO, progress: Callable[[int], object]) -> None:
        """Take the whole stream; `progress` hears how far it got. Raises django.db.Error."""
        with ThreadPoolExecutor(1) as writer:
            try:
                for line in lines(stream, self._shape):
                    self._take(line, writer)
                    progress(line.ends_at)
                self._hand_over(writer)
            finally:
                self._settle()  # what was handed over is stored, and counts
                writer.submit(connections.close_all)  # a connection is its thread's

    def closed(self, what: Sequence[str]) -> None:
        """Count what a refused line has closed."""
        if what:
            self.counts["closed"] += len(what)

    def _refuse(self, line: Line[Shape], writer: Executor) -> None:
        if self._unusable:  # it may be about what came before
            self._hand_over(writer)
            self._settle()
            self._unusable(line.raw)
        self._refusals.append((line.number, line.reason))

    def _take(self, line: Line[Shape], writer: Executor) -> None:
        if len(self._waiting) + len(self._refusals) >= self._batch:
            self._hand_over(writer)
        if line.value is None:
            self._refuse(line, writer)
            return
        if line.value.key in self._waiting:
            self._hand_over(writer)
        self._waiting[line.value.key] = line
        for note in line.notes:
            self.counts[note.act] += 1
            if self._noted:
                self._noted(line.number, note)

    def _hand_over(self, writer: Executor) -> None:
        self._settle()
        self._handed = writer.submit(self._stored, self._waiting, self._refusals)
        self._waiting, self._refusals = {}, []

    def _stored(
        self, batch: Mapping[str, Line[Shape]], refusals: list[tuple[int, str]]
    ) -> list[tuple[int, str]]:
        """Store a batch; return its lines with what became of each: a word, or why it is refused."""
        values = [line.value for line in batch.values() if line.value is not None]
        outcomes = self._store(values) if values else {}
        stored = [(line.number, outcomes[key]) for key, line in batch.items()]
        return sorted(stored + refusals)

    def _settle(self) -> None:
        handed, self._handed = self._handed, None
        for number, outcome in handed.result() if handed else ():
            if outcome in TAKEN or outcome == PROPOSED:
                self.counts[outcome] += 1
            else:
                self.counts["refused"] += 1
                self._refused(number, REASONS.get(outcome, outcome))


class ImportCommand(BaseCommand):
    """A command that reads FILE or standard input, and exits with 1 when it refused a line."""

    what: ClassVar[str]

    def add_arguments(self, parser: CommandParser) -> None:
        """One argument: the file."""
        parser.add_argument("file", metavar="FILE", help="JSON lines, or - for standard input")

    def begin(self, refused: Callable[[int, str], None], source: str) -> Import[Any]:
        """Return the run, to be started. Raises CommandError where it cannot be."""
        raise NotImplementedError

    def record(self, counts: Mapping[str, int], source: str, *, finished: bool) -> None:
        """Write the run's entry."""
        storing.record_import(self.what, counts, source, finished=finished)

    def finished(self) -> None:
        """Called when a run got to its end."""

    def handle(self, *_args: Any, file: str, **_options: Any) -> None:
        """Run, record the run, print one line of summary."""
        source = command_source(f"import_{self.what}")
        self._notes: Counter[str] = Counter()
        with opened(file) as stream, bar(stream) as self._shown:
            run = self.begin(lambda number, reason: self._say(f"line {number}: {reason}"), source)
            done = False
            try:
                run.run(stream, lambda position: self._shown.update(position - self._shown.n))
                done = True
            except UnreadableError as error:
                raise CommandError(
                    f"The file cannot be read further: {error}. What came before is stored; "
                    "run the command again when it can be read."
                ) from None
            finally:
                self.record(run.counts, source, finished=done)
        self.finished()
        for said, times in self._notes.items():
            if times > SHOWN_EACH:
                self.stderr.write(f"and {times - SHOWN_EACH} more: {said}")
        self.stdout.write(f"{self.what}: " + ", ".join(f"{n} {word}" for word, n in run.counts.items()))
        if run.counts["refused"]:
            sys.exit(1)

    def noted(self, number: int, note: Note) -> None:
        """Say what a line got in without; of one kind no more than SHOWN_EACH, and then how many."""
        said = f"{note.reason} ({note.act})"
        self._notes[said] += 1
        if self._notes[said] <= SHOWN_EACH:
            self._say(f"line {number}: {said}")

    def _say(self, text: str) -> None:
        with self._shown.external_write_mode(file=sys.stderr):
            self.stderr.write(text)


@contextmanager
def opened(file: str) -> Iterator[BinaryIO]:
    """Open a file, or standard input for `-`. Raises CommandError without the system's words."""
    if file == "-":
        yield sys.stdin.buffer
        return
    try:
        stream = open(file, "rb")  # noqa: SIM115, PTH123 - closed below; no path but for open() is '' itself
    except OSError as error:
        raise CommandError(f"The file cannot be read: {error.strerror}.") from None
    with stream:
        yield stream


def bar(stream: BinaryIO) -> tqdm[Any]:
    """A bar of progress with rate and time left; nothing where nobody watches."""
    size = os.fstat(stream.fileno()).st_size
    return tqdm(
        total=size or None,
        unit="B",
        unit_scale=True,
        disable=None,  # tqdm's word for: on a terminal only
        file=sys.stderr,
        leave=False,
    )
