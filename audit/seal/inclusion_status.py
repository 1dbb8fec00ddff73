"""The status of an entry in the sealed log: which checkpoint covers it, and whether its proof holds now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from psycopg import sql

from audit.database import rows
from audit.seal import leaves, merkle, stored
from audit.verify_bundle import ProofError, root_from_inclusion

if TYPE_CHECKING:
    from datetime import datetime

    from psycopg import Connection

    from audit.seal.checkpoints import Keys

State = Literal["sealed", "waits", "broken", "keyless"]

_READ: Final = f"""
    COPY (SELECT l.place, l.number, l.tag, e.salts, {leaves.PARTS}
          FROM public.audit_entry e JOIN public.audit_leaf l ON l.entry = e.id
          WHERE e.id = {{entry}}) TO STDOUT (FORMAT binary)
"""  # noqa: S608  # columns of our own list
_COVERS: Final = """
    SELECT size, sealed_at FROM public.audit_checkpoint WHERE size > %s ORDER BY size LIMIT 1
"""


@dataclass(frozen=True)
class InclusionStatus:
    """`sealed`: the proof holds under the keys given. `waits`: no checkpoint covers it yet. `broken`: the
    proof does not hold. `keyless`: a checkpoint covers it, and there is no key to judge by.
    """

    state: State
    place: int | None = None
    size: int | None = None  # of the first checkpoint that covers it
    sealed_at: datetime | None = None


def inclusion_status(connection: Connection[Any], keys: Keys | None, *, entry: int) -> InclusionStatus:
    """Hash the entry as it is now, and follow its path to the root that the newest checkpoint signs.

    It convinces whoever trusts this server; anybody else takes a bundle (audit/seal/proofs.py).
    """
    row = _row(connection, entry)
    newest = stored.newest_checkpoint(connection)
    if row is None:
        return InclusionStatus("waits")
    place, leaf = _leaf(row)
    if newest is None or newest.size <= place:
        return InclusionStatus("waits", place)
    size, sealed_at = rows(_COVERS, [place], using=connection)[0]
    if keys is None:
        return InclusionStatus("keyless", place, size, sealed_at)
    try:
        head = keys.open(newest.note)
        path = merkle.inclusion(stored.StoredHashes(connection), place, head.size)
        holds = root_from_inclusion(place, head.size, leaf, path) == head.root
    except (ProofError, LookupError, ValueError):
        holds = False
    return InclusionStatus("sealed" if holds else "broken", place, size, sealed_at)


def _row(connection: Connection[Any], entry: int) -> bytes | None:
    statement = sql.SQL(_READ).format(entry=sql.Literal(entry))
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        return next(iter(list(leaves.rows(copy))), None)


def _leaf(row: bytes) -> tuple[int, bytes]:
    """The leaf's place, and its hash computed from the entry's columns as they are."""
    place, at = leaves.value(row, leaves.FIRST)
    number, at = leaves.value(row, at)
    tag, at = leaves.value(row, at)
    salts, at = leaves.value(row, at)
    customer, staff = leaves.hashes(row, at, salts or b"")
    hashed = leaves.leaf_hash(customer, staff, tag or b"", int.from_bytes(number or b"", "big"))
    return int.from_bytes(place or b"", "big"), hashed
