"""What the demo says on the terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NoReturn

AFRESH = "To start afresh, without the demo's data: make demo-reset"


def say(text: str = "") -> None:
    """Print a line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def fail(text: str) -> NoReturn:
    """Print what is wrong, and end the process. Raises SystemExit."""
    sys.stderr.write(text + "\n")
    raise SystemExit(1)


def damage(path: Path, what: str) -> str:
    """Return the sentence that says what is damaged, how, and the next step."""
    return f"{path} is damaged: {what}. {AFRESH}"


def columns(rows: Iterable[Sequence[str]]) -> list[str]:
    """Return rows as aligned lines."""
    table = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(*table, strict=True)]
    return [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]
