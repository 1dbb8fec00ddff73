"""Requests for access: asking, deciding, taking back.

The rules are in `gatekeeper/access/sql/requests.sql`; each call returns a reason, empty when it was done.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from audit.database import call, rows
from audit.models import Limit
from gatekeeper.access import typed_reasons
from staff.models import Member

if TYPE_CHECKING:
    from collections.abc import Sequence

    from staff.frame.callers import Caller


@dataclass(frozen=True)
class RequestDraft:
    """What a consultant asks for. Minutes: one of catalogue.MINUTES."""

    account: str
    ticket: str
    purpose: str
    categories: Sequence[str]
    minutes: int
    while_open: bool
    reason: str
    text: str = ""

    @classmethod
    def unusable(cls, account: str, ticket: str) -> RequestDraft:
        """What a form that cannot be used asks for: nothing. The database refuses and records it."""
        return cls(account, ticket, purpose="", categories=(), minutes=0, while_open=False, reason="")


@dataclass(frozen=True)
class RequestResult:
    """The request that now waits; or the reason why there is none."""

    request: int | None
    reason: str | None
    codes: list[str] | None


def ask(caller: Caller, draft: RequestDraft) -> RequestResult:
    """Ask for access. Asking twice for the same returns the request that waits already."""
    return call(
        "gatekeeper.ask",
        caller,
        account=draft.account,
        ticket=draft.ticket,
        purpose=draft.purpose,
        categories=list(draft.categories),
        minutes=draft.minutes,
        while_open=draft.while_open,
        reason=draft.reason,
        text=typed_reasons.encrypted(draft.account, draft.text),
        into=RequestResult,
    )


def approve(
    caller: Caller, request: int, *, categories: Sequence[str], minutes: int, while_open: bool
) -> str:
    """Approve, as asked or less of it. Returns '' or why not; `already_decided` when another was first."""
    return _decide(caller, request, "approve", list(categories), minutes, while_open, "")


def deny(caller: Caller, request: int, *, denial: str) -> str:
    """Reject, with one of catalogue.DENIALS."""
    return _decide(caller, request, "deny", None, None, None, denial)


def withdraw(caller: Caller, request: int) -> str:
    """Take one's own request back."""
    return _decide(caller, request, "withdraw", None, None, None, "")


class _Decided(NamedTuple):
    reason: str | None


def _decide(
    caller: Caller,
    request: int,
    verdict: str,
    categories: list[str] | None,
    minutes: int | None,
    while_open: bool | None,
    denial: str,
) -> str:
    return (
        call(
            "gatekeeper.decide_request",
            caller,
            request=request,
            verdict=verdict,
            categories=categories,
            minutes=minutes,
            while_open=while_open,
            denial=denial,
            into=_Decided,
        ).reason
        or ""
    )


def pending_beside(member: Member) -> dict[tuple[str, str], str]:
    """Account and ticket of what this member asked for that is not open: `pending`, or `approved`."""
    found = rows(_PENDING_BESIDE, {"member": member.pk})
    return {(account, ticket): state for account, ticket, state in found}


_PENDING_BESIDE = """
    SELECT a.reference, k.number, s.state FROM (
        SELECT r.account_id, r.ticket_id, 'pending' FROM gatekeeper_accessrequest r
        WHERE r.member_id = %(member)s AND r.state = 'pending' AND r.expires_at > clock_timestamp()
        UNION ALL
        SELECT g.account_id, g.ticket_id, 'approved' FROM gatekeeper_grant g
        WHERE g.member_id = %(member)s AND g.ended_at IS NULL AND g.open_before > clock_timestamp()
            AND (g.opened_at IS NULL OR g.while_open AND g.window_ends_at <= clock_timestamp())
    ) s (account_id, ticket_id, state)
        JOIN gatekeeper_account a ON a.id = s.account_id JOIN gatekeeper_ticket k ON k.id = s.ticket_id
    ORDER BY s.state DESC  -- of both, what can be opened is told
"""


def limit(name: str) -> int:
    """A limit as SQL has it (`apply_settings` wrote it)."""
    return int(Limit.objects.get(name=name).value)
