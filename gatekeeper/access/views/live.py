"""Pages that stay true by themselves: each asks every few seconds whether what it shows still holds.

A page hands out a mark of what it shows, and its question brings the mark back (static live.js). The
server decides again each time: what still holds is answered with 204, what has changed with the page, of
which the browser takes the parts that are marked `hx-swap-oob`. A view that answers is marked `polling`:
nobody is active because of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from gatekeeper.access import grants
from gatekeeper.access.desk import desk_of, mark
from gatekeeper.gate import answers
from staff.frame.callers import Caller
from staff.session.decorators import polling
from staff.session.members import member_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Seconds between two questions. What has closed is gone from a page a moment later.
EVERY: Final = 4


def open_grants(
    request: HttpRequest, *, account: str, shown: answers.Decision | None = None
) -> list[grants.OpenGrant]:
    """What is open now, for a page about this account, whose frame shows the same (grants.open_grants)."""
    found = grants.open_grants(Caller.of(request), member_of(request), account=account, shown=shown)
    show(request, found)
    return found


def show(request: HttpRequest, open_now: list[grants.OpenGrant]) -> None:
    """Let the frame show these accesses as open, and ask no more."""
    desk = desk_of(request)
    if desk is not None:
        desk.open_grants = open_now


def question(request: HttpRequest, address: str, facts: object, **more: str) -> dict[str, object]:
    """A page's context for its own question: the address, with the mark of what the page shows."""
    query = {name: value for name, value in more.items() if value} | {"seen": _mark(request, facts)}
    return {"live_url": f"{address}?{urlencode(query)}"}


def answer(
    request: HttpRequest, facts: object, page: Callable[[Mapping[str, object]], HttpResponse]
) -> HttpResponse:
    """204 while what the page shows still holds, else the page again, made with the context given."""
    if request.GET.get("seen") == _mark(request, facts):
        return HttpResponse(status=204)
    return page({"polled": True})


def _mark(request: HttpRequest, facts: object) -> str:
    desk = desk_of(request)
    return mark(facts, desk and desk.mark)


@polling
@require_GET
def pulse(request: HttpRequest) -> HttpResponse:
    """The frame of a page that has nothing else to ask; it is no activity of the session."""
    return answer(request, None, lambda more: render(request, "gatekeeper/access/pulse.html", {**more}))
