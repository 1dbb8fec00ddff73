"""Columns that Django does not know."""

from __future__ import annotations

from django.db import models


class TransactionId(models.Field):  # type: ignore[type-arg]  # the column is the database's alone
    """PostgreSQL's xid8: the top-level transaction that wrote the entry."""

    def db_type(self, connection: object) -> str:
        return "xid8"
