"""Asking for more than a day's budget, and deciding it: the calls, and what waits.

The rules are in `gatekeeper/access/sql/more.sql`; each call returns a reason, empty when it was done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from django.conf import settings
from django.utils import timezone

from audit.database import call
from gatekeeper.models import DailyBudget, MoreToday

if TYPE_CHECKING:
    from collections.abc import Sequence

    from staff.frame.callers import Caller
    from staff.models import Member


class _MoreResult(NamedTuple):
    request: int | None
    reason: str | None


def ask(caller: Caller, *, usable: bool = True) -> tuple[int | None, str]:
    """Ask for one more budget of today; the request that waits, and '' or why there is none. Not `usable`:
    the form was none, which is refused and recorded."""
    more_request = call("gatekeeper.ask_more", caller, usable=usable, into=_MoreResult)
    return more_request.request, more_request.reason or ""


def decide(caller: Caller, request: int, verdict: str) -> str:
    """`approve`, `deny` or `withdraw`; `already_decided` when another was first, or the day is over."""
    return str(call("gatekeeper.decide_more", caller, request=request, verdict=verdict))


def newest(member: Member) -> MoreToday | None:
    """What this member asked for last, today; None when they did not, or took it back."""
    mine = MoreToday.objects.filter(member=member, day=timezone.localdate()).exclude(state="withdrawn")
    return mine.select_related("decided_by").first()


def may_ask(member: Member) -> bool:
    """Whether asking would do anything: nothing waits, and the day has room. The database judges again."""
    today = timezone.localdate()
    if MoreToday.objects.filter(member=member, day=today, state="pending").exists():
        return False
    return _added(member.pk) < settings.LIMITS["more_per_day"]


def _added(member: int) -> int:
    """How many budgets are added to this member's day, as the gate counts them now."""
    return int(call("gatekeeper.more_today", member=member, day=timezone.localdate()))


def with_figures(numbers: Sequence[int]) -> list[tuple[MoreToday, DailyBudget, int]]:
    """These requests of today, oldest first, each with what its member has used, and how much was added."""
    if not numbers:
        return []
    found = MoreToday.objects.filter(pk__in=numbers).select_related("member", "decided_by").order_by("id")
    days = DailyBudget.objects.filter(
        day=timezone.localdate(), member__in=[more_request.member_id for more_request in found]
    )
    used, nothing = {one.member_id: one for one in days}, DailyBudget(accounts=0, fields=0)
    return [
        (more_request, used.get(more_request.member_id, nothing), _added(more_request.member_id))
        for more_request in found
    ]
