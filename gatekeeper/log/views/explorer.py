"""The reviewer's log: a question, its rows, and what they have in common.

Each reading is recorded before it happens (reading.py), and the database judges there who may.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from audit import detections
from audit.explorer import finding, search
from audit.explorer.forms import SearchForm
from gatekeeper.frame.converters import whole_number
from gatekeeper.log import links, reading, rows, words
from gatekeeper.log.links import UTC as IN_UTC
from gatekeeper.log.links import LogView
from staff.directory import people
from staff.frame.callers import Caller
from staff.session.decorators import refusal, role_required
from staff.session.members import member_of

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

ACT = "review"


@require_http_methods(["GET", "POST"])
def entries(request: HttpRequest) -> HttpResponse:
    """A page of the log, newest first; the question appears in the address, and is an entry of its own.

    A typed line comes by POST: only what was parsed, known tokens alone, gets into an address.
    """
    return _ask(request) if request.method == "POST" else _answer(request)


@role_required(ACT)
def _ask(request: HttpRequest) -> HttpResponse:
    zone = IN_UTC if request.POST.get("zone") == IN_UTC else ""
    with timezone.override(UTC if zone else None):
        form = SearchForm(request.POST, words=words.words())
        valid = form.is_valid()
    if not valid:
        return render(request, "gatekeeper/log/explorer.html", {"form": form, "zone": zone}, status=422)
    return HttpResponseRedirect(LogView(form.query, zone).url())


def _answer(request: HttpRequest) -> HttpResponse:
    log_view = log_view_of(request)
    if log_view is None:
        return unknown(request)
    before, after = whole_number(request.GET.get("before")), whole_number(request.GET.get("after"))
    caller, reader = Caller.of(request), member_of(request).number
    reason = reading.search(caller.digest, caller.context, log_view.query, before=before, after=after)
    if reason:
        return refusal(request, reason)
    try:
        page = finding.page(log_view.query, reader=reader, before=before, after=after)
    except finding.TooLongError:
        return stopped(request, log_view, reader)
    with timezone.override(UTC if log_view.zone else None):
        shown = _frame(log_view, reader) | _shown(log_view, page)
        return render(request, "gatekeeper/log/explorer.html", shown)


def _shown(log_view: LogView, page: finding.Page) -> dict[str, object]:
    why = detections.words(one.pk for one in page.entries)
    return {
        "rows": rows.rows(page.entries, log_view, why),
        "newer_url": log_view.url(after=page.newer) if page.newer else "",
        "older_url": log_view.url(before=page.older) if page.older else "",
        "figures_url": log_view.url("log_figures") if page.entries else "",
        "oldest_at": None if page.entries else finding.oldest(),
    }


@require_GET
def log_figures(request: HttpRequest) -> HttpResponse:
    """Histogram, facets and export of a question. They follow its rows, and are no second entry."""
    log_view = log_view_of(request)
    if log_view is None:
        return unknown(request)
    caller, reader = Caller.of(request), member_of(request).number
    reason = reading.search(caller.digest, caller.context, log_view.query)
    if reason:
        return refusal(request, reason)
    part = "HX-Request" in request.headers
    template = "gatekeeper/log/_figures.html" if part else "gatekeeper/log/figures.html"
    frame = {"log_view": log_view, "part": part, "rows_url": log_view.url()}
    with timezone.override(UTC if log_view.zone else None):
        try:
            found = finding.figures(log_view.query, reader=reader)
        except finding.TooLongError:
            return render(request, template, frame | {"stopped": True})
        shown = frame | {
            "found": found,
            "most": finding.MOST,
            "columns": links.columns(log_view, found),
            "facets": links.facets(log_view, found),
        }
        return render(request, template, shown)


def stopped(request: HttpRequest, log_view: LogView, reader: str) -> HttpResponse:
    """It took too long: the question stands, to be narrowed."""
    shown = _frame(log_view, reader) | {"stopped": True}
    return render(request, "gatekeeper/log/explorer.html", shown, status=503)


def log_view_of(request: HttpRequest) -> LogView | None:
    """Return what the address asks for; None where it has what is no known token."""
    zone = IN_UTC if request.GET.get("zone") == IN_UTC else ""
    try:
        with timezone.override(UTC if zone else None):
            return LogView(search.parse(request.GET.get("q", ""), words.words()), zone)
    except search.SearchError:
        return None


def unknown(request: HttpRequest) -> HttpResponse:
    """An address that nobody got from us: it is not searched, and not kept."""
    reason = people.authorize(Caller.of(request), ACT)
    if reason:
        return refusal(request, reason)
    form = SearchForm({"line": request.GET.get("q", "")}, words=words.words())
    return render(request, "gatekeeper/log/explorer.html", {"form": form}, status=422)


def _frame(log_view: LogView, reader: str) -> dict[str, Any]:
    """What stands around the rows."""
    return {
        "form": SearchForm(initial={"line": str(log_view.query)}, words=words.words()),
        "log_view": log_view,
        "zone": log_view.zone,
        "terms": links.terms(log_view),
        "views": links.views(log_view, reader),
        "spans": links.spans(log_view),
        "zones": links.zones(log_view, settings.TIME_ZONE),
        "hides_own": not log_view.query.values("mine") and reader not in log_view.query.values("member"),
    }
