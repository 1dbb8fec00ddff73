"""What the helpdesk says, applied: by import and by webhook (DESIGN §3).

Fail closed: a message about a known ticket that cannot be used shuts that ticket.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.db import connection, transaction
from django.db.utils import OperationalError
from psycopg.errors import DeadlockDetected

from gatekeeper.exports import TicketLine, tickets_named, told_at

ROUNDS: Final = 5


def apply(lines: Sequence[TicketLine], source: str) -> dict[str, str]:
    """Apply tickets with different numbers; return the outcome of each: new, changed, same, older,
    or ahead, which is unusable: such a ticket is shut. Raises django.db.Error."""
    told = json.dumps([line.told() for line in lines])
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT number, outcome FROM vault.apply_tickets(%s::jsonb, %s::text)", [told, source])
        outcomes = dict(cursor.fetchall())
        for number, outcome in outcomes.items():
            if outcome == "ahead":
                _shut(number, None, source)
    return outcomes


def apply_patiently(lines: Sequence[TicketLine], source: str) -> dict[str, str]:
    """Apply a batch outside any transaction. A batch ends grants of many members, in no order that
    all others keep: PostgreSQL may pick it as the victim of a deadlock, and it begins again."""
    for _ in range(ROUNDS):
        try:
            return apply(lines, source)
        except OperationalError as error:
            if not isinstance(error.__cause__, DeadlockDetected):
                raise
    return apply(lines, source)


def shut_named(raw: bytes, sent_at: datetime | None, source: str) -> list[str]:
    """Shut the known tickets that an unusable message names, as far as it can be read; return them.

    `sent_at` stands in for the message's own time where that cannot be read.
    """
    at = told_at(raw) or sent_at
    return [number for number in tickets_named(raw) if _shut(number, at, source) != "unknown"]


def heard() -> None:
    """The helpdesk was heard, authentically, just now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT vault.heard()")


def _shut(number: str, at: datetime | None, source: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT vault.shut_ticket(%s::text, %s::timestamptz, %s::text)", [number, at, source])
        return str(cursor.fetchone()[0])
