"""The entries of one batch: read and hashed in order, kept until their leaves are written."""

from __future__ import annotations

import struct
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Any, Final

from psycopg import sql

from audit.seal import leaves

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

#: Sorted first and printed then (OFFSET 0 keeps it so), while the rows before are hashed. The bound on both
#: sides, for PostgreSQL might look through all leaves there are.
_READ: Final = f"""
    COPY (SELECT e.id, e.{leaves.SALTS}, {leaves.PARTS}
          FROM (SELECT e.* FROM public.audit_entry e
                WHERE {{which}} AND e.id > {{above}} AND NOT EXISTS (
                    SELECT FROM public.audit_leaf l WHERE l.entry = e.id AND l.entry > {{above}})
                ORDER BY e.xid, e.id OFFSET 0) e
          ORDER BY e.xid, e.id) TO STDOUT (FORMAT binary)
"""  # noqa: S608  # columns of our own list
_NUMBER: Final = struct.Struct(">2xiq")
_KEPT: Final = struct.Struct(">qi32s32s")
_IN_MEMORY: Final = 16 << 20


class Waiting:
    """Entries about to be sealed, in order: on disk where they are many, for memory stays constant."""

    def __init__(self) -> None:
        self.entries = 0
        self.leaves: list[int] = []  # of each account
        self.accounts: dict[str, int] = {}  # by name, its place in `leaves`
        self._file = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  # closed with the object

    def add(self, row: bytes) -> None:
        """Hash both parts of an entry out of a row of `_READ`."""
        _, entry = _NUMBER.unpack_from(row)
        salts, at = leaves.value(row, _NUMBER.size)
        account, _ = leaves.value(row, at)
        place = self._place(account.decode()) if account else -1
        self._file.write(_KEPT.pack(entry, place, *leaves.hashes(row, at, salts or b"")))
        self.entries += 1

    def _place(self, account: str) -> int:
        """Count one leaf more of an account; return where its count stands."""
        place = self.accounts.setdefault(account, len(self.leaves))
        if place == len(self.leaves):
            self.leaves.append(0)
        self.leaves[place] += 1
        return place

    def __iter__(self) -> Iterator[tuple[int, int, bytes, bytes]]:
        """Entry, its account's place or -1, and both hashes."""
        self._file.seek(0)
        while block := self._file.read(_KEPT.size * 1024):
            yield from _KEPT.iter_unpack(block)


def read(db: Connection[Any], *, which: sql.Composable, above: int) -> Waiting:
    """Return the entries above a number that a condition takes, and that have no leaf."""
    waiting = Waiting()
    statement = sql.SQL(_READ).format(which=which, above=sql.Literal(above))
    with db.cursor() as cursor, cursor.copy(statement) as copy:
        for row in leaves.rows(copy):
            waiting.add(row)
    return waiting
