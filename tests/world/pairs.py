"""Combinations of choices: few that hold every pair of them, or, with `--whole`, all that there are."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, product
from typing import Any

Pair = tuple[int, Any, int, Any]


def pairwise(*choices: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Combinations in which every value of each choice meets every value of each other one.

    Greedy: the next combination is the one that holds most pairs that nobody has held. Choices are told
    apart by their places, so that values need no hash.
    """
    places = [range(len(choice)) for choice in choices]
    every = list(product(*places))
    missing = {pair for combination in every for pair in _pairs(combination)}
    chosen = []
    while missing:
        best = max(every, key=lambda combination: len(_pairs(combination) & missing))
        missing -= _pairs(best)
        chosen.append(tuple(choice[place] for choice, place in zip(choices, best, strict=True)))
    return chosen


def _pairs(combination: Sequence[int]) -> set[Pair]:
    numbered = enumerate(combination)
    return {(a, x, b, y) for (a, x), (b, y) in combinations(numbered, 2)}
