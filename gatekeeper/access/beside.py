"""What a consultant asked for beside an access that is open: it waits, was approved, or came to nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final


@dataclass(frozen=True, slots=True)
class Beside:
    """A request beside what is open. `state`: pending, approved (not open), denied or lapsed (expired)."""

    request: int
    state: str
    grant: int | None  # the one to be opened
    ticket: str
    categories: list[str]
    minutes: int
    at: datetime  # asked or decided
    until: datetime  # it expires by itself, or has to be opened, by then
    by: str  # who decided
    denial: str


#: A column for a statement that has the open grant `g` and its account `a`: one list of lists, as JSON.
#: A rejection or an expiry counts while nothing newer was asked for, and only if the access was open before.
COLUMN: Final = """
    SELECT jsonb_agg(jsonb_build_array(r.id, s.state, o.id, t.number, coalesce(o.categories, r.categories),
        coalesce(o.minutes, r.minutes), coalesce(r.decided_at, r.requested_at),
        coalesce(o.open_before, r.expires_at), coalesce(d.name, ''), r.denial) ORDER BY r.id)
    FROM gatekeeper_accessrequest r
        JOIN gatekeeper_ticket t ON t.id = r.ticket_id
        LEFT JOIN gatekeeper_grant o ON o.request_id = r.id AND o.ended_at IS NULL
            AND (o.window_ends_at > clock_timestamp()) IS NOT TRUE
            AND o.open_before > clock_timestamp() AND (o.opened_at IS NULL OR o.while_open)
        LEFT JOIN staff_member d ON d.id = r.decided_by_id
        CROSS JOIN LATERAL (
            SELECT CASE WHEN o.id IS NOT NULL THEN 'approved'
                WHEN r.state = 'pending' AND r.expires_at > clock_timestamp() THEN 'pending'
                WHEN r.id < g.request_id OR r.state IN ('approved', 'withdrawn') THEN NULL
                WHEN EXISTS (SELECT FROM gatekeeper_accessrequest n
                    WHERE n.member_id = r.member_id AND n.account_id = r.account_id
                        AND n.ticket_id = r.ticket_id AND n.id > r.id) THEN NULL
                WHEN r.state = 'denied' THEN 'denied' ELSE 'lapsed' END
        ) s (state)
    WHERE r.member_id = g.member_id AND r.account_id = a.id AND s.state IS NOT NULL
"""


def read(column: str | None) -> list[Beside]:
    """The column's value as the database gave it; nothing beside is NULL."""
    return [_one(*values) for values in json.loads(column or "[]")]


def _one(  # the columns, in their order
    request: int,
    state: str,
    grant: int | None,
    ticket: str,
    categories: list[str],
    minutes: int,
    at: str,
    until: str,
    by: str,
    denial: str,
) -> Beside:
    times = datetime.fromisoformat(at), datetime.fromisoformat(until)
    return Beside(request, state, grant, ticket, categories, minutes, *times, by, denial)
