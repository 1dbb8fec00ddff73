"""A session's row, its member's and its notes in one statement."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.db.models import Model

from staff.models import Member, Session
from staff.models.members import HELD_BACK, PasswordField


def _columns(alias: str, model: type[Model]) -> str:
    return ", ".join(
        HELD_BACK if isinstance(field, PasswordField) else f'{alias}."{field.column}"'
        for field in model._meta.concrete_fields
    )


# By hand, for it comes before every page: the ORM would ask three times, and compile each anew.
BY_KEY = f"""
    SELECT s.outdated, EXISTS (SELECT FROM staff_recovery x WHERE x.acknowledged_at IS NULL),
        s.data::text, n.data::text, {_columns("s", Session)}, {_columns("m", Member)}
    FROM staff.session_by(%(digest)s::bytea) s LEFT JOIN staff_member m ON m.id = s.member_id
        LEFT JOIN staff_sessionnotes n ON n.session_id = s.id
"""  # noqa: S608  # names of columns, no values
# Beside what another request of the session noted meanwhile.
KEEP_NOTES = """
    INSERT INTO staff_sessionnotes AS kept (session_id, data) VALUES (%s, %s)
    ON CONFLICT (session_id) DO UPDATE SET data = kept.data || excluded.data RETURNING session_id
"""


def built(model: type[Model], values: Iterator[Any]) -> Any:
    """The next object in a row of several tables' columns; None when there was none to join."""
    names = [field.attname for field in model._meta.concrete_fields]
    mine = list(islice(values, len(names)))
    return None if mine[0] is None else model.from_db("default", names, mine)
