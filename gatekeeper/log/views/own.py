"""A member's own part of the log: what is recorded about them, for them to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from audit.explorer import finding
from audit.explorer.search import Query, Term
from gatekeeper.frame.converters import whole_number
from gatekeeper.log import reading
from staff.frame.callers import Caller
from staff.session.decorators import refusal
from staff.session.members import member_of

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@require_GET
def own_entries(request: HttpRequest) -> HttpResponse:
    """A member's own entries, newest first; that they were read is an entry as well."""
    caller, number = Caller.of(request), member_of(request).number
    reason = reading.own(caller.digest, caller.context)
    if reason:
        return refusal(request, reason)
    before, after = whole_number(request.GET.get("before")), whole_number(request.GET.get("after"))
    shown: dict[str, object] = {"days": settings.LIMITS["log_retention_days"]}
    mine = Query((Term("member", number),))
    try:
        shown |= _shown(finding.page(mine, reader=number, before=before, after=after))
    except finding.TooLongError:
        return render(request, "gatekeeper/log/own.html", shown | {"stopped": True}, status=503)
    return render(request, "gatekeeper/log/own.html", shown)


def _shown(page: finding.Page) -> dict[str, object]:
    return {
        "entries": page.entries,
        "newer_url": _address("after", page.newer),
        "older_url": _address("before", page.older),
    }


def _address(name: str, number: int | None) -> str:
    return f"{reverse('own_entries')}?{name}={number}" if number else ""
