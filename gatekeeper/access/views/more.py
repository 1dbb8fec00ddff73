"""Asking for more than a day's budget, and deciding it in the inbox. The database judges and records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from gatekeeper.access import more, notices, requester
from gatekeeper.access.forms import MoreForm
from gatekeeper.access.pieces import account_url
from gatekeeper.frame import badges
from gatekeeper.gate import sentences
from gatekeeper.gate import words as presentation
from gatekeeper.models import Grant, MoreToday
from staff.directory import people
from staff.frame import times
from staff.frame.callers import Caller
from staff.frame.usable import usable
from staff.session.decorators import post_only, refusal
from staff.session.members import member_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpRequest, HttpResponse

    from staff.models import Member


@post_only("home")
def ask(request: HttpRequest) -> HttpResponse:
    """Ask for as much again today, and go back to the account where it was asked."""
    member = member_of(request)
    waits = more.newest(member)
    with transaction.atomic():
        _request, reason = more.ask(Caller.of(request), usable=MoreForm(request.POST).is_valid())
        is_new = not reason and (waits is None or waits.state != "pending")
        notice = notices.notify_of_more_today(member) if is_new else ""
    if reason == "role_missing":
        return refusal(request, reason)
    if reason:
        messages.error(request, sentences.sentence(reason))
    else:
        messages.success(
            request, _("Request sent. It expires at midnight.") + (f" {notice}" if notice else "")
        )
    return HttpResponseRedirect(_back(request))


@post_only("inbox")
def approve(request: HttpRequest, more_id: int) -> HttpResponse:
    """Add one more budget to a member's day."""
    return _decide(request, more_id, "approve", _("Approved. It counts until midnight."))


@post_only("inbox")
def deny(request: HttpRequest, more_id: int) -> HttpResponse:
    """Reject a request for more today."""
    return _decide(request, more_id, "deny", _("Rejected."))


@post_only("home")
def withdraw(request: HttpRequest, more_id: int) -> HttpResponse:
    """Take one's own request for more back."""
    reason = more.decide(Caller.of(request), more_id, "withdraw")
    if reason == "role_missing":
        return refusal(request, reason)
    if reason:
        messages.error(request, sentences.sentence(reason))
    else:
        messages.success(request, _("Request withdrawn."))
    return HttpResponseRedirect(_back(request))


def todays_request(request: HttpRequest, grant: int | None) -> dict[str, object]:
    """For the pages of an account (_more.html): what was asked for today, and whether asking is possible."""
    member = member_of(request)
    more_request = more.newest(member)
    return {
        "asked": more_request,
        "mark": (more_request.pk, more_request.state) if more_request else None,
        "ask_url": reverse("ask_more") if more.may_ask(member) else "",
        "grant": grant or "",
    }


def items(numbers: Sequence[int]) -> list[dict[str, object]]:
    """These requests with what a manager decides by (inbox/_more.html)."""
    limits = settings.LIMITS
    return [
        {
            "id": more_request.pk,
            "member": more_request.member.number,
            "member_name": more_request.member.name,
            "requested_at": more_request.requested_at,
            "accounts": used.accounts,
            "accounts_allowed": limits["accounts_per_day"] * (1 + added),
            "fields": used.fields,
            "fields_allowed": limits["fields_per_day"] * (1 + added),
            "added": added,
        }
        for more_request, used, added in more.with_figures(numbers)
    ]


def decided_today(manager: Member) -> list[dict[str, object]]:
    """What was decided today, by this manager or for those who report to them, as the inbox lists it."""
    decided = MoreToday.objects.filter(day=timezone.localdate(), state__in=("approved", "denied"))
    mine = decided.filter(decided_by=manager) | decided.filter(member__manager=manager)
    return [
        {
            "member_name": more_request.member.name,
            "member": more_request.member.number,
            "reference": "",
            "ticket": "",
            "state": more_request.state,
            "at": more_request.decided_at,
            "by": more_request.decided_by.name if more_request.decided_by else "",
            "grant_id": None,
        }
        for more_request in mine.select_related("member", "decided_by")
    ]


def _decide(request: HttpRequest, more_id: int, verdict: str, done: str) -> HttpResponse:
    reason = more.decide(Caller.of(request), more_id, verdict)
    own = people.authorize(Caller.of(request), "approve") if reason else ""  # of the two, whose reason it is
    if own in ("mfa_stale", "role_missing", "session_missing", "session_expired", "mfa_missing"):
        return refusal(request, own)
    if reason == "role_missing":
        return refusal(request, reason)
    if reason == "already_decided":
        messages.warning(request, _decided_words(MoreToday.objects.get(pk=more_id)))
    elif reason in presentation.ACTS or own:
        messages.error(request, sentences.sentence(own or reason))
    elif reason:
        messages.error(request, requester.sentence(reason))
    else:
        messages.success(request, done)
    return HttpResponseRedirect(reverse("inbox"))


def _decided_words(more_request: MoreToday) -> str:
    """The second of two sees who was first, and what they decided; what nobody decided has expired."""
    words = {
        "state": badges.badge("lapsed" if more_request.state == "pending" else more_request.state).word,
        "name": more_request.decided_by.name if more_request.decided_by else "–",
        "time": times.moment(more_request.decided_at or more_request.requested_at),
    }
    return _("Already decided: %(state)s, %(name)s, %(time)s.") % words


def _back(request: HttpRequest) -> str:
    """The account of one's own grant that the form names, else home."""
    grant = usable(MoreForm(request.POST)).get("grant") or 0
    mine = Grant.objects.filter(pk=grant, member=request.user.pk).select_related("account", "ticket").first()
    return account_url(mine.account.reference, mine.ticket.number) if mine else reverse("home")
