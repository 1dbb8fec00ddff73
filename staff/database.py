"""Calling a function of the schema `vault`: one row comes back."""

from __future__ import annotations

from collections.abc import Sequence
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
