"""One row of the log opened: its facts, the rows around it, its place in the sealed log."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from django.http import Http404
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from audit import detections
from audit.explorer import finding, search
from audit.models import Entry
from audit.seal import inclusion_status, stored, trust
from gatekeeper.log import reading, rows, words
from gatekeeper.log import sentences as entries_in_words
from gatekeeper.log.views.explorer import log_view_of, unknown
from staff.frame.callers import Caller
from staff.session.decorators import refusal
from staff.session.members import member_of

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from gatekeeper.log.links import LogView


@require_GET
def entry(request: HttpRequest, number: int) -> HttpResponse:
    """One row opened: all its facts, the rows around it, and its status in the sealed log."""
    log_view = log_view_of(request)
    if log_view is None:
        return unknown(request)
    caller = Caller.of(request)
    reason = reading.opening(caller.digest, caller.context, entry=number)
    if reason:
        return refusal(request, reason)
    found = Entry.objects.filter(pk=number).first()
    if found is None:
        raise Http404
    with timezone.override(UTC if log_view.zone else None):
        return render(
            request, "gatekeeper/log/entry.html", _opened(found, log_view, member_of(request).number)
        )


def _opened(found: Entry, log_view: LogView, reader: str) -> dict[str, object]:
    """What the page of one entry shows."""
    beside = finding.around(found, reader=reader)
    why = detections.words([found.pk, *(one.pk for one in beside)])
    log = stored.raw("default")
    trusted = trust.read(log)
    return {
        "entry": found,
        "why": [(rule.title(), rule) for rule in detections.rules() if rule.title() in why.get(found.pk, ())],
        "facts": _facts(found, log_view),
        "inclusion": inclusion_status.inclusion_status(log, trusted.keys, entry=found.pk),
        "trust": trusted,
        "rows": rows.rows(beside, log_view, why, open_one=found.pk),
        "rows_url": log_view.url(),
    }


def _facts(found: Entry, log_view: LogView) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """Each fact of an entry: its label, and for each value its text and where the two signs lead."""
    tokens = {column: name for name, column in (finding.COLUMNS | finding.LISTS).items()}
    return [
        (label, [_choice(log_view, tokens.get(column, ""), code, text) for code, text in values])
        for column, label, values in entries_in_words.pieces(found)
    ]


def _choice(log_view: LogView, name: str, code: str, text: str) -> tuple[str, str, str]:
    if not name or not _is_token(f"{name}:{code}"):
        return text, "", ""
    return text, log_view.adding(name, code), log_view.adding(name, code, minus=True)


def _is_token(text: str) -> bool:
    """Whether it would be taken: an entry may name what is no field or member any more."""
    try:
        return bool(search.parse(text, words.words()))
    except search.SearchError:
        return False
