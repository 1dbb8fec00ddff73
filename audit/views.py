"""The reviewer's list of entries. Who may read it, the database judges while it records the reading."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.shortcuts import render
from django.urls import reverse

from audit import reading
from audit.context import context
from audit.forms import QueryForm
from audit.models import Entry

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


class ReadingRefusedError(Exception):
    """The log may not be read by whoever asked: the reason is the database's code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def entries(request: HttpRequest) -> HttpResponse:
    """A page of the log, newest first. Raises ReadingRefusedError; that too is recorded."""
    form = QueryForm(request.GET)
    if not form.is_valid():
        return render(request, "gatekeeper/entries.html", {"form": form, "entries": []}, status=422)
    query = form.query()
    before = _number(request.GET.get("before", ""))
    digest = request.session.digest  # type: ignore[attr-defined]  # our session engine
    reason = reading.record(digest, context(request), query, before=before)
    if reason:
        raise ReadingRefusedError(reason)
    page = reading.page(query, before=before)
    here = reverse("entries")
    oldest = Entry.objects.order_by("id").values_list("timestamp", flat=True).first()
    shown = {
        "form": form,
        "entries": page.entries,
        "older_url": _url(here, query, page.older) if page.older else "",
        "newest_url": _url(here, query, None) if before else "",
        "filtered": bool(query.tokens()),
        "oldest_at": oldest,
    }
    return render(request, "gatekeeper/entries.html", shown)


def _url(here: str, query: reading.Query, before: int | None) -> str:
    values = query.tokens()
    for name in ("since", "until"):
        moment = getattr(query, name)
        if moment:
            values[name] = moment.strftime("%Y-%m-%dT%H:%M")
    if before:
        values["before"] = str(before)
    return f"{here}?{urlencode(values)}"


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else None
