"""What a manager is told beside a request because it is unusual: rarely, or nobody would read it.

As of when it was asked. How often each is said in a year, `python -m tests.world.rates` prints.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.db.models import Count
from django.utils.translation import gettext as _

from gatekeeper.models import AccessRequest

ACCOUNT: Final = timedelta(days=60)
TICKETS: Final = 5
WEEK: Final = timedelta(days=7)
REQUESTS: Final = 40  # eight a working day
TIMES: Final = 3  # as many as the others of the team on average


def notes(access_request: AccessRequest) -> dict[str, str]:
    """What is unusual about a request, in sentences, by a name for each."""
    found = {"account": _of_account(access_request), "week": _of_week(access_request)}
    return {name: words for name, words in found.items() if words}


def _of_account(access_request: AccessRequest) -> str:
    mine = AccessRequest.objects.filter(member=access_request.member_id, account=access_request.account_id)
    since = mine.filter(
        requested_at__gt=access_request.requested_at - ACCOUNT, requested_at__lte=access_request.requested_at
    )
    tickets = since.order_by().values("ticket").distinct().count()
    if tickets < TICKETS:
        return ""
    return _("Tickets for which this member requested this account in 60 days: %(count)d.") % {
        "count": tickets
    }


def _of_week(access_request: AccessRequest) -> str:
    """Beside the others of the team: what is much depends on how much there is to do."""
    week = AccessRequest.objects.filter(
        member__manager=access_request.member.manager_id,
        requested_at__gt=access_request.requested_at - WEEK,
        requested_at__lte=access_request.requested_at,
    )
    counts = dict(week.order_by().values_list("member").annotate(Count("pk")))
    own = counts.pop(access_request.member_id, 0)
    usual = sum(counts.values()) / len(counts) if counts else 0
    if own < REQUESTS or not counts or own <= TIMES * usual:
        return ""
    facts = {"count": own, "usual": round(usual)}
    return _("Requests in the last 7 days: %(count)d. The others of the team: %(usual)d on average.") % facts
