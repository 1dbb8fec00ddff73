"""Calling a function of the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connections


def row(sql: str, values: Sequence[Any], *, using: str = "default") -> tuple[Any, ...]:
    """The one row that the statement gives. Raises LookupError where it gives none."""
    with connections[using].cursor() as cursor:
        cursor.execute(sql, list(values))
        found = cursor.fetchone()
    if found is None:
        raise LookupError("the statement gave no row")
    return tuple(found)


def rows(sql: str, values: Sequence[Any] | Mapping[str, Any]) -> list[Any]:
    """All rows that the statement gives, as tuples, over the pages' connection."""
    with connections["default"].cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())
