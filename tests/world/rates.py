"""`python -m tests.world.rates --seed N`: a year of 200 consultants, and what the rules make of it.

Prints, of all accesses, the share in which each rule found something; how many reviews that is for each
reviewer and week; how many of the planted misuses were caught, by kind; how often each note stands on a
manager's card; and how many accounts, and accounts with fields, consultants see in a day. The exit status is
1 where a rule finds more than it should, or misuse was missed.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from typing import TYPE_CHECKING

from tests.bench.ground import connect, ground

if TYPE_CHECKING:
    from tests.world.measures import Measures


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.world.rates", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="which year")
    parser.add_argument("--consultants", type=int, default=200)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--each", type=int, default=4, help="how often each kind of misuse is planted")
    return parser.parse_args()


def table(found: Measures) -> str:
    """What was measured, in words."""
    lines = [f"{found.accesses} accesses in {found.weeks:.0f} weeks, {found.reviewers} reviewers", ""]
    lines += [f"  {name:<16} {share:7.2%} of accesses" for name, share in sorted(found.rules.items())]
    lines += [
        "",
        f"Reviews for each reviewer and week: {found.queued:.1f} on average, {found.queued_most:.1f} at most",
        "",
        *(f"  {name:<18} {caught} of {planted} caught{_by(by)}"
          for name, (caught, planted, by) in sorted(found.kinds.items())),
        "",
        *(f"  note {name:<14} {share:7.2%} of requests" for name, share in sorted(found.notes.items())),
        "",
        *(f"  {name} a consultant’s day: p50 {p50}, p99 {p99}, p99.9 {p999}, most {most}"
          for name, (p50, p99, p999, most) in found.days.items()),
    ]  # fmt: skip
    return "\n".join(lines)


def _by(rules: list[str]) -> str:
    return f" ({', '.join(rules)})" if rules else ""


def say(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


def main() -> int:
    wanted, began = options(), time.monotonic()
    size = {"consultants": wanted.consultants, "days": wanted.days, "each": wanted.each}
    with ground(), connect() as setup:
        year, measures = (importlib.import_module(f"tests.world.{name}") for name in ("year", "measures"))
        played = year.play(setup, wanted.seed, **size)
        say(f"Seed {wanted.seed}: played in {time.monotonic() - began:.0f} s")
        found = measures.measure(setup, played)
    say(table(found))
    say(f"\nMeasured in {time.monotonic() - began:.0f} s.")
    return int(not found.holds)


if __name__ == "__main__":
    sys.exit(main())
