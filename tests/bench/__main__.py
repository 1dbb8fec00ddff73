"""`python -m tests.bench`: measures, prints tests/README.md's table; exit status 1 on a missed target."""

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
    from gatekeeper.demo.postgres import Server
    from tests.bench.measuring import Row
    from tests.world import Person, World

CLIENTS = 8
WARM = 400  # reveals of each client before anything is measured
ROUNDS = 9


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--report-only", action="store_true", help="exit with 0 whatever was measured")
    parser.add_argument("--quick", action="store_true", help="a fifth of the work, for trying it out")
    alone = parser.add_mutually_exclusive_group()
    for name, run, words in (
        ("--gate", measure_gate, "the gate's rows alone, in some ten minutes"),
        ("--seal", measure_seal, "the seal's three rows alone, in under a minute"),
        ("--import", measure_import, "the import's row alone, in a minute or two"),
        ("--log", measure_log, "the log's rows alone, at ten million entries"),
    ):
        alone.add_argument(name, dest="run", action="store_const", const=run, help=words)
    parser.set_defaults(run=measure)
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
    """The fragment that tests/README.md quotes, markers and all."""
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


def measure_gate(*, quick: bool) -> tuple[list[Row], str]:
    """The rows of reveals, decisions, pages, lists, closings and a flood."""
    with ground() as server, connect() as setup:
        worlds = importlib.import_module("tests.world")
        world: World = worlds.World(setup)
        return _gate_rows(server, world, begin(world), quick=quick), machine(setup)


def measure_import(*, quick: bool) -> tuple[list[Row], str]:
    """The import's row alone."""
    with ground():
        importing = importlib.import_module("tests.bench.importing")
        row = _told(importing.import_row, accounts=20_000 if quick else 100_000)
        with connect() as setup:
            return [row], machine(setup)


def measure(*, quick: bool) -> tuple[list[Row], str]:
    """Make the ground, measure row after row, and say what on. Progress goes to standard error."""
    rounds, seconds = _effort(quick=quick)
    with ground() as server:
        explorer, importing, sealing, worlds = (
            importlib.import_module(name)  # they need settings, which need the database
            for name in (
                "tests.bench.explorer",
                "tests.bench.importing",
                "tests.bench.sealing",
                "tests.world",
            )
        )
        imported = _told(importing.import_row, accounts=20_000 if quick else 100_000)
        with connect() as setup:
            world: World = worlds.World(setup)
            of_the_gate = _gate_rows(server, world, begin(world), quick=quick)
            where = machine(setup)
            log = [
                *map(_said, sealing.sealing_rows(entries=30_000 if quick else 300_000)),
                _told(sealing.writing_row, rounds=rounds, seconds=seconds),
                # Last: it leaves a log of ten million entries behind.
                *map(_said, explorer.explorer_rows(world, quick=quick)),
            ]
    return [*of_the_gate, imported, *log], where


def _effort(*, quick: bool) -> tuple[int, float]:
    """Rounds of each row, and seconds of each gang in a round."""
    return (3, 1.0) if quick else (ROUNDS, 4.0)


def _gate_rows(server: Server, world: World, boss: Person, *, quick: bool) -> list[Row]:
    rounds, seconds = _effort(quick=quick)
    closing, constant, flood, past, rows, web = (
        importlib.import_module(f"tests.bench.{name}")
        for name in ("closing", "constant", "flood", "past", "rows", "web")
    )
    desks = [desk(world, boss, 90_000 + number) for number in range(CLIENTS)]
    few = past.colleague(world, boss, past=100, first=200_000)
    many = past.colleague(world, boss, past=10_000, first=300_000)
    constant.install(world.setup, desks)
    # A log in use: of an empty one the planner would keep plans that read all of it.
    for one in desks:
        for _ in range(WARM):
            rows.reveal(one)
    world.setup.execute("VACUUM ANALYZE")
    vault = [
        *map(_said, rows.reveal_rows(desks[0], rounds=rounds)),
        *map(_said, rows.throughput_rows(desks, rounds=rounds, seconds=seconds)),
    ]
    asked = [
        _told(rows.decision_row, desks[0], rounds=rounds),
        _told(rows.lists_row, few, many, rounds=rounds),
        _told(closing.closing_row, world, boss, closings=20 if quick else 100),
    ]
    # Then: signing in by the pages takes factors, and the desks' own sessions need a fresh one.
    pages = [*map(_said, web.page_rows(server, world, desks, rounds=rounds, seconds=seconds))]
    flooded = _told(flood.flood_row, world, desks[0], rounds=rounds)
    return [*vault, *pages, *asked, flooded]


def _told(measured: Callable[..., Row], *given: Any, **more: Any) -> Row:
    return _said(measured(*given, **more))


def _said(row: Row) -> Row:
    sys.stderr.write(f"{row.what}: {row.measured} ({row.target}); {row.note}\n")
    return row


def main() -> int:
    wanted = options()
    rows, where = wanted.run(quick=wanted.quick)
    sys.stdout.write(table(rows, where))
    return 0 if wanted.report_only or all(row.met for row in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
