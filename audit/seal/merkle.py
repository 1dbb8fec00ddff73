"""The tree of RFC 6962: growing it, and proofs out of it.

A tree grows by its frontier alone, the complete subtrees from left to right: one hash a power of two.
For proofs the hash over each 256, 65 536, … leaves is kept (`KEPT`); what lies between is computed
from at most 128 hashes. Proofs are checked in audit/verify_bundle.py.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, Protocol

from audit.verify_bundle import node_hash

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: Of so many levels one is kept.
KEPT: Final = 8
EMPTY: Final = hashlib.sha256(b"").digest()  # RFC 6962 §2.1: the root of no leaves

Kept = tuple[int, int, bytes]  # level, place in it, hash


class Tree:
    """A growing tree: its size and its frontier. `keep` is told each node of a kept level."""

    def __init__(
        self,
        size: int = 0,
        frontier: Sequence[bytes] = (),
        *,
        keep: Callable[[Kept], object] = lambda _: None,
    ) -> None:
        """Go on from a size and its frontier. Raises ValueError where they do not fit together."""
        if size.bit_count() != len(frontier):
            raise ValueError("this is not the frontier of so many leaves")
        self.size = size
        self._frontier = list(frontier)
        self._keep = keep

    def append(self, leaf: bytes) -> None:
        """Add the hash of one more leaf."""
        place, level = self.size, 0
        self.size += 1
        if not place & 1:
            self._frontier.append(leaf)
            return
        found = leaf
        while place & 1:
            found = node_hash(self._frontier.pop(), found)
            place >>= 1
            level += 1
            if level % KEPT == 0:
                self._keep((level, place, found))
        self._frontier.append(found)

    def root(self) -> bytes:
        """The root over all leaves so far (RFC 6962 §2.1)."""
        return fold(self._frontier)


def fold(subtrees: Sequence[bytes]) -> bytes:
    """The root over complete subtrees from left to right, each smaller than the one before."""
    if not subtrees:
        return EMPTY
    found = subtrees[-1]
    for left in reversed(subtrees[:-1]):
        found = node_hash(left, found)
    return found


class Hashes(Protocol):
    """Where a tree's hashes are kept: leaves at level 0, nodes at the kept levels."""

    def span(self, level: int, first: int, count: int) -> list[bytes]:
        """`count` hashes of a level from `first` on. Raises LookupError where one lacks."""


def subtrees(start: int, end: int) -> list[tuple[int, int]]:
    """The complete subtrees (level, place) over the leaves from `start` to before `end`, left to right."""
    found = []
    while start < end:
        level = (end - start).bit_length() - 1
        if start:
            level = min(level, (start & -start).bit_length() - 1)
        found.append((level, start >> level))
        start += 1 << level
    return found


def subtree(hashes: Hashes, level: int, place: int) -> bytes:
    """The hash of one complete subtree, from the kept level below it."""
    above = level % KEPT
    found = hashes.span(level - above, place << above, 1 << above)
    while len(found) > 1:
        found = [node_hash(found[i], found[i + 1]) for i in range(0, len(found), 2)]
    return found[0]


def frontier(hashes: Hashes, size: int) -> list[bytes]:
    """The frontier of the tree as it was when it had `size` leaves."""
    return [subtree(hashes, *one) for one in subtrees(0, size)]


def _root(hashes: Hashes, start: int, end: int) -> bytes:
    """MTH(D[start:end]) of RFC 6962 §2.1, for the ranges that its proofs ask for."""
    return fold([subtree(hashes, *one) for one in subtrees(start, end)])


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1


def inclusion(hashes: Hashes, place: int, size: int) -> list[bytes]:
    """The audit path of a leaf (RFC 6962 §2.1.1). Raises ValueError outside the tree."""
    if not 0 <= place < size:
        raise ValueError("there is no such leaf")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if place < middle:
            path.append(_root(hashes, middle, end))
            end = middle
        else:
            path.append(_root(hashes, start, middle))
            start = middle
    return path[::-1]


def consistency(hashes: Hashes, old: int, size: int) -> list[bytes]:
    """The proof that the tree of `size` leaves begins with the one of `old` (RFC 6962 §2.1.2).

    Raises ValueError where there was no such tree.
    """
    if not 0 < old <= size:
        raise ValueError("there was no such tree")
    path: list[bytes] = []
    start, end, whole = 0, size, True
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(_root(hashes, middle, end))
            end = middle
        else:
            path.append(_root(hashes, start, middle))
            start, whole = middle, False
    if not whole:
        path.append(_root(hashes, start, end))
    return path[::-1]
