"""A small world, fact by fact, for the tests; and a company's year at work, by seed, for the rules.

The small world is `facts`. The year is `company` (who works when), `work` (what they do and what the log has
of it), `misuse` (what some of them do beside it), `store` (the way into the database) and `year`, which plays
it; `python -m tests.world.rates --seed N` lets the rules judge one and prints what they make of it.
"""

from __future__ import annotations

from tests.world.facts import LONG_AGO, SOON, VALUES, Person, World, now

__all__ = ["LONG_AGO", "SOON", "VALUES", "Person", "World", "now"]
