"""The one writer of CSV: cells that a spreadsheet takes as text, whatever they hold (ASVS 1.2.10).

Whoever opens a file may choose another separator than ours: a spreadsheet keeps the last one chosen,
and a Polish Excel takes semicolons. A cell is then cut where it holds that separator, and what stands
behind the cut begins a cell of its own. So a sign that begins a formula gets an apostrophe before it
wherever a cell could begin, not at our cell's beginning alone.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from typing import Final

#: The mark by which a spreadsheet knows that the file is UTF-8.
MARK: Final = "\ufeff".encode()
CONTENT_TYPE: Final = "text/csv; charset=utf-8"

# Each sign with its wide, small, raised and lowered forms.
_CALLS: Final = "=@\u207c\u208c\u2a75\u2a76\ufe66\ufe6b\uff1d\uff20"
_SIGNS: Final = "+\\-\u207a\u208a\u2212\ufb29\ufe62\ufe63\uff0b\uff0d"
# What one can choose as a separator; a line's end is one that nobody chooses.
_CUTS: Final = ",;|:\n\x85\u2028\u2029"
# What a spreadsheet may drop at a cell's beginning: quotation marks, and what cannot be shown.
_DROPPED: Final = '"\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffd'
_BEGINNING: Final = re.compile(
    rf"(?P<before>(?:^|[{_CUTS}\s])[{_CUTS}{_DROPPED}\s]*+)(?P<sign>[{_CALLS}{_SIGNS}])?(?=(?P<more>\S)?)"
)
_CUT: Final = re.compile(f"[{_CUTS}]")
_SIGN: Final = re.compile(f"[{_SIGNS}]")
_CONTROL: Final = re.compile("[\0-\x09\x0b-\x1f\x7f-\x84\x86-\x9f]")


def harmless(cell: object) -> str:
    """The cell's text, with an apostrophe before each sign that a spreadsheet could begin a formula at.

    A tabulator becomes a space, a line's end of any kind `\\n`, another control character `\\ufffd`.
    """
    text = "" if cell is None else str(cell)
    lines = text.replace("\t", " ").replace("\r\n", "\n").replace("\r", "\n")
    return _BEGINNING.sub(_marked, _CONTROL.sub("\ufffd", lines))


def _marked(found: re.Match[str]) -> str:
    before, sign = found["before"], found["sign"]
    if not sign:
        return before
    # A dash between two words is no formula, though a space may be a separator too.
    inside = found.start() and not _CUT.search(before)
    if inside and _SIGN.match(sign) and not found["more"]:
        return before + sign
    return f"{before}'{sign}"


def csv_row(cells: Iterable[object]) -> bytes:
    """One line of CSV (RFC 4180), each cell in quotation marks."""
    out = StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerow([harmless(cell) for cell in cells])
    return out.getvalue().encode("utf-8", "replace")


def csv_lines(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """A table as CSV, piece by piece: its mark and head, then line by line."""
    yield MARK + csv_row(head)
    yield from map(csv_row, rows)


def csv_of(head: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """A table as CSV, whole."""
    return b"".join(csv_lines(head, rows))
