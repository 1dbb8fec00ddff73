"""Pages that stay true by themselves: each asks every few seconds whether what it shows still holds.

A page hands out a mark of what it shows, and its question brings the mark back (static live.js). The
server decides anew each time: what still holds is answered with 204, what has changed with the page, of
which the browser takes the parts that are marked `hx-swap-oob`. A view that answers is marked `polling`:
nobody is active because of it.
"""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from gatekeeper.access import approvers, grants
from gatekeeper.access.pieces import open_grants
from gatekeeper.gate import decision
from staff.directory import proposals, recoveries
from staff.frame.callers import Caller
from staff.models import Member, Recovery
from staff.session.decorators import polling
from staff.session.members import member_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Seconds between two questions. What has closed is gone from a page a moment later.
EVERY: Final = 4


def mark(*facts: object) -> str:
    """A short mark of what is shown: other facts, another mark."""
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]


class Frame:
    """What the frame of every page shows of the member's work: open accesses, and how much waits."""

    def __init__(self, request: HttpRequest, member: Member) -> None:
        self._request, self._member = request, member

    @cached_property
    def held(self) -> list[grants.Held]:
        """What is open now. A view that has asked already puts its answer here."""
        return grants.held(Caller.of(self._request), self._member)

    @cached_property
    def inbox(self) -> int:
        """How many requests wait for this manager's decision."""
        return len(approvers.everything_waiting_for(self._member)) if "manager" in self._member.roles else 0

    @cached_property
    def proposals(self) -> int:
        """How many changes of members wait for this member's confirmation."""
        may = proposals.may_confirm(self._member)
        return proposals.confirmable_by(self._member).count() if may else 0

    @property
    def roles(self) -> list[str]:
        """The member's."""
        return self._member.roles

    @cached_property
    def recoveries(self) -> list[Recovery]:
        """Of what no reviewer has acknowledged yet, everybody reads on every page."""
        asked = self._request.session.recovered  # type: ignore[attr-defined]  # our engine
        return list(recoveries.unseen()) if asked else []

    @property
    def url(self) -> str:
        """The question of a page that has no other."""
        return f"{reverse('pulse')}?{urlencode({'seen': mark(None, self.mark)})}"

    @property
    def mark(self) -> str:
        """Of all of it."""
        return mark([(one.id, one.ends_at) for one in self.held], self.inbox, self.proposals)


def frame_of(request: HttpRequest) -> Frame | None:
    """The frame's facts, asked for once in a request; None where nobody has proved both factors."""
    member = getattr(request, "user", None)
    if not isinstance(member, Member) or not member.is_verified():  # type: ignore[attr-defined]  # django-otp
        return None
    if not hasattr(request, "frame"):
        request.frame = Frame(request, member)  # type: ignore[attr-defined]  # ours
    frame: Frame = request.frame  # type: ignore[attr-defined]  # set above
    return frame


def held(request: HttpRequest, *, account: str, shown: decision.Gate | None = None) -> list[grants.Held]:
    """What is open now, for a page about this account, whose frame shows the same (see access.held)."""
    found = grants.held(Caller.of(request), member_of(request), account=account, shown=shown)
    show(request, found)
    return found


def show(request: HttpRequest, open_now: list[grants.Held]) -> None:
    """Let the frame show these accesses as open, and ask no more."""
    frame = frame_of(request)
    if frame is not None:
        frame.held = open_now


def context(request: HttpRequest) -> dict[str, object]:
    """Context processor: the frame's facts, asked for by the templates that show them."""
    frame = frame_of(request)
    if frame is None:
        return {}
    return {
        "frame": frame,
        "every": EVERY,
        "open_grants": lambda: open_grants(frame.held),
        "inbox_count": lambda: frame.inbox,
        "proposals_count": lambda: frame.proposals,
        "recoveries": lambda: frame.recoveries,
        "reviews": "reviewer" in frame.roles,
    }


def question(request: HttpRequest, address: str, facts: object, **more: str) -> dict[str, object]:
    """A page's context for its own question: the address, with the mark of what the page shows."""
    query = {name: value for name, value in more.items() if value} | {"seen": _mark(request, facts)}
    return {"live_url": f"{address}?{urlencode(query)}"}


def answer(
    request: HttpRequest, facts: object, page: Callable[[Mapping[str, object]], HttpResponse]
) -> HttpResponse:
    """204 while what the page shows still holds, else the page anew, made with the context given."""
    if request.GET.get("seen") == _mark(request, facts):
        return HttpResponse(status=204)
    return page({"polled": True})


def _mark(request: HttpRequest, facts: object) -> str:
    frame = frame_of(request)
    return mark(facts, frame and frame.mark)


@polling
@require_GET
def pulse(request: HttpRequest) -> HttpResponse:
    """The frame of a page that has nothing else to ask; it is no activity of the session."""
    return answer(request, None, lambda more: render(request, "gatekeeper/pulse.html", {**more}))
