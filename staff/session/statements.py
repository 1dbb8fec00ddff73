"""A session's row, its member's and its notes in one statement."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.db.models import Model

from audit.database import rows
from staff.models import Member, Session
from staff.models.members import HELD_BACK, PasswordField


def _columns(alias: str, model: type[Model]) -> str:
    return ", ".join(
        HELD_BACK if isinstance(field, PasswordField) else f'{alias}."{field.column}"'
        for field in model._meta.concrete_fields
    )


# By hand, because it comes before every page: the ORM would ask three times, and compile each again.
_BY_KEY = f"""
    SELECT s.outdated, EXISTS (SELECT FROM staff_recovery x WHERE x.acknowledged_at IS NULL),
        s.data::text, n.data::text, {_columns("s", Session)}, {_columns("m", Member)}
    FROM staff.session_by(%(digest)s::bytea) s LEFT JOIN staff_member m ON m.id = s.member_id
        LEFT JOIN staff_sessionnotes n ON n.session_id = s.id
"""  # noqa: S608  # names of columns, no values
# Beside what another request of the session noted meanwhile.
_KEEP_NOTES = """
    INSERT INTO staff_sessionnotes AS kept (session_id, data) VALUES (%s, %s)
    ON CONFLICT (session_id) DO UPDATE SET data = kept.data || excluded.data RETURNING session_id
"""


def _built(model: type[Model], values: Iterator[Any]) -> Any:
    """The next object in a row of several tables' columns; None when there was none to join."""
    names = [field.attname for field in model._meta.concrete_fields]
    mine = list(islice(values, len(names)))
    return None if mine[0] is None else model.from_db("default", names, mine)


@dataclass(frozen=True)
class Found:
    """The session of a key: its row with the member, and what is beside it."""

    row: Session
    outdated: bool  # the key is the one before the session's own
    recovered: bool  # officers were brought back of which no reviewer has said that they know
    remembered: dict[str, Any]  # by signing in
    notes: dict[str, Any]  # of pages


def find(digest: bytes) -> Found | None:
    """Return the session of a key's digest, ended or not; None where no session has such a key."""
    found = rows(_BY_KEY, {"digest": digest})
    if not found:
        return None
    outdated, recovered, remembered, noted = found[0][:4]
    values = iter(found[0][4:])
    row: Session = _built(Session, values)
    row.member = _built(Member, values)
    return Found(row, outdated, recovered, json.loads(remembered), json.loads(noted or "{}"))


def keep_notes(session: int, noted: dict[str, Any]) -> None:
    """Store what pages noted, beside what other requests of the session did."""
    rows(_KEEP_NOTES, [session, noted])
