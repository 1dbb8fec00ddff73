"""`python -m tests.bench`: measures, prints the table for README; exit status 1 when a target is missed."""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.bench.ground import begin, connect, desk, ground

if TYPE_CHECKING:
    from tests.bench.measuring import Row
    from tests.world import World

CLIENTS = 8
ROUNDS = 9


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--report-only", action="store_true", help="exit with 0 whatever was measured")
    parser.add_argument("--quick", action="store_true", help="a fifth of the work, for trying it out")
    parser.add_argument("--seal", action="store_true", help="the seal's three rows alone, in under a minute")
    parser.add_argument("--log", action="store_true", help="the log's rows alone, at ten million entries")
    return parser.parse_args()


def machine(setup: Any) -> str:
    """What it was measured on: a figure means nothing without."""
    [(version,)] = setup.execute("SHOW server_version").fetchall()
    info = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next((line.partition(":")[2].strip() for line in info if line.startswith("model name")), "?")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{model}, {os.cpu_count()} cores, {memory:.0f} GB; PostgreSQL {version.split()[0]}, durable"
        f" (fsync on); Python {platform.python_version()}"
    )


def table(rows: list[Row], where: str) -> str:
    """The fragment that README quotes, markers and all."""
    lines = [
        "<!-- bench -->",
        f"Measured on {where}. Ratios are medians over rounds that take turns, with the quartiles.",
        "",
        "| what | target | measured | met | |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {row.what} | {row.target} | {row.measured} | {'yes' if row.met else '**no**'} | {row.note} |"
        for row in rows
    ]
    return "\n".join([*lines, "<!-- /bench -->", ""])


def measure_seal(*, quick: bool) -> tuple[list[Row], str]:
    """The rows of sealing, verifying and an entry's bytes, on an empty ground."""
    with ground(), connect() as setup:
        sealing = importlib.import_module("tests.bench.sealing")  # it needs settings
        rows = sealing.sealing_rows(entries=30_000 if quick else 300_000)
        return [_said(row) for row in rows], machine(setup)


def measure_log(*, quick: bool) -> tuple[list[Row], str]:
    """The rows of a long log, in some ten minutes, most of which fill it."""
    with ground(), connect() as setup:
        explorer, worlds = (importlib.import_module(name) for name in ("tests.bench.explorer", "tests.world"))
        world: World = worlds.World(setup)
        begin(world)
        return [_said(row) for row in explorer.explorer_rows(world, quick=quick)], machine(setup)


def measure(*, quick: bool) -> tuple[list[Row], str]:
    """Make the ground, measure row after row, and say what on. Progress goes to standard error."""
    rounds, seconds = (3, 1.0) if quick else (ROUNDS, 4.0)
    with ground() as server:
        explorer, importing, past, rows, sealing, web, worlds = (
            importlib.import_module(name)  # they need settings, which need the database
            for name in (
                "tests.bench.explorer",
                "tests.bench.importing",
                "tests.bench.past",
                "tests.bench.rows",
                "tests.bench.sealing",
                "tests.bench.web",
                "tests.world",
            )
        )
        imported = _told(importing.import_row, accounts=20_000 if quick else 100_000)
        with connect() as setup:
            world: World = worlds.World(setup)
            boss = begin(world)
            desks = [desk(world, boss, 90_000 + number) for number in range(CLIENTS)]
            few = past.colleague(world, boss, past=100, first=200_000)
            many = past.colleague(world, boss, past=10_000, first=300_000)
            setup.execute("VACUUM ANALYZE")
            where = machine(setup)
            vault = [
                _told(rows.reveal_row, desks[0], rounds=rounds),
                _told(rows.throughput_row, desks, rounds=rounds, seconds=seconds),
            ]
            asked = [
                _told(rows.decision_row, desks[0], rounds=rounds),
                _told(rows.lists_row, few, many, rounds=rounds),
            ]
            # Then: signing in by the pages takes factors, and the desks' own sessions need a fresh one.
            page = _told(web.page_row, server, world, desks, rounds=rounds, seconds=seconds)
            log = [
                *map(_said, sealing.sealing_rows(entries=30_000 if quick else 300_000)),
                _told(sealing.writing_row, rounds=rounds, seconds=seconds),
                # Last: it leaves a log of ten million entries behind.
                *map(_said, explorer.explorer_rows(world, quick=quick)),
            ]
    return [*vault, page, *asked, imported, *log], where


def _told(measured: Callable[..., Row], *given: Any, **more: Any) -> Row:
    return _said(measured(*given, **more))


def _said(row: Row) -> Row:
    sys.stderr.write(f"{row.what}: {row.measured} ({row.target}); {row.note}\n")
    return row


def main() -> int:
    wanted = options()
    run = measure_seal if wanted.seal else measure_log if wanted.log else measure
    rows, where = run(quick=wanted.quick)
    sys.stdout.write(table(rows, where))
    return 0 if wanted.report_only or all(row.met for row in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
