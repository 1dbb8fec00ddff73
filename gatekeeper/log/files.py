"""Entries as a file, streamed: CSV that no spreadsheet takes for formulas, and JSON lines."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from audit import detections
from audit.models import Entry
from staff.frame.csv_file import CONTENT_TYPE, csv_lines

FORMS: Final[dict[str, str]] = {"csv": CONTENT_TYPE, "jsonl": "application/jsonl"}
#: Every column but the seal's own and auditlog's that are never filled.
COLUMNS: Final = tuple(
    field.attname
    for field in Entry._meta.concrete_fields
    if field.attname not in {"salts", "xid", "serialized_data", "changes_text", "content_type_id", "actor_id"}
)
ODD: Final = "odd"
_AT_ONCE: Final = 500


class StoppedError(Exception):
    """Whoever takes the file out may not do so any more: it breaks off, so that nobody takes it for whole."""


def lines(form: str, numbers: Sequence[int], *, may_go_on: Callable[[], bool]) -> Iterator[bytes]:
    """The file of the entries with these numbers, in their order. Asked before each part but the first, it
    raises StoppedError where it may not go on."""
    starts = range(0, len(numbers), _AT_ONCE)
    parts = (_part(numbers[start : start + _AT_ONCE], start == 0 or may_go_on()) for start in starts)
    rows = (row for part in parts for row in part)
    if form == "csv":
        head = (*COLUMNS, ODD)
        return csv_lines(head, ([_flat(row[name]) for name in head] for row in rows))
    return map(_object, rows)


def _part(numbers: Sequence[int], may: bool) -> Iterator[dict[str, Any]]:
    if not may:
        raise StoppedError
    return _rows(numbers)


def _rows(numbers: Sequence[int]) -> Iterator[dict[str, Any]]:
    found = {row["id"]: row for row in Entry.objects.filter(pk__in=numbers).order_by().values(*COLUMNS)}
    why = detections.words(found)
    # What a retention took in the meantime is not there any more.
    return (found[one] | {ODD: why.get(one, [])} for one in numbers if one in found)


def _flat(value: object) -> object:
    """A list by semicolons, an object as JSON, a time in UTC: one cell each."""
    if isinstance(value, (list, tuple)):
        return "; ".join(map(str, value))
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    return _time(value)


def _time(value: object) -> object:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value


def _object(row: dict[str, Any]) -> bytes:
    facts = {name: _time(value) for name, value in row.items() if value not in (None, "", [], {})}
    return (json.dumps(facts, ensure_ascii=False, default=str) + "\n").encode()
