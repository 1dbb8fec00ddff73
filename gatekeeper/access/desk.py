"""What lies on a member's desk, beside whatever page they are on: open accesses, and how much waits."""

from __future__ import annotations

import hashlib
from functools import cached_property

from django.http import HttpRequest

from gatekeeper.access import approvers, grants
from staff.directory import proposals, recoveries
from staff.frame.callers import Caller
from staff.models import Member, Recovery


def mark(*facts: object) -> str:
    """A short mark of what is shown: other facts, another mark."""
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]


class Desk:
    """Each fact is asked for once in a request, where it is shown."""

    def __init__(self, request: HttpRequest, member: Member) -> None:
        self._request, self._member = request, member

    @property
    def roles(self) -> list[str]:
        """The member's."""
        return self._member.roles

    @cached_property
    def open_grants(self) -> list[grants.OpenGrant]:
        """What is open now. A view that has asked already puts its answer here."""
        return grants.open_grants(Caller.of(self._request), self._member)

    @cached_property
    def inbox(self) -> int:
        """How many requests wait for this manager's decision."""
        return len(approvers.everything_waiting_for(self._member)) if "manager" in self._member.roles else 0

    @cached_property
    def proposals(self) -> int:
        """How many changes of members wait for this member's confirmation."""
        may = proposals.may_confirm(self._member)
        return proposals.confirmable_by(self._member).count() if may else 0

    @cached_property
    def recoveries(self) -> list[Recovery]:
        """Of what no reviewer has acknowledged yet, everybody reads on every page."""
        recovered = self._request.session.recovered  # type: ignore[attr-defined]  # our engine
        return list(recoveries.unseen()) if recovered else []

    @property
    def mark(self) -> str:
        """Of all that changes by itself."""
        return mark([(one.id, one.ends_at) for one in self.open_grants], self.inbox, self.proposals)


def desk_of(request: HttpRequest) -> Desk | None:
    """The member's desk, one for a request; None where nobody has proved both factors."""
    member = getattr(request, "user", None)
    if not isinstance(member, Member) or not member.is_verified():  # type: ignore[attr-defined]  # django-otp
        return None
    if not hasattr(request, "desk"):
        request.desk = Desk(request, member)  # type: ignore[attr-defined]  # ours
    desk: Desk = request.desk  # type: ignore[attr-defined]  # set above
    return desk
