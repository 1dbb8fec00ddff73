"""The queue of reviews, and one unit of it with everything that happened.

Who may, the database judges; reading a unit's entries is an entry itself, once for each reader and unit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from gatekeeper.access import typed_reasons
from gatekeeper.reviews import calls, queue, texts, units
from gatekeeper.reviews.rows import row
from staff.directory import people
from staff.frame.callers import Caller
from staff.session.decorators import refusal, role_required
from staff.session.members import member_of

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from gatekeeper.models import Review

PAGE = 25
#: How far back the accounts that are affected are looked for: 0 is the unit alone.
SPANS = ((0, gettext_lazy("This alone")), (30, gettext_lazy("30 days")), (90, gettext_lazy("90 days")))


@require_GET
@role_required("review")
def reviews(request: HttpRequest) -> HttpResponse:
    """What waits for this reviewer, what was asked, what was decided of late, and the clocks that run."""
    member = member_of(request)
    page = Paginator(queue.waiting(member), PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": [row(one) for one in page],
        "counts": queue.counts(member),
        "asked": [row(one) for one in queue.questioned()[:PAGE]],
        "decided": [row(one) for one in queue.decided()[:PAGE]],
        "clocks": _clocks(),
        "draw": queue.newest_draw(),
        "percent": settings.LIMITS["review_sample_percent"],
        "cap": settings.LIMITS["review_weekly_cap"],
        "month": timezone.localdate().replace(day=1),
    }
    return render(request, "gatekeeper/reviews/queue.html", context)


@require_GET
def review(request: HttpRequest, number: int) -> HttpResponse:
    """One unit: why it was queued, everything that happened in it, and the verdict."""
    return review_page(request, number, texts.TextForm(label=_("The question")))


def review_page(request: HttpRequest, number: int, form: texts.TextForm, status: int = 200) -> HttpResponse:
    """The page of one unit, because whoever may read it; else the refusal."""
    caller, member = Caller.of(request), member_of(request)
    reason = calls.reading(caller, number)
    if reason:
        return refusal(request, reason)
    found = get_object_or_404(queue.reviews(), pk=number)
    context = {
        **_unit(found),
        "own": member.pk in (found.member_id, found.grant.approver_id if found.grant else None),
        "counts": queue.counts(member),
        "foreseen": people.foresee_suspension(caller, found.member.number),
        "form": form,
        "spans": SPANS,
    }
    return render(request, "gatekeeper/reviews/review.html", context, status=status)


def _unit(found: Review) -> dict[str, object]:
    """What is looked at as one, and what was said of it."""
    grant = found.grant
    return {
        "review": found,
        "grant": grant,
        "reasons": units.reasons(found),
        "lines": units.lines(found),
        "most": units.MOST,
        "thread": units.thread(found),
        "text": typed_reasons.of(grant.request) if grant else "",
        "open": found.closed_at is None,
        "clock_ends": units.clock_ends(found),
    }


def _clocks() -> list[dict[str, Any]]:
    now = timezone.now()
    found = []
    for one in queue.clocks():
        ends = units.clock_ends(one)
        found.append({"review": one, "ends": ends, "over": ends is not None and ends <= now})
    return found
