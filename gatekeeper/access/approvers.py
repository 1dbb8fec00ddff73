"""Who could approve, and what waits for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import QuerySet
from django.utils import timezone

from audit.database import calls, rows
from gatekeeper.models import AccessRequest
from staff.models import Member

if TYPE_CHECKING:
    pass


def of(member: Member) -> QuerySet[Member]:
    """Who could approve for this member now: managers above them, and named deputies."""
    return Member.objects.filter(pk__in=calls("gatekeeper.approvers", member=member.pk))


def waiting_for(manager: Member) -> list[AccessRequest]:
    """The requests that this manager could decide now, oldest first."""
    numbers = [number for kind, number in everything_waiting_for(manager) if kind == "access"]
    waiting = AccessRequest.objects.filter(pk__in=numbers) if numbers else AccessRequest.objects.none()
    return list(waiting.select_related("member", "account", "ticket").order_by("requested_at"))


def everything_waiting_for(manager: Member) -> list[tuple[str, int]]:
    """All that this manager could decide now, `access` and `more` of a day's budget, each with its number:
    every page of a manager's asks."""
    return rows(_WAITING, {"manager": manager.pk, "today": timezone.localdate()})


#: Each who asks is looked at once, whatever the number of their requests.
_WAITING = """
    WITH waiting AS MATERIALIZED (
        SELECT 'access' AS kind, r.id, r.member_id FROM gatekeeper_accessrequest r
        WHERE r.state = 'pending' AND r.expires_at > clock_timestamp() AND r.member_id <> %(manager)s
        UNION ALL
        SELECT 'more', m.id, m.member_id FROM gatekeeper_moretoday m
        WHERE m.state = 'pending' AND m.day = %(today)s AND m.member_id <> %(manager)s
    )
    SELECT w.kind, w.id FROM waiting w WHERE w.member_id IN (
        SELECT x.member_id FROM (SELECT DISTINCT y.member_id FROM waiting y) x
        WHERE %(manager)s IN (SELECT gatekeeper.approvers(x.member_id)))
"""
