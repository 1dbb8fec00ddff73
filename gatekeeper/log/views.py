"""The reviewer's log: a question, its rows, what they have in common, one row opened, and files.

Each reading is recorded before it happens (reading.py), and the database judges there who may.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.http import Http404, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from audit import detections
from audit.explorer import finding, search
from audit.explorer.forms import SearchForm
from audit.models import Entry
from audit.seal import inclusion_status, stored, trust
from gatekeeper.frame.converters import whole_number
from gatekeeper.log import files, links, reading, rows, words
from gatekeeper.log import sentences as entries_in_words
from gatekeeper.log.links import UTC as IN_UTC
from gatekeeper.log.links import Look
from staff.directory import people
from staff.frame.callers import Caller
from staff.session.decorators import post_only, refusal, role_required
from staff.session.members import member_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpRequest, HttpResponse
    from django.http.response import HttpResponseBase

ACT = "review"


@require_http_methods(["GET", "POST"])
def entries(request: HttpRequest) -> HttpResponse:
    """A page of the log, newest first; the question stands in the address, and is an entry of its own.

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
    return HttpResponseRedirect(Look(form.query, zone).url())


def _answer(request: HttpRequest) -> HttpResponse:
    look = _look(request)
    if look is None:
        return _unknown(request)
    before, after = whole_number(request.GET.get("before")), whole_number(request.GET.get("after"))
    caller, reader = Caller.of(request), member_of(request).number
    reason = reading.search(caller.digest, caller.context, look.query, before=before, after=after)
    if reason:
        return refusal(request, reason)
    try:
        page = finding.page(look.query, reader=reader, before=before, after=after)
    except finding.TooLongError:
        return _stopped(request, look, reader)
    with timezone.override(UTC if look.zone else None):
        shown = _frame(look, reader) | _shown(look, page)
        return render(request, "gatekeeper/log/explorer.html", shown)


def _shown(look: Look, page: finding.Page) -> dict[str, object]:
    why = detections.words(one.pk for one in page.entries)
    return {
        "rows": rows.rows(page.entries, look, why),
        "newer_url": look.url(after=page.newer) if page.newer else "",
        "older_url": look.url(before=page.older) if page.older else "",
        "figures_url": look.url("log_figures") if page.entries else "",
        "oldest_at": None if page.entries else finding.oldest(),
    }


@require_GET
def log_figures(request: HttpRequest) -> HttpResponse:
    """Histogram, facets and export of a question. They follow its rows, and are no second entry."""
    look = _look(request)
    if look is None:
        return _unknown(request)
    caller, reader = Caller.of(request), member_of(request).number
    reason = reading.search(caller.digest, caller.context, look.query)
    if reason:
        return refusal(request, reason)
    part = "HX-Request" in request.headers
    template = "gatekeeper/log/_figures.html" if part else "gatekeeper/log/figures.html"
    frame = {"look": look, "part": part, "rows_url": look.url()}
    with timezone.override(UTC if look.zone else None):
        try:
            found = finding.figures(look.query, reader=reader)
        except finding.TooLongError:
            return render(request, template, frame | {"stopped": True})
        shown = frame | {
            "found": found,
            "most": finding.MOST,
            "columns": links.columns(look, found),
            "facets": links.facets(look, found),
        }
        return render(request, template, shown)


@require_GET
def entry(request: HttpRequest, number: int) -> HttpResponse:
    """One row opened: all its facts, the rows around it, and how it stands in the sealed log."""
    look = _look(request)
    if look is None:
        return _unknown(request)
    caller = Caller.of(request)
    reason = reading.opening(caller.digest, caller.context, entry=number)
    if reason:
        return refusal(request, reason)
    found = Entry.objects.filter(pk=number).first()
    if found is None:
        raise Http404
    with timezone.override(UTC if look.zone else None):
        return render(request, "gatekeeper/log/entry.html", _opened(found, look, member_of(request).number))


def _opened(found: Entry, look: Look, reader: str) -> dict[str, object]:
    """What the page of one entry shows."""
    beside = finding.around(found, reader=reader)
    why = detections.words([found.pk, *(one.pk for one in beside)])
    log = stored.raw("default")
    trusted = trust.read(log)
    return {
        "entry": found,
        "why": [(rule.said(), rule) for rule in detections.rules() if rule.said() in why.get(found.pk, ())],
        "facts": _facts(found, look),
        "inclusion": inclusion_status.inclusion_status(log, trusted.keys, entry=found.pk),
        "trust": trusted,
        "rows": rows.rows(beside, look, why, open_one=found.pk),
        "rows_url": look.url(),
    }


@post_only("entries")
def log_export(request: HttpRequest) -> HttpResponseBase:
    """The newest matches as a file: recorded with their number before the first line leaves."""
    caller, reader = Caller.of(request), member_of(request).number
    refused = people.officer(caller, ACT)
    if refused:
        return refusal(request, refused)
    form, top = request.POST.get("form", ""), whole_number(request.POST.get("top"))
    query = _asked(request)
    if query is None or form not in files.FORMS or top is None:
        return refusal(request, "value_refused")
    try:
        numbers = finding.numbers(query, reader=reader, top=top)
    except finding.TooLongError:
        return _stopped(request, Look(query), reader)

    def taken() -> str:
        return reading.taking(caller.digest, caller.context, query, form=form, top=top, results=len(numbers))

    def may_go_on() -> bool:
        """Asked anew while the file leaves; where it breaks off, that is an entry as well."""
        return not people.officer(caller, ACT) or not taken()

    reason = taken()
    return (
        refusal(request, reason) if reason else _file(form, files.lines(form, numbers, may_go_on=may_go_on))
    )


def _asked(request: HttpRequest) -> search.Query | None:
    """The question whose matches are taken; None where it is none."""
    try:
        return search.parse(request.POST.get("q", ""), words.words())
    except search.SearchError:
        return None


def _file(form: str, content: Iterator[bytes]) -> StreamingHttpResponse:
    name = f"log-{timezone.localdate().isoformat()}.{form}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingHttpResponse(content, content_type=files.FORMS[form], headers=headers)


def _stopped(request: HttpRequest, look: Look, reader: str) -> HttpResponse:
    """It took too long: the question stands, to be narrowed."""
    shown = _frame(look, reader) | {"stopped": True}
    return render(request, "gatekeeper/log/explorer.html", shown, status=503)


def _look(request: HttpRequest) -> Look | None:
    """What the address asks for; None where it has what is no known token."""
    zone = IN_UTC if request.GET.get("zone") == IN_UTC else ""
    try:
        with timezone.override(UTC if zone else None):
            return Look(search.parse(request.GET.get("q", ""), words.words()), zone)
    except search.SearchError:
        return None


def _unknown(request: HttpRequest) -> HttpResponse:
    """An address that nobody got from us: it is not searched, and not kept."""
    reason = people.officer(Caller.of(request), ACT)
    if reason:
        return refusal(request, reason)
    form = SearchForm({"line": request.GET.get("q", "")}, words=words.words())
    return render(request, "gatekeeper/log/explorer.html", {"form": form}, status=422)


def _frame(look: Look, reader: str) -> dict[str, Any]:
    """What stands around the rows."""
    return {
        "form": SearchForm(initial={"line": str(look.query)}, words=words.words()),
        "look": look,
        "zone": look.zone,
        "terms": links.terms(look),
        "views": links.views(look, reader),
        "spans": links.spans(look),
        "zones": links.zones(look, settings.TIME_ZONE),
        "hides_own": not look.query.values("mine") and reader not in look.query.values("member"),
    }


def _facts(found: Entry, look: Look) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """Each fact of an entry: its label, and for each value its text and where the two signs lead."""
    tokens = {column: name for name, column in (finding.COLUMNS | finding.LISTS).items()}
    return [
        (label, [_choice(look, tokens.get(column, ""), code, text) for code, text in values])
        for column, label, values in entries_in_words.pieces(found)
    ]


def _choice(look: Look, name: str, code: str, text: str) -> tuple[str, str, str]:
    if not name or not _is_token(f"{name}:{code}"):
        return text, "", ""
    return text, look.adding(name, code), look.adding(name, code, minus=True)


def _is_token(text: str) -> bool:
    """Whether it would be taken: an entry may name what is no field or member any more."""
    try:
        return bool(search.parse(text, words.words()))
    except search.SearchError:
        return False
