"""Questions of reviewers to members, and the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from gatekeeper.gate import sentences
from gatekeeper.reviews import calls, queue, texts, units
from gatekeeper.reviews.rows import row
from staff.frame.callers import Caller
from staff.frame.usable import usable
from staff.session.decorators import post_only, refusal, resendable
from staff.session.members import member_of

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@require_GET
def questions(request: HttpRequest) -> HttpResponse:
    """The questions about oneself, and about those who report to one."""
    return _questions(request)


def _questions(
    request: HttpRequest, asked: int = 0, form: texts.TextForm | None = None, status: int = 200
) -> HttpResponse:
    member = member_of(request)
    rows = [
        row(one)
        | {
            "thread": units.thread(one),
            "mine": one.member_id == member.pk,
            "form": form if form and one.pk == asked else _answer_form(one.pk),
        }
        for one in queue.questions(member)
    ]
    return render(request, "gatekeeper/reviews/questions.html", {"rows": rows}, status=status)


def _answer_form(number: int, data: Any = None) -> texts.TextForm:
    return texts.TextForm(data, label=_("The answer"), auto_id=f"answer-{number}-%s")


@resendable(gettext_lazy("The answer goes to the reviewers."), text=gettext_lazy("The answer"))
@post_only("review_questions")
def review_answer(request: HttpRequest, number: int) -> HttpResponse:
    """An answer, in place. Anybody who was not asked gets 404, as for an unknown review."""
    form = _answer_form(number, request.POST)
    found = queue.questions(member_of(request)).filter(pk=number).first()
    typed = usable(form).get("text")
    text = texts.encrypted(found, typed) if found and typed else None
    reason = calls.answer(Caller.of(request), number, text)
    if reason == "value_refused" and not form.is_valid():
        return _questions(request, number, form, status=422)
    if reason in calls.SAID_IN_PLACE:
        messages.error(request, sentences.sentence(reason))
    elif reason:
        return refusal(request, reason)
    else:
        messages.success(request, _("Answered."))
    return HttpResponseRedirect(reverse("review_questions"))
