"""Reviewing: a queue, one unit after the other, questions and their answers, and what leaves as a file.

Who may, the database judges; reading a unit's entries is an entry itself, once for each reader and unit.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from gatekeeper.access import typed_reasons
from gatekeeper.gate import sentences
from gatekeeper.reviews import calls, files, queue, texts, units
from staff.directory import people, proposals
from staff.frame import mails, times
from staff.frame.callers import Caller
from staff.frame.csv_file import CONTENT_TYPE
from staff.frame.day_field import is_plausible
from staff.frame.usable import usable
from staff.session.decorators import post_only, refusal, resendable, role_required
from staff.session.members import member_of

if TYPE_CHECKING:
    from django.http import HttpRequest

    from gatekeeper.models import Review

PAGE = 25
#: How far back the accounts that are affected are looked for: 0 is the unit alone.
SPANS = ((0, gettext_lazy("This alone")), (30, gettext_lazy("30 days")), (90, gettext_lazy("90 days")))
_HERE = ("no_change", "already_decided", "value_refused", "not_yourself")


@require_GET
@role_required("review")
def reviews(request: HttpRequest) -> HttpResponse:
    """What waits for this reviewer, what was asked, what was decided of late, and the clocks that run."""
    member = member_of(request)
    page = Paginator(queue.waiting(member), PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": [_row(one) for one in page],
        "counts": queue.counts(member),
        "asked": [_row(one) for one in queue.asked()[:PAGE]],
        "decided": [_row(one) for one in queue.decided()[:PAGE]],
        "clocks": _clocks(),
        "draw": queue.newest_draw(),
        "percent": settings.LIMITS["review_sample_percent"],
        "cap": settings.LIMITS["review_weekly_cap"],
        "month": timezone.localdate().replace(day=1),
    }
    return render(request, "gatekeeper/reviews/queue.html", context)


@require_GET
def review(request: HttpRequest, number: int) -> HttpResponse:
    """One unit: why it was queued, everything that happened in it, and the verdict."""
    return _page(request, number, texts.TextForm(label=_("The question")))


def _page(request: HttpRequest, number: int, form: texts.TextForm, status: int = 200) -> HttpResponse:
    caller, member = Caller.of(request), member_of(request)
    reason = calls.reading(caller, number)
    if reason:
        return refusal(request, reason)
    found = get_object_or_404(queue.reviews(), pk=number)
    context = {
        **_unit(found),
        "own": member.pk in (found.member_id, found.grant.approver_id if found.grant else None),
        "counts": queue.counts(member),
        "foreseen": people.foresee_suspension(caller, found.member.number),
        "form": form,
        "spans": SPANS,
    }
    return render(request, "gatekeeper/reviews/review.html", context, status=status)


def _unit(found: Review) -> dict[str, object]:
    """What is looked at as one, and what was said of it."""
    grant = found.grant
    return {
        "review": found,
        "grant": grant,
        "reasons": units.reasons(found),
        "lines": units.lines(found),
        "most": units.MOST,
        "thread": units.thread(found),
        "text": typed_reasons.of(grant.request) if grant else "",
        "open": found.closed_at is None,
        "clock_ends": units.clock_ends(found),
    }


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
                refusal(request, reason) if reason not in _HERE else _page(request, number, form, status=422)
            )
        found = queue.reviews().filter(pk=number).first()
        text = texts.sealed(found, form.cleaned_data["text"]) if found else None
    with transaction.atomic():
        reason = calls.decide(Caller.of(request), number, verdict, text)
        said = "" if reason else _told(request, number, verdict)
    if reason in _HERE:
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


def _told(request: HttpRequest, number: int, verdict: str) -> str:
    """Tell those who have to know of a verdict; what the reviewer reads."""
    if verdict == "serious":
        return _suspended(request, number)
    if verdict == "question":
        _tell(number)
    return str(_DONE[verdict])


def _tell(number: int) -> None:
    """The question stands on their home; by mail they know of it without going there."""
    concerned = queue.reviews().select_related("member__manager").get(pk=number).member
    for one in (concerned, concerned.manager):
        if one is not None:
            mails.tell(one, "gatekeeper/mail/question.txt")


_DONE = {
    "in_order": gettext_lazy("In order. Here is the next."),
    "question": gettext_lazy("Asked. The member and their manager see it. Here is the next."),
}


def _suspended(request: HttpRequest, number: int) -> str:
    """What a serious verdict did to the member, as far as one person may; others are told where it ends."""
    concerned = queue.reviews().select_related("member").get(pk=number).member
    if not concerned.is_suspended:
        proposals.tell_of_suspension(concerned, member_of(request), people.PROPOSED)
        return _("The 72 hours run. A second person has to confirm the suspension first.")
    proposals.tell_of_suspension(
        concerned, member_of(request), people.HELD if concerned.suspended_until else ""
    )
    if concerned.suspended_until:
        return _(
            "The member is suspended until %(time)s unless a second person confirms it. The 72 hours run."
        ) % {"time": times.moment(concerned.suspended_until)}
    return _("The member is suspended, and the 72 hours run.")


@require_GET
def questions(request: HttpRequest) -> HttpResponse:
    """The questions about oneself, and about those who report to one."""
    return _questions(request)


def _questions(
    request: HttpRequest, asked: int = 0, form: texts.TextForm | None = None, status: int = 200
) -> HttpResponse:
    member = member_of(request)
    rows = [
        _row(one)
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
    """An answer, in place. Whoever is not asked is told what a stranger is told."""
    form = _answer_form(number, request.POST)
    found = queue.questions(member_of(request)).filter(pk=number).first()
    typed = usable(form).get("text")
    text = texts.sealed(found, typed) if found and typed else None
    reason = calls.answer(Caller.of(request), number, text)
    if reason == "value_refused" and not form.is_valid():
        return _questions(request, number, form, status=422)
    if reason in _HERE:
        messages.error(request, sentences.sentence(reason))
    elif reason:
        return refusal(request, reason)
    else:
        messages.success(request, _("Answered."))
    return HttpResponseRedirect(reverse("review_questions"))


@post_only("review", "number")
def review_affected(request: HttpRequest, number: int) -> HttpResponse:
    """Who is affected, as a file: recorded before it leaves, after a fresh proof of presence."""
    found = queue.reviews().filter(pk=number).first()
    days = {str(span): span for span, _label in SPANS}.get(request.POST.get("days", "0"), 0)
    affected = files.affected(found, days=days) if found else []
    what = {"what": "affected", "review": number, "days": days}
    reason = calls.taking(Caller.of(request), what, len(affected))
    if reason or found is None:
        return refusal(request, reason or "review_unknown")
    return _file(files.affected_csv(affected), f"affected-{number}.csv")


@post_only("reviews")
def review_report(request: HttpRequest) -> HttpResponse:
    """A month's reviews as a file, in the same way."""
    month = _month(request.POST.get("month", ""))
    found = files.of_month(month) if month else []
    what = {"what": "reviews", "month": f"{month:%Y-%m}" if month else ""}
    reason = calls.taking(Caller.of(request), what, len(found))
    if reason:
        return refusal(request, reason)
    if month is None:
        messages.error(request, _("Choose a month."))
        return HttpResponseRedirect(reverse("reviews"))
    return _file(files.month_csv(found), f"reviews-{month:%Y-%m}.csv")


def _month(text: str) -> date | None:
    try:
        month = datetime.strptime(text, "%Y-%m").replace(tzinfo=timezone.get_default_timezone()).date()
    except ValueError:
        return None
    return month if is_plausible(month) else None


def _file(content: bytes, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(content, content_type=CONTENT_TYPE, headers=headers)


def _row(one: Review) -> dict[str, Any]:
    """A line of a list: the unit, and in words why it is there."""
    return {
        "review": one,
        "grant": one.grant,
        "reasons": [words for words, _why in units.reasons(one)],
        "overdue": one.closed_at is None and one.due_at <= timezone.now(),
    }


def _clocks() -> list[dict[str, Any]]:
    now = timezone.now()
    found = []
    for one in queue.clocks():
        ends = units.clock_ends(one)
        found.append({"review": one, "ends": ends, "over": ends is not None and ends <= now})
    return found
