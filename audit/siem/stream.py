"""The stream: what was sealed goes to a SIEM, in the seal's order, each entry at least once.

It follows the seal, because the tree is the one order of entries that nothing comes into later. So a receiver
has what was proved, and each event carries its leaf's place and hash: its copy is one more witness. How far
it has gone is kept in the database, and moves on only when the receiver has taken a batch.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from audit.database import call, rows
from audit.models import Checkpoint, Entry, Leaf, Stream
from audit.siem import ocsf
from audit.siem.receivers import TOO_LARGE, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from psycopg import Connection

    from audit.siem.receivers import Receiver

WATCH: Final = "watch"
LOCK: Final = 1734702700  # one at a time; the sealer's is the number before
BATCH: Final = 500
#: A receiver that lacks an entry for so long is late.
LATE: Final = timedelta(minutes=5)
FAILURE_LENGTH: Final = 200


@dataclass(frozen=True)
class State:
    """How a stream stands. `lag`: since when the oldest sealed entry waits; None where none does."""

    target: str
    sent_at: datetime | None
    failure: str
    lag: timedelta | None

    @property
    def is_late(self) -> bool:
        """Whether somebody should look."""
        return bool(self.failure) or (self.lag is not None and self.lag > LATE)


class Streamer:
    """Sends to one receiver. `connect` gives the driver's connection, in autocommit, as it is now."""

    def __init__(
        self,
        connect: Callable[[], Connection[Any]],
        target: str,
        receiver: Receiver,
        *,
        origin: str,
        vendor: str,
        source: str,
    ) -> None:
        self._connect = connect
        self._target = target
        self._receiver = receiver
        self._origin, self._vendor, self._source = origin, vendor, source

    def send(self) -> int:
        """Send all that is sealed and was not taken; return how many entries were. Raises django.db.Error.

        A receiver that fails is noted, and gets the same batch the next time. Nothing is sent while
        another process sends.
        """
        # The session's, not a transaction's: the seal's horizon must not wait for a receiver.
        [(alone,)] = rows("SELECT pg_try_advisory_lock(%s)", [LOCK], using=self._connect())
        if not alone:
            return 0
        try:
            return self._send()
        finally:
            rows("SELECT pg_advisory_unlock(%s)", [LOCK], using=self._connect())

    def _send(self) -> int:
        place: int = call("audit.begin_stream", target=self._target, source=self._source, using=WATCH)
        sent, most = 0, BATCH
        while leaves := _sealed(place, most):
            lines = list(self._lines(leaves))
            try:
                if lines:
                    self._receiver.take(lines)
            except RefusedError as refused:
                if refused.status == TOO_LARGE and most > 1:
                    most //= 2
                    continue
                self._failed(refused)
                return sent
            except OSError as error:
                self._failed(error)
                return sent
            place, sent = leaves[-1].place + 1, sent + len(lines)
            self._went(place)
        return sent

    def _lines(self, leaves: list[Leaf]) -> Iterator[bytes]:
        """Events as JSON. What retention has removed since is no event any more."""
        sent = Entry.objects.using(WATCH).only(*ocsf.COLUMNS)
        entries = sent.in_bulk([leaf.entry for leaf in leaves])
        for leaf in leaves:
            entry = entries.get(leaf.entry)
            if entry is not None:
                found = ocsf.event(
                    entry, origin=self._origin, vendor=self._vendor, place=leaf.place, leaf=bytes(leaf.hash)
                )
                yield json.dumps(found, ensure_ascii=False, separators=(",", ":"), default=str).encode()

    def _went(self, place: int) -> None:
        call("audit.stream_went", target=self._target, place=place, using=WATCH)

    def _failed(self, error: OSError) -> None:
        words = f"{type(error).__name__}: {error.strerror or ''}"[:FAILURE_LENGTH]
        call("audit.stream_failed", target=self._target, words=words, using=WATCH)


def _sealed(place: int, most: int) -> list[Leaf]:
    """Leaves from this place on, as far as a checkpoint covers them."""
    size = Checkpoint.objects.using(WATCH).order_by("-size").values_list("size", flat=True).first() or 0
    leaves = Leaf.objects.using(WATCH).filter(place__gte=place, place__lt=size)
    return list(leaves.order_by("place")[:most])


def state(now: datetime, *, using: str = "default") -> State | None:
    """How the stream stands; None where there is none."""
    stream = Stream.objects.using(using).order_by("-sent_at").first()
    if stream is None:
        return None
    waiting = Leaf.objects.using(using).filter(place__gte=stream.place).order_by("place")
    oldest = (
        Entry.objects.using(using)
        .filter(pk__in=waiting.values("entry")[:1])
        .values_list("timestamp", flat=True)
        .first()
    )
    lag = now - oldest if oldest else None
    return State(stream.target, stream.sent_at, stream.failure, lag)
