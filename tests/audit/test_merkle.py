"""The tree against the definitions of RFC 6962, against another's code, and against Go's."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import metamorphic_log
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.seal import merkle
from audit.verify_bundle import ProofError, check_consistency, leaf_hash, root_from_inclusion

if TYPE_CHECKING:
    from collections.abc import Sequence

#: The reference values of the RFC's own test trees (eight leaves, as every implementation has them).
INPUTS = [bytes.fromhex(text) for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657")]
INPUTS.append(bytes.fromhex("606162636465666768696a6b6c6d6e6f"))
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


class InMemory:
    """A tree's hashes, kept as the database keeps them."""

    def __init__(self, size: int) -> None:
        self.kept: dict[tuple[int, int], bytes] = {}
        self.tree = merkle.Tree(keep=lambda one: self.kept.__setitem__(one[:2], one[2]))
        for number in range(size):
            self.kept[0, number] = leaf_hash(b"%d" % number)
            self.tree.append(self.kept[0, number])

    def span(self, level: int, first: int, count: int) -> list[bytes]:
        return [self.kept[level, place] for place in range(first, first + count)]


TREE = InMemory(70_000)  # so that nodes of both kept levels are used


def root(leaves: Sequence[bytes]) -> bytes:
    """MTH, word for word as RFC 6962 §2.1 has it."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + root(leaves[:split]) + root(leaves[split:])).digest()


def root_of(size: int) -> bytes:
    return merkle.fold(merkle.frontier(TREE, size))


def test_the_reference_trees() -> None:
    tree = merkle.Tree()
    assert tree.root() == merkle.EMPTY
    for data, expected in zip(INPUTS, ROOTS, strict=True):
        tree.append(leaf_hash(data))
        assert tree.root().hex() == expected


@given(st.integers(0, 700))
def test_the_root_is_the_definitions(size: int) -> None:
    assert root_of(size) == root(TREE.span(0, 0, size))


def test_the_frontier_of_a_large_tree_is_what_grew() -> None:
    assert root_of(70_000) == TREE.tree.root()


@settings(max_examples=60)
@given(st.data())
def test_inclusion_holds_here_and_elsewhere(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 70_000))
    place = data.draw(st.integers(0, size - 1))
    proof, leaf, top = merkle.inclusion(TREE, place, size), TREE.kept[0, place], root_of(size)
    assert root_from_inclusion(place, size, leaf, proof) == top
    metamorphic_log.verify_inclusion(place, size, leaf, proof, top)


@settings(max_examples=60)
@given(st.data())
def test_consistency_holds_here_and_elsewhere(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 70_000))
    old = data.draw(st.integers(1, size))
    proof = merkle.consistency(TREE, old, size)
    check_consistency(old, root_of(old), size, root_of(size), proof)
    metamorphic_log.verify_consistency(old, size, proof, root_of(old), root_of(size))


@settings(max_examples=60)
@given(st.data())
def test_a_proof_that_is_touched_does_not_hold(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 3000))
    old = data.draw(st.integers(1, size - 1))
    included = merkle.inclusion(TREE, old, size)
    at = data.draw(st.integers(0, len(included) - 1))
    for touched in (included[:-1], [*included, bytes(32)], [*included[:at], bytes(32), *included[at + 1 :]]):
        try:
            assert root_from_inclusion(old, size, TREE.kept[0, old], touched) != root_of(size)
        except ProofError:
            continue
    consistent = merkle.consistency(TREE, old, size)
    for touched in (consistent[:-1], [*consistent, bytes(32)], [bytes(32), *consistent[1:]]):
        with pytest.raises(ProofError):
            check_consistency(old, root_of(old), size, root_of(size), touched)


def test_what_lies_outside_has_no_proof() -> None:
    for place, size in ((0, 0), (5, 5), (-1, 5)):
        with pytest.raises(ValueError, match="no such leaf"):
            merkle.inclusion(TREE, place, size)
    with pytest.raises(ValueError, match="no such tree"):
        merkle.consistency(TREE, 0, 5)
    with pytest.raises(ValueError, match="frontier"):
        merkle.Tree(5, [bytes(32)])
