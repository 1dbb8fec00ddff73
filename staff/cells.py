"""Cells of a CSV file that a spreadsheet takes as text, whatever they hold (ASVS 1.2.10)."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from io import StringIO
from typing import Final

#: How a formula begins, in any spreadsheet; also behind white space, which some of them drop.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def harmless(cell: object) -> str:
    """The cell's text; behind an apostrophe when a spreadsheet could run it."""
    text = "" if cell is None else str(cell)
    dangerous = text.startswith(_FORMULA) or text.lstrip().startswith(_FORMULA)
    return f"'{text}" if dangerous else text


def csv_of(head: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """A table as CSV (RFC 4180), UTF-8 with its mark, so that a spreadsheet shows Polish letters."""
    out = StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    for one in (head, *rows):
        writer.writerow([harmless(cell) for cell in one])
    return out.getvalue().encode("utf-8-sig")
