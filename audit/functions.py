"""Calling one of the database's functions: the one place where values go into SQL by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from django.db import connections
from psycopg.types.json import Jsonb


def call(sql: str, values: Sequence[object], *, using: str = "default") -> tuple[Any, ...]:
    """Run one statement that returns one row, in autocommit unless the caller began a transaction.

    Mappings go as jsonb, lists as arrays. Raises django.db.Error.
    """
    given: Any = [Jsonb(value) if isinstance(value, dict) else value for value in values]
    with connections[using].cursor() as cursor:
        cursor.execute(sql, given)
        return cast("tuple[Any, ...]", cursor.fetchone())


def rows(sql: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Run one statement with named values that returns any number of rows. Raises django.db.Error."""
    with connections["default"].cursor() as cursor:
        cursor.execute(sql, values)
        return cast("list[tuple[Any, ...]]", cursor.fetchall())
