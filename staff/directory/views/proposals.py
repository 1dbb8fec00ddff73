"""What waits for a second person: confirming and declining, one click each.

No rule stands here: the database judges, applies and records (`staff/directory/sql/proposals.sql`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.db import transaction
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from staff.directory import people, proposals
from staff.frame import mails
from staff.frame.callers import Caller
from staff.frame.reasons import words_of
from staff.models import Proposal
from staff.session.decorators import post_only, refusal
from staff.session.members import member_of

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from staff.models import Member

DECIDED_SHOWN: Final = 30
#: Reasons of the act itself: whoever meets them may see the list.
OF_THE_ACT: Final = frozenset({"not_yourself", "second_person", "proposal_decided", "proposal_lapsed"})


@require_safe
def waiting(request: HttpRequest) -> HttpResponse:
    """What waits, the oldest first, and what was decided lately: all, or the suspensions alone."""
    deciders = set(proposals.DECIDERS) & set(member_of(request).roles)
    reason = people.authorize(Caller.of(request), "confirm" if deciders else "suspend")
    return refusal(request, reason) if reason else _page(request)


def _page(request: HttpRequest, status: int = 200, **more: Any) -> HttpResponse:
    viewer = member_of(request)
    own = set(proposals.confirmable_by(viewer).values_list("pk", flat=True))
    watches = bool(set(proposals.WATCHERS) & set(viewer.roles))
    rows = [
        {
            "change": proposals.describe(one),
            "confirmable": one.pk in own,
            "mine": one.proposed_by_id == viewer.pk,
            "concerned": one.subject_id == viewer.pk,
            "decidable": watches or not (one.fact == "suspended" and one.value is True),
        }
        for one in proposals.shown_to(viewer, proposals.waiting())
    ]
    over = proposals.shown_to(viewer, proposals.decided())[:DECIDED_SHOWN]
    decided = [proposals.describe(one) for one in over]
    return render(
        request, "staff/directory/proposals.html", {"rows": rows, "decided": decided, **more}, status=status
    )


@post_only("proposals")
def confirm(request: HttpRequest, proposal: int) -> HttpResponse:
    """Confirm a change that another proposed; it is made at once."""
    return _decide(request, proposal, confirm=True)


@post_only("proposals")
def decline(request: HttpRequest, proposal: int) -> HttpResponse:
    """Decline a change that another proposed, or take back one's own."""
    return _decide(request, proposal, confirm=False)


def _decide(request: HttpRequest, number: int, *, confirm: bool) -> HttpResponse:
    with transaction.atomic():
        reason = proposals.decide(Caller.of(request), number, confirm=confirm)
        if confirm and not reason:
            _notify(number, member_of(request))
    if reason == "member_unknown":  # there is no such proposal
        raise Http404
    if reason in OF_THE_ACT:
        return _page(request, status=409, problem=words_of(reason))
    if reason:
        return refusal(request, reason)
    messages.success(request, _("Confirmed: it counts now.") if confirm else _("Declined. Nothing changed."))
    return redirect("proposals")


def _notify(number: int, by: Member) -> None:
    proposal = Proposal.objects.select_related("subject").get(pk=number)
    if proposal.fact == "factor":
        mails.notify(proposal.subject, "staff/mail/factors_reset.txt")
    if proposal.fact == "suspended" and proposal.value is True:
        proposals.notify_of_suspension(proposal.subject, by, "")
