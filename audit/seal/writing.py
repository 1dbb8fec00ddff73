"""Writing the leaves of one batch, with their accounts' tags, and the nodes above them."""

from __future__ import annotations

import struct
from itertools import count, repeat
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from audit.database import calls
from audit.seal import leaves

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

    from audit.seal import merkle
    from audit.seal.waiting import Waiting

_WRITE: Final = "COPY public.audit_leaf (place, entry, number, hash, tag) FROM STDIN (FORMAT binary)"
_COPY_HEAD: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_COPY_END: Final = b"\xff\xff"
_LEAF_ROW: Final = struct.Struct(f">h iq iq iq i32s i{leaves.TAG_BYTES}s")
_BLOCK: Final = 64 << 10


class _Tag(NamedTuple):
    tagged: str
    tag_key: bytes
    leaves: int


def _tags(db: Connection[Any], waiting: Waiting) -> list[tuple[bytes, Iterator[int]]]:
    """The tag of each account, and the running numbers of its leaves; last, for -1, those of none."""
    tags = calls("audit.tags", accounts=list(waiting.accounts), leaves=waiting.leaves, into=_Tag, using=db)
    found: list[tuple[bytes, Iterator[int]]] = [(leaves.NO_TAG, repeat(0))] * (len(waiting.leaves) + 1)
    for account, key, after in tags:
        place = waiting.accounts[account]
        found[place] = leaves.tag(account, key), count(after - waiting.leaves[place] + 1)
    return found


def write_leaves(db: Connection[Any], tree: merkle.Tree, waiting: Waiting) -> None:
    """Append a leaf for each entry to the tree, and to its table."""
    tags = _tags(db, waiting)
    with db.cursor() as cursor, cursor.copy(_WRITE) as copy:
        out = bytearray(_COPY_HEAD)
        for entry, account, customer, staff in waiting:
            tag, numbers = tags[account]
            number = next(numbers)
            leaf = leaves.leaf_hash(customer, staff, tag, number)
            out += _LEAF_ROW.pack(*(5, 8, tree.size, 8, entry, 8, number, 32, leaf, leaves.TAG_BYTES, tag))
            tree.append(leaf)
            if len(out) > _BLOCK:
                copy.write(bytes(out))
                out.clear()
        copy.write(bytes(out) + _COPY_END)


def write_nodes(db: Connection[Any], nodes: list[merkle.Kept]) -> None:
    """Store the nodes that the leaves have completed."""
    with db.cursor() as cursor:
        cursor.executemany("INSERT INTO public.audit_node (level, place, hash) VALUES (%s, %s, %s)", nodes)
