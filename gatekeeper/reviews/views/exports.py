"""What leaves reviews as a file: recorded before it leaves."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from gatekeeper.reviews import calls, files, queue
from gatekeeper.reviews.views.reviewing import SPANS
from staff.frame.callers import Caller
from staff.frame.csv_file import CONTENT_TYPE
from staff.frame.day_field import is_plausible
from staff.session.decorators import post_only, refusal

if TYPE_CHECKING:
    from django.http import HttpRequest


@post_only("review", "number")
def review_affected(request: HttpRequest, number: int) -> HttpResponse:
    """Who is affected, as a file: recorded before it leaves, after a fresh step-up."""
    found = queue.reviews().filter(pk=number).first()
    days = {str(span): span for span, _label in SPANS}.get(request.POST.get("days", "0"))
    if found is None or days is None:
        reason = calls.taking(Caller.of(request), None, 0)
        return refusal(request, "review_unknown" if found is None and reason == "value_refused" else reason)
    affected = files.affected(found, days=days)
    what = {"what": "affected", "review": number, "days": days}
    reason = calls.taking(Caller.of(request), what, len(affected))
    if reason:
        return refusal(request, reason)
    return _file(files.affected_csv(affected), f"affected-{number}.csv")


@post_only("reviews")
def review_report(request: HttpRequest) -> HttpResponse:
    """A month's reviews as a file, in the same way."""
    month = _month(request.POST.get("month", ""))
    found = files.of_month(month) if month else []
    what = {"what": "reviews", "month": f"{month:%Y-%m}"} if month else None
    reason = calls.taking(Caller.of(request), what, len(found))
    if reason == "value_refused":
        messages.error(request, _("Choose a month."))
        return HttpResponseRedirect(reverse("reviews"))
    if reason or month is None:
        return refusal(request, reason)
    return _file(files.month_csv(found), f"reviews-{month:%Y-%m}.csv")


def _month(text: str) -> date | None:
    try:
        month = datetime.strptime(text, "%Y-%m").replace(tzinfo=timezone.get_default_timezone()).date()
    except ValueError:
        return None
    return month if is_plausible(month) else None


def _file(content: bytes, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(content, content_type=CONTENT_TYPE, headers=headers)
