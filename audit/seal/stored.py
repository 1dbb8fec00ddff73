"""The tree as the database has it: hashes for proofs, and checkpoints. All of it may be a forger's."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from django.db import connections

from audit.database import rows
from audit.seal import merkle

if TYPE_CHECKING:
    from datetime import datetime

    from psycopg import Connection


def raw(alias: str) -> Connection[Any]:
    """The driver's own connection of an alias, in autocommit: COPY and server-side cursors need it."""
    connections[alias].ensure_connection()
    connection: Connection[Any] = connections[alias].connection
    return connection


def another(alias: str) -> Connection[Any]:
    """One more of the driver's connections of an alias, in autocommit; its end is the caller's to see to."""
    copy = connections[alias].copy()
    copy.ensure_connection()
    connection: Connection[Any] = copy.connection
    return connection


class StoredHashes:
    """The hashes that proofs are made of (merkle.Hashes); what was read once is kept for the next proof."""

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection = connection
        self.span = lru_cache(maxsize=4096)(self._span)

    def _span(self, level: int, first: int, count: int) -> list[bytes]:
        if level == 0:
            hashes = rows(
                "SELECT hash FROM public.audit_leaf WHERE place >= %s AND place < %s ORDER BY place",
                [first, first + count],
                using=self._connection,
            )
        else:
            hashes = rows(
                "SELECT hash FROM public.audit_node WHERE level = %s AND place >= %s AND place < %s"
                " ORDER BY place",
                [level, first, first + count],
                using=self._connection,
            )
        found = [row[0] for row in hashes]
        if len(found) != count:
            raise LookupError(f"{count - len(found)} hashes of level {level} from {first} on are not there")
        return found


@dataclass(frozen=True)
class Checkpoint:
    """One row of checkpoints. `horizon`: every transaction below it is sealed."""

    size: int
    era: int
    horizon: int
    sealed_at: datetime
    note: str


CHECKPOINT: Final = "size, era, horizon::text::bigint, sealed_at, note"


def newest_checkpoint(connection: Connection[Any]) -> Checkpoint | None:
    """The largest checkpoint; None before the first."""
    newest = f"SELECT {CHECKPOINT} FROM public.audit_checkpoint ORDER BY size DESC LIMIT 1"  # noqa: S608
    found = rows(newest, using=connection)
    return Checkpoint(*found[0]) if found else None


def root_at(hashes: StoredHashes, size: int) -> bytes:
    """The root over the first `size` leaves, by the nodes that are kept. Raises LookupError."""
    return merkle.fold(merkle.frontier(hashes, size))


def lowest(connection: Connection[Any], horizon: int, era: int) -> int:
    """A number below that of every entry that is not sealed yet, so that the primary key finds them.

    An entry's number is drawn after its transaction has its own (audit.stamp_entry), and `drawn` was read
    before the sealer's transaction got its own, the `ceiling` (a snapshot's xmax would not do: running
    transactions can lie above it). So transactions above a ceiling draw numbers above its `drawn`; and once
    the horizon, below which everything is sealed, has reached a ceiling, the rest lies above its `drawn`.
    """
    found = rows(
        "SELECT drawn FROM public.audit_checkpoint WHERE ceiling <= %s::text::xid8 AND era = %s"
        " ORDER BY size DESC LIMIT 1",
        [str(horizon), era],
        using=connection,
    )
    return int(found[0][0]) if found else 0
