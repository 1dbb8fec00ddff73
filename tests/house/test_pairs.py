"""Pairs of choices: each is held, and by far fewer combinations than there are."""

from __future__ import annotations

from itertools import combinations, product

from tests.world.pairs import pairwise

CHOICES = (range(9), "abcd", (True, False), (True, False), [[1], [2], [3]])


def test_every_pair_is_held_and_few_combinations_hold_them() -> None:
    found = pairwise(*CHOICES)
    for one, other in combinations(range(len(CHOICES)), 2):
        wanted = {(repr(a), repr(b)) for a, b in product(CHOICES[one], CHOICES[other])}
        assert {(repr(row[one]), repr(row[other])) for row in found} == wanted
    assert len(found) < len(list(product(*CHOICES))) / 8
