"""One's own sessions: which there are, ending them, and how long the one at hand lasts without a click."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from staff.models import Session
from staff.session import limits, sessions
from staff.session.decorators import polling, post_only
from staff.session.members import member_of
from staff.sign_in import browsers

if TYPE_CHECKING:
    from django.db.models import QuerySet


@require_safe
def own(request: HttpRequest) -> HttpResponse:
    """The member's sessions that run or are locked, this one marked."""
    rows = [
        {
            "row": row,
            "browser": browsers.words_of(row.user_agent),
            "this": row.pk == sessions.of(request).number,
            "locked": limits.is_idle(row),
        }
        for row in _running(request).order_by("-last_seen_at", "-pk")
    ]
    rows.sort(key=lambda one: not one["this"])
    return render(request, "staff/sign_in/sessions.html", {"sessions": rows})


@post_only("sessions")
def end(request: HttpRequest, number: int) -> HttpResponse:
    """End one of one's own sessions. The one at hand is ended by signing out."""
    if not sessions.of(request).end_own([number]):
        raise Http404
    messages.success(request, _("The session is ended."))
    return redirect("sessions")


@post_only("sessions")
def end_others(request: HttpRequest) -> HttpResponse:
    """End all of one's own sessions but the one at hand."""
    sessions.of(request).end_own(None)
    messages.success(request, _("All other sessions are ended."))
    return redirect("sessions")


@polling
@require_safe
def left(request: HttpRequest) -> HttpResponse:
    """For the script that warns before the idle end: the seconds left. Asking is no activity."""
    return JsonResponse({"left": sessions.of(request).seconds_left})


@post_only("home")
def stay(request: HttpRequest) -> HttpResponse:
    """'Stay signed in': a click like any other, noted before this answers (SessionGuardMiddleware)."""
    return JsonResponse({"left": sessions.of(request).seconds_left})


def _running(request: HttpRequest) -> QuerySet[Session]:
    begun = timezone.now() - limits.longest()
    return Session.objects.filter(member=member_of(request), ended_at__isnull=True, started_at__gt=begun)
