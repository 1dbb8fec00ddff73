"""The manager's inbox: what waits, and what was decided today."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from gatekeeper.access import approvers, requester
from gatekeeper.access.views import live, more
from gatekeeper.access.views.request_rows import CHOICES, grant_state, item
from gatekeeper.models import AccessRequest, Grant
from staff.session.decorators import polling, role_required
from staff.session.members import member_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest, HttpResponse


DECIDED_SHOWN = 50


@require_GET
@role_required("manage")
def inbox(request: HttpRequest) -> HttpResponse:
    """What waits for this manager, and what was decided today."""
    return _inbox(request, _work(request), {})


@polling
@require_GET
@role_required("manage")
def inbox_list(request: HttpRequest) -> HttpResponse:
    """The inbox for the page that asks by itself; it is no activity of the session."""
    work = _work(request)
    return live.answer(request, work.facts, lambda more: _inbox(request, work, more))


@dataclass(frozen=True)
class _Work:
    """What of an inbox changes by itself."""

    waiting: list[AccessRequest]
    judged: dict[int, requester.Judged]
    more: list[dict[str, object]]
    decided: list[dict[str, object]]

    @property
    def facts(self) -> object:
        waiting = [(one.pk, list(self.judged[one.pk].codes.values())) for one in self.waiting]
        return waiting, self.more, [sorted(one.items()) for one in self.decided]


def _work(request: HttpRequest) -> _Work:
    manager = member_of(request)
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    decided = AccessRequest.objects.filter(decided_at__gte=midnight, decided_by__isnull=False)
    mine = decided.filter(decided_by=manager) | decided.filter(member__manager=manager)
    rows = mine.select_related("member", "account", "ticket", "decided_by", "grant")
    newest = rows.order_by("-decided_at")[:DECIDED_SHOWN]
    waiting = approvers.waiting_for(manager)
    more_requests = [number for kind, number in approvers.everything_waiting_for(manager) if kind == "more"]
    both = [*(_decided(access_request) for access_request in newest), *more.decided_today(manager)]
    both.sort(key=lambda one: str(one["at"]), reverse=True)
    return _Work(waiting, requester.judge(waiting), more.items(more_requests), both)


def _inbox(request: HttpRequest, work: _Work, more: Mapping[str, object]) -> HttpResponse:
    context = {
        "requests": [item(access_request, work.judged[access_request.pk]) for access_request in work.waiting],
        "more": work.more,
        "waiting": len(work.waiting) + len(work.more),
        "decided": work.decided,
        **CHOICES,
        **live.question(request, reverse("inbox_list"), work.facts),
        **more,
    }
    return render(request, "gatekeeper/access/inbox.html", context)


def _decided(access_request: AccessRequest) -> dict[str, object]:
    grant: Grant | None = getattr(access_request, "grant", None)
    state: str = access_request.state
    if grant is not None:
        state = grant_state(grant)
    return {
        "member_name": access_request.member.name,
        "member": access_request.member.number,
        "reference": access_request.account.reference,
        "ticket": access_request.ticket.number,
        "state": state,
        "at": access_request.decided_at,
        "by": access_request.decided_by.name if access_request.decided_by else "",
        "grant_id": grant.pk if grant and state in ("approved", "active") else None,
    }
