"""The order of a run, in which what is fast comes first, and what a quick run takes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Marks of what is slow, from the fastest to the slowest (pyproject.toml says what each is).
SLOW: Final = ("slow", "pdf", "doors", "kill", "browser", "shipped")


def rank(item: pytest.Item) -> int:
    """Return how late a test comes: 0 without a database, 1 with one, then by the slowest of its marks."""
    marked = [place for place, mark in enumerate(SLOW, 2) if item.get_closest_marker(mark)]
    return max(marked, default=int(_has_database(item)))


def is_quick(item: pytest.Item) -> bool:
    """Return whether a quick run takes a test: one without a database, or one that is marked so.

    Raises UsageError for one that is marked so and slow as well."""
    late, marked = rank(item), item.get_closest_marker("quick") is not None
    if marked and late > 1:
        raise pytest.UsageError(f"{item.nodeid} is marked quick, and {SLOW[late - 2]}")
    return marked or late == 0


def _has_database(item: pytest.Item) -> bool:
    wanted = getattr(item, "fixturenames", ())
    return item.get_closest_marker("django_db") is not None or "django_db_setup" in wanted


def dealt(items: Iterable[pytest.Item], workers: int) -> list[pytest.Item]:
    """Return the tests in the order in which to run them, for so many workers.

    A worker begins with its part of the whole, which is cut into as many equal parts: each part has
    its share of every rank, the fast ones first. Within a rank tests stay as they were collected.
    """
    ranks: dict[int, list[pytest.Item]] = {}
    for item in items:
        ranks.setdefault(rank(item), []).append(item)
    return [
        item
        for worker in range(workers)
        for _, ranked in sorted(ranks.items())
        for item in ranked[len(ranked) * worker // workers : len(ranked) * (worker + 1) // workers]
    ]
