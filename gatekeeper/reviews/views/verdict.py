"""A verdict of a review, or a question; then the next unit opens by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gatekeeper.gate import sentences
from gatekeeper.reviews import calls, queue, texts
from gatekeeper.reviews.views.reviewing import review_page
from staff.directory import people, proposals
from staff.frame import mails, times
from staff.frame.callers import Caller
from staff.session.decorators import post_only, refusal, resendable
from staff.session.members import member_of

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@resendable(
    gettext_lazy("The question goes to the member and their manager."),
    only=("verdict", "question"),
    text=gettext_lazy("The question"),
)
@post_only("review", "number")
def review_decide(request: HttpRequest, number: int) -> HttpResponse:
    """A verdict, or a question; then the next unit opens by itself."""
    verdict = request.POST.get("verdict", "")
    text = None
    if verdict == "question":
        form = texts.TextForm(request.POST, label=_("The question"))
        if not form.is_valid():
            reason = calls.decide(Caller.of(request), number, verdict)
            return (
                refusal(request, reason)
                if reason not in calls.SAID_IN_PLACE
                else review_page(request, number, form, status=422)
            )
        found = queue.reviews().filter(pk=number).first()
        text = texts.encrypted(found, form.cleaned_data["text"]) if found else None
    with transaction.atomic():
        reason = calls.decide(Caller.of(request), number, verdict, text)
        said = "" if reason else _done(request, number, verdict)
    if reason in calls.SAID_IN_PLACE:
        messages.error(request, sentences.sentence(reason))
        return HttpResponseRedirect(reverse("review", args=[number]))
    return refusal(request, reason) if reason else _decided(request, number, verdict, said)


def _decided(request: HttpRequest, number: int, verdict: str, said: str) -> HttpResponse:
    """What was done is said; the next unit opens by itself, but after the verdict that needs more acts."""
    messages.success(request, said)
    if verdict == "serious":
        return HttpResponseRedirect(reverse("review", args=[number]))
    following = queue.following(member_of(request))
    return HttpResponseRedirect(reverse("review", args=[following.pk]) if following else reverse("reviews"))


def _done(request: HttpRequest, number: int, verdict: str) -> str:
    """Tell those who have to know of a verdict; what the reviewer reads."""
    if verdict == "serious":
        return _suspended(request, number)
    if verdict == "question":
        _notify(number)
    return str(_DONE[verdict])


def _notify(number: int) -> None:
    """The question stands on their home; by mail they know of it without going there."""
    concerned = queue.reviews().select_related("member__manager").get(pk=number).member
    for one in (concerned, concerned.manager):
        if one is not None:
            mails.notify(one, "gatekeeper/mail/question.txt")


_DONE = {
    "in_order": gettext_lazy("In order. Here is the next."),
    "question": gettext_lazy("Question sent. The member and their manager see it. Here is the next review."),
}


def _suspended(request: HttpRequest, number: int) -> str:
    """What a serious verdict did to the member, as far as one person may; others are told where it ends."""
    concerned = queue.reviews().select_related("member").get(pk=number).member
    if not concerned.is_suspended:
        proposals.notify_of_suspension(concerned, member_of(request), people.PROPOSED)
        return _("The 72 hours run. A second person has to confirm the suspension first.")
    proposals.notify_of_suspension(
        concerned, member_of(request), people.HELD if concerned.suspended_until else ""
    )
    if concerned.suspended_until:
        return _(
            "The member is suspended until %(time)s unless a second person confirms it. The 72 hours run."
        ) % {"time": times.moment(concerned.suspended_until)}
    return _("The member is suspended, and the 72 hours run.")
