"""Asking, deciding, opening, ending: the calls, and the lists of what waits and what is open.

The rules are in `gatekeeper/access/sql/requests.sql`; each call returns a reason, empty when it was done.
"""

from __future__ import annotations

import logging
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import Error as DatabaseError
from django.db import connections
from django.db.models import QuerySet
from django.utils import timezone

from audit.functions import call, rows
from gatekeeper.access import daily
from gatekeeper.access.beside import COLUMN, Beside, read
from gatekeeper.frame import numbers
from gatekeeper.gate import decision, vault
from gatekeeper.gate.cipher import AccountCipher
from gatekeeper.models import AccessRequest, Limit
from staff.models import Member

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from gatekeeper.access.daily import Day
    from staff.frame.callers import Caller

logger = logging.getLogger(__name__)

REASON_FIELD = "request.reason"  # under which a typed reason is encrypted

_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")


@dataclass(frozen=True)
class Wish:
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
    def unusable(cls, account: str, ticket: str) -> Wish:
        """What a form that cannot be used asks for: nothing. The database refuses and records it."""
        return cls(account, ticket, purpose="", categories=(), minutes=0, while_open=False, reason="")


@dataclass(frozen=True)
class Asked:
    """The request that now waits; or the reason why there is none."""

    request: int | None
    reason: str | None
    codes: list[str] | None


def personal_in(text: str) -> str:
    """What kind of personal data a typed reason seems to hold: `email`, `iban`, `card`, `telephone`
    or nothing (''). Better one refusal too many: the reason is read by others."""
    # A sign of double width, as keyboards of East Asia type it, is the same sign.
    if _EMAIL.search(unicodedata.normalize("NFKC", text)):
        return "email"
    if numbers.bank_account_in(text):
        return "iban"
    if numbers.card_in(text):
        return "card"
    return "telephone" if numbers.telephone_in(text) else ""


def ask(caller: Caller, wish: Wish) -> Asked:
    """Ask for access. Asking twice for the same returns the request that waits already."""
    return Asked(
        *call(
            """SELECT request, reason, codes FROM vault.ask(%s::bytea, %s::jsonb, %s::text, %s::text,
                %s::text, %s::text[], %s::integer, %s::boolean, %s::text, %s::bytea)""",
            [
                caller.digest,
                caller.context,
                wish.account,
                wish.ticket,
                wish.purpose,
                list(wish.categories),
                wish.minutes,
                wish.while_open,
                wish.reason,
                _sealed(wish),
            ],
        )
    )


def _sealed(wish: Wish) -> bytes | None:
    """The typed reason under the account's data key, so that it goes when the account goes."""
    if not wish.text.strip():
        return None
    wrapped = vault.wrapped_key(wish.account)
    if wrapped is None:
        return None  # no such account: the request will be refused, and the text is not kept
    return AccountCipher.unwrap(wish.account, wrapped).encrypt(REASON_FIELD, wish.text.strip())


def typed_reason(request: AccessRequest) -> str:
    """The requester's own words; empty when there are none, or they went with the account."""
    if not request.reason_text:
        return ""
    wrapped = vault.wrapped_key(request.account.reference)
    if wrapped is None:
        return ""
    cipher = AccountCipher.unwrap(request.account.reference, wrapped)
    return str(cipher.decrypt(REASON_FIELD, bytes(request.reason_text)))


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


def _decide(
    caller: Caller,
    request: int,
    verdict: str,
    categories: list[str] | None,
    minutes: int | None,
    while_open: bool | None,
    denial: str,
) -> str:
    reason: str | None = call(
        """SELECT reason FROM vault.decide_request(%s::bytea, %s::jsonb, %s::bigint, %s::text,
                %s::text[], %s::integer, %s::boolean, %s::text)""",
        [
            caller.digest,
            caller.context,
            request,
            verdict,
            categories,
            minutes,
            while_open,
            denial,
        ],
    )[0]
    return reason or ""


def open_window(caller: Caller, *, grant: int, account: str) -> decision.Refusal | None:
    """Start the clock of a grant; None when the window is open."""
    reason, codes = call(
        "SELECT reason, codes FROM vault.open_grant(%s::bytea, %s::jsonb, %s::bigint, %s::text)",
        [caller.digest, caller.context, grant, account],
    )
    return decision.Refusal(reason, decision.rows(codes)) if reason else None


def end(caller: Caller, grant: int) -> str:
    """End a grant: one's own, or as manager, reviewer or people officer anybody's."""
    reason: str | None = call(
        "SELECT vault.end_grant(%s::bytea, %s::jsonb, %s::bigint)",
        [caller.digest, caller.context, grant],
    )[0]
    return reason or ""


def approvers(member: Member) -> QuerySet[Member]:
    """Who could approve for this member now: managers above them, and named deputies."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT vault.approvers(%s::bigint)", [member.pk])
        return Member.objects.filter(pk__in=[row[0] for row in cursor.fetchall()])


def waiting_for(manager: Member) -> list[AccessRequest]:
    """The requests that this manager could decide now, oldest first."""
    numbers = [number for kind, number in everything_waiting_for(manager) if kind == "access"]
    waiting = AccessRequest.objects.filter(pk__in=numbers) if numbers else AccessRequest.objects.none()
    return list(waiting.select_related("member", "account", "ticket").order_by("asked_at"))


def everything_waiting_for(manager: Member) -> list[tuple[str, int]]:
    """All that this manager could decide now, `access` and `more` of a day's budget, each with its number:
    every page of a manager's asks."""
    return rows(_WAITING, {"manager": manager.pk, "today": timezone.localdate()})


#: Each who asks is looked at once, whatever the number of their requests.
_WAITING = """
    WITH waiting AS MATERIALIZED (
        SELECT 'access' AS kind, r.id, r.member_id FROM gatekeeper_accessrequest r
        WHERE r.state = 'pending' AND r.lapses_at > clock_timestamp() AND r.member_id <> %(manager)s
        UNION ALL
        SELECT 'more', m.id, m.member_id FROM gatekeeper_moretoday m
        WHERE m.state = 'pending' AND m.day = %(today)s AND m.member_id <> %(manager)s
    )
    SELECT w.kind, w.id FROM waiting w WHERE w.member_id IN (
        SELECT x.member_id FROM (SELECT DISTINCT y.member_id FROM waiting y) x
        WHERE %(manager)s IN (SELECT vault.approvers(x.member_id)))
"""


def asked_beside(member: Member) -> dict[tuple[str, str], str]:
    """Account and ticket of what this member asked for that is not open: `pending`, or `approved`."""
    found = rows(_ASKED, {"member": member.pk})
    return {(account, ticket): state for account, ticket, state in found}


_ASKED = """
    SELECT a.reference, k.number, s.state FROM (
        SELECT r.account_id, r.ticket_id, 'pending' FROM gatekeeper_accessrequest r
        WHERE r.member_id = %(member)s AND r.state = 'pending' AND r.lapses_at > clock_timestamp()
        UNION ALL
        SELECT g.account_id, g.ticket_id, 'approved' FROM gatekeeper_grant g
        WHERE g.member_id = %(member)s AND g.ended_at IS NULL AND g.open_before > clock_timestamp()
            AND (g.opened_at IS NULL OR g.while_open AND g.window_ends_at <= clock_timestamp())
    ) s (account_id, ticket_id, state)
        JOIN gatekeeper_account a ON a.id = s.account_id JOIN gatekeeper_ticket k ON k.id = s.ticket_id
    ORDER BY s.state DESC  -- of both, what can be opened is told
"""


@dataclass(frozen=True, slots=True)
class Held:
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
    shut: dict[str, str]  # categories that stay shut though the grant is open, each with its reason
    beside: list[Beside]  # what was asked for beside it; of the account that was named alone
    today: Day  # what is left of the member's day; of the account that was named alone


_HELD = f"""
    SELECT g.id, g.request_id, g.categories, g.window_ends_at,
        g.views, g.participants_shown, m.name, k.number, n.version_id, vault.signature_ends(n.id),
        a.reference, a.plan, a.language, a.created_at, a.filled, a.participants,
        a.support_since, a.support_until, a.participants_since, a.participants_until,
        d.shut, CASE WHEN a.reference = %(account)s THEN ({COLUMN}) END,
        CASE WHEN a.reference = %(account)s THEN ({daily.COLUMN}) END
    FROM gatekeeper_grant g JOIN gatekeeper_account a ON a.id = g.account_id
        JOIN gatekeeper_ticket k ON k.id = g.ticket_id
        JOIN staff_member m ON m.id = g.approver_id
        LEFT JOIN LATERAL (
            SELECT x.codes, x.reason, x.shut, x.signature
            FROM vault.gate(%(digest)s::bytea, a.reference, NULL, g.id, NULL) x
            WHERE g.id IS DISTINCT FROM %(shown)s::bigint
            OFFSET 0  -- or the gate would be asked, and its answer dropped
        ) d ON true
        LEFT JOIN staff_signature n ON n.id = coalesce(d.signature, %(signature)s::bigint)
    WHERE g.member_id = %(member)s AND g.ended_at IS NULL AND g.window_ends_at > clock_timestamp()
        AND (g.id = %(shown)s::bigint OR d.codes IS NOT NULL AND d.reason IS NULL)
    ORDER BY g.window_ends_at
"""  # noqa: S608 - the columns are constants of ours


def held(
    caller: Caller, member: Member, *, account: str = "", shown: decision.Gate | None = None
) -> list[Held]:
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
        found = rows(_HELD, values)
    except DatabaseError as error:
        logger.error("the gate could not be evaluated: %s", type(error).__name__)  # noqa: TRY400
        return []
    return [_held(row, shown) for row in found]


def _held(row: tuple[Any, ...], shown: decision.Gate | None) -> Held:
    """A line of the statement. Of what is shown the gate was not asked again."""
    *facts, shut, beside, today = row
    known = shown is not None and shown.grant_id == row[0]
    facts += [shown.shut if shown and known else decision.by_category(shut), read(beside), daily.read(today)]
    return Held(*facts)


def limit(name: str) -> int:
    """A limit as SQL has it (`apply_settings` wrote it)."""
    return int(Limit.objects.get(name=name).value)
