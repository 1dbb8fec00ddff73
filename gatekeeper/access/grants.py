"""Grants: opening one's window, ending it, and the list of what a member holds open."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import Error as DatabaseError
from django.utils import timezone

from audit.database import call, rows
from gatekeeper.access import daily
from gatekeeper.access.beside import COLUMN, Beside, read
from gatekeeper.gate import answers
from staff.models import Member

if TYPE_CHECKING:
    from datetime import datetime

    from gatekeeper.access.daily import Day
    from staff.frame.callers import Caller


logger = logging.getLogger(__name__)


class _Opened(NamedTuple):
    reason: str | None
    codes: list[str] | None


def open_window(caller: Caller, *, grant: int, account: str) -> answers.Refusal | None:
    """Start the clock of a grant; None when the window is open."""
    reason, codes = call("gatekeeper.open_grant", caller, grant=grant, account=account, into=_Opened)
    return answers.Refusal(reason, answers.rows(codes)) if reason else None


def end(caller: Caller, grant: int) -> str:
    """End a grant: one's own, or as manager, reviewer or people officer anybody's."""
    return str(call("gatekeeper.end_grant", caller, grant=grant) or "")


@dataclass(frozen=True, slots=True)
class OpenGrant:
    """A grant with what lists and the account's page say of it: nothing of it is personal."""

    id: int
    request: int
    categories: list[str]
    ends_at: datetime
    views: int
    participants_shown: int
    approver: str
    ticket: str
    nda_version: int | None  # of the signature that is in force
    nda_ends: datetime | None
    reference: str
    plan: str
    language: str
    created_at: datetime | None
    filled: list[str]
    participants: int
    support_since: datetime | None
    support_until: datetime | None
    participants_since: datetime | None
    participants_until: datetime | None
    blocked: dict[str, str]  # categories that stay blocked though the grant is open, each with its reason
    beside: list[Beside]  # what was asked for beside it; of the account that was named alone
    today: Day  # what is left of the member's day; of the account that was named alone


_OPEN_GRANTS = f"""
    SELECT g.id, g.request_id, g.categories, g.window_ends_at,
        g.views, g.participants_shown, m.name, k.number, n.version_id, staff.signature_ends(n.id),
        a.reference, a.plan, a.language, a.created_at, a.filled, a.participants,
        a.support_since, a.support_until, a.participants_since, a.participants_until,
        d.blocked, CASE WHEN a.reference = %(account)s THEN ({COLUMN}) END,
        CASE WHEN a.reference = %(account)s THEN ({daily.COLUMN}) END
    FROM gatekeeper_grant g JOIN gatekeeper_account a ON a.id = g.account_id
        JOIN gatekeeper_ticket k ON k.id = g.ticket_id
        JOIN staff_member m ON m.id = g.approver_id
        LEFT JOIN LATERAL (
            SELECT x.codes, x.reason, x.blocked, x.signature
            FROM gatekeeper.gate(%(digest)s::bytea, a.reference, NULL, g.id, NULL) x
            WHERE g.id IS DISTINCT FROM %(shown)s::bigint
            OFFSET 0  -- or the gate would be asked, and its answer dropped
        ) d ON true
        LEFT JOIN staff_signature n ON n.id = coalesce(d.signature, %(signature)s::bigint)
    WHERE g.member_id = %(member)s AND g.ended_at IS NULL AND g.window_ends_at > clock_timestamp()
        AND (g.id = %(shown)s::bigint OR d.codes IS NOT NULL AND d.reason IS NULL)
    ORDER BY g.window_ends_at
"""  # noqa: S608 - the columns are constants of ours


def open_grants(
    caller: Caller, member: Member, *, account: str = "", shown: answers.Decision | None = None
) -> list[OpenGrant]:
    """The member's grants that are open now, soonest end first. The gate answers for each, and
    guardian's row is a part of its question; what it answered a moment ago is `shown`, of that grant.
    Of the `account` that is named, what was asked for beside it is told as well, and what is left of the day.

    One statement, and in SQL by hand: every page asks it. When the gate cannot be asked it has said no.
    """
    values = {
        "digest": caller.digest,
        "shown": shown and shown.grant_id,
        "signature": shown and shown.signature,
        "member": member.pk,
        "account": account,
        "today": timezone.localdate(),
    }
    try:
        found = rows(_OPEN_GRANTS, values)
    except DatabaseError as error:
        logger.error("the gate could not be evaluated: %s", type(error).__name__)  # noqa: TRY400
        return []
    return [_open_grant(row, shown) for row in found]


def _open_grant(row: tuple[Any, ...], shown: answers.Decision | None) -> OpenGrant:
    """A line of the statement. Of what is shown the gate was not asked again."""
    *facts, blocked, beside, today = row
    known = shown is not None and shown.grant_id == row[0]
    facts += [
        shown.blocked if shown and known else answers.by_category(blocked),
        read(beside),
        daily.read(today),
    ]
    return OpenGrant(*facts)
