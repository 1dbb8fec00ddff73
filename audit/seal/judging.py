"""Each leaf against its entry: many at once, by as many processes as are wanted.

One COPY gives leaves and entries side by side in the order of the tree. A process judges a span of places
and returns a judgement for each leaf that is there, packed; who asks goes through them in their order. All
processes read in one snapshot, and each holds one span at a time: memory stays constant (the ranges of
erasures aside, which are few).
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections import deque
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, Final

from psycopg import sql

from audit.database import rows
from audit.seal import leaves

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from concurrent.futures import Future

    from psycopg import Connection

    Judgement = tuple[int, int, int, int, int, bytes]

#: What a leaf can be: its entry's, its entry gone (rightly or not is the retention's to say), its entry
#: without what an erasure took, or another than its entry says.
WHOLE, BARE, ERASED, EDITED = range(4)
#: Places that one process judges at a time.
SPAN: Final = 8192
_QUEUED: Final = 2  # spans for each process: one at work, one that waits to be fetched

_READ: Final = f"""
    COPY (SELECT l.place, l.entry, l.number, l.hash, l.tag,
                 e.id, e.xid, e."timestamp", e.salts, {leaves.PARTS}
          FROM public.audit_leaf l LEFT JOIN public.audit_entry e ON e.id = l.entry
          WHERE l.place BETWEEN {{first}} AND {{last}} ORDER BY l.place) TO STDOUT (FORMAT binary)
"""  # noqa: S608  # columns of our own list
_END: Final = 1 << 63  # no place is so high: it would be no bigint
#: Place, entry, transaction, time in PostgreSQL's microseconds, what the leaf is, its hash.
_JUDGEMENT: Final = struct.Struct(f">qqqqB{leaves.HASH_BYTES}s")
_LEAF: Final = struct.Struct(">2xiqiqiq")  # place, entry, number
_BODY: Final = struct.Struct(">iqiqiq")  # id, transaction, time
_SALTED: Final = 2 * leaves.SALT_BYTES  # bytes of an entry's salts
_TAKEN: Final = leaves.HASH_BYTES + leaves.SALT_BYTES  # after the erasure of its account
_ABSENT: Final = b"\xff\xff\xff\xff"
#: A leaf's place, entry, number, hash, tag; its entry's id, transaction, time, salts; each behind its length.
_USUAL: Final = struct.Struct(f">2x iq iq iq i{leaves.HASH_BYTES}s i{leaves.TAG_BYTES}s iq iq iq i{_SALTED}s")
_LENGTHS: Final = (8, 8, 8, leaves.HASH_BYTES, leaves.TAG_BYTES, 8, 8, 8, _SALTED)


@dataclass
class Erasures:
    """Ranges of leaves whose references were taken away rightly, in their order."""

    firsts: list[int] = field(default_factory=list)
    lasts: list[int] = field(default_factory=list)

    @classmethod
    def read(cls, connection: Connection[Any]) -> Erasures:
        """From the entries that say so."""
        found = cls()
        ranges = rows(
            "SELECT (r->>0)::bigint, (r->>1)::bigint FROM public.audit_entry e,"
            " LATERAL jsonb_array_elements(CASE jsonb_typeof(e.details->'leaves') WHEN 'array'"
            " THEN e.details->'leaves' ELSE '[]' END) r WHERE e.event = 'erase' ORDER BY 1",
            using=connection,
        )
        for first, last in ranges:
            found.firsts.append(first)
            found.lasts.append(last)
        return found

    def covers(self, place: int) -> bool:
        """Whether an erasure names this leaf."""
        at = bisect_right(self.firsts, place) - 1
        return at >= 0 and place <= self.lasts[at]


def judgements(
    reading: Connection[Any], first: int, erasures: Erasures, others: Others | None = None
) -> Generator[Judgement, None, None]:
    """Every leaf from a place on, in order: place, entry, transaction, time, what it is, its hash.

    `reading` is in a transaction of its own, whose snapshot the `others` share. Raises psycopg.Error.
    """
    end = first
    if others:
        counted = "SELECT count(*) FROM public.audit_leaf WHERE place >= %s"
        [(count,)] = rows(counted, [first], using=reading)
        end = first + count  # where none lacks, and none was put elsewhere
        with others.at_work(reading, erasures) as judge:
            for block in judge(range(first, end, others.span), end):
                yield from _JUDGEMENT.iter_unpack(block)
    for block in _judged(reading, end, _END, erasures):
        yield from _JUDGEMENT.iter_unpack(block)


@dataclass(frozen=True)
class Others:
    """Processes that judge beside this one, each on a connection that `connect` gives it."""

    connect: Callable[[], Connection[Any]]
    processes: int
    span: int = SPAN

    @contextmanager
    def at_work(
        self, reading: Connection[Any], erasures: Erasures
    ) -> Iterator[Callable[[range, int], Iterator[bytes]]]:
        """Start them in the snapshot of `reading`; gives what has them judge spans and yields in order."""
        [(snapshot,)] = rows("SELECT pg_export_snapshot()", using=reading)
        # By fork: they know the settings, and begin at once. They never touch this process's connections.
        with ProcessPoolExecutor(
            self.processes, get_context("fork"), _begin, (self.connect, snapshot, erasures)
        ) as pool:
            yield lambda spans, end: self._in_order(pool, spans, end)

    def _in_order(self, pool: ProcessPoolExecutor, spans: range, end: int) -> Iterator[bytes]:
        waiting: deque[Future[bytes]] = deque()
        for first in spans:
            waiting.append(pool.submit(_judge_span, first, min(first + spans.step, end)))
            if len(waiting) == _QUEUED * self.processes:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


class _Own:
    """What a process that judges has of its own."""

    connection: Connection[Any]
    erasures: Erasures


def _begin(connect: Callable[[], Connection[Any]], snapshot: str, erasures: Erasures) -> None:
    _Own.connection, _Own.erasures = connect(), erasures
    _Own.connection.autocommit = False  # one transaction until the end of the process
    share(_Own.connection, snapshot)


def share(connection: Connection[Any], snapshot: str) -> None:
    """Begin to read in a snapshot that another transaction has exported."""
    connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    connection.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(snapshot)))


def _judge_span(first: int, end: int) -> bytes:
    return b"".join(_judged(_Own.connection, first, end, _Own.erasures))


def _judged(reading: Connection[Any], first: int, end: int, erasures: Erasures) -> Iterator[bytes]:
    """Judgements of the leaves from a place to before another, packed, some thousands at a time."""
    # Rows come as they appear in the tree, at once and in constant memory: a sort would print all of them
    # first, while nobody hashes.
    reading.execute("SET LOCAL enable_sort = off")
    statement = sql.SQL(_READ).format(first=sql.Literal(first), last=sql.Literal(end - 1))
    block = bytearray()
    with reading.cursor() as cursor, cursor.copy(statement) as copy:
        for row in leaves.rows(copy):
            block += _JUDGEMENT.pack(*_judgement(row, erasures))
            if len(block) >= SPAN * _JUDGEMENT.size:
                yield bytes(block)
                block.clear()
    yield bytes(block)


def _judgement(row: bytes, erasures: Erasures) -> Judgement:
    fields = _USUAL.unpack_from(row)
    if fields[::2] == _LENGTHS:  # as nearly all have: one call unpacks them
        place, entry, number, found, tag, _id, transaction, time, salts = fields[1::2]
        at = _USUAL.size
    else:
        place, entry, number, found, tag, transaction, time, salts, at = _unusual(row)
        if salts is None:
            return place, entry, 0, 0, BARE, found
    state = WHOLE
    if len(salts) != _SALTED:
        # References that were taken away are gone indeed, and an erasure says so.
        was_erased = len(salts) == _TAKEN and row.startswith(leaves.BLANK, at) and erasures.covers(place)
        state = ERASED if was_erased else EDITED
    if state != EDITED and leaves.leaf_hash(*leaves.hashes(row, at, salts), tag, number) != found:
        state = EDITED
    return place, entry, transaction, time, state, found


def _unusual(row: bytes) -> tuple[int, int, int, bytes, bytes, int, int, bytes | None, int]:
    """The fields of `_USUAL` and where the entry's columns begin; the salts are None where it has no body.

    They are empty where it lacks its transaction or its time.
    """
    place, entry, number = _LEAF.unpack_from(row)[1::2]
    found, at = leaves.value(row, _LEAF.size)
    tag, at = leaves.value(row, at)
    leaf = (place, entry, number, found or b"", tag or b"")
    if row[at : at + 4] == _ABSENT:
        return *leaf, 0, 0, None, at
    body = _BODY.unpack_from(row, at)
    if body[::2] != (8, 8, 8):
        return *leaf, 0, 0, b"", len(row)
    salts, at = leaves.value(row, at + _BODY.size)
    return *leaf, body[3], body[5], salts or b"", at
