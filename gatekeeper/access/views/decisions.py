"""One request with all its facts, and its decision. Decided once, in the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from gatekeeper.access import approvers, requester, requests
from gatekeeper.access.forms import ApproveForm, DenyForm
from gatekeeper.access.views.request_rows import CHOICES, item, state_of
from gatekeeper.frame import badges
from gatekeeper.gate import sentences
from gatekeeper.models import AccessRequest, Grant
from staff.directory import people
from staff.frame import times
from staff.frame.callers import Caller
from staff.models import Role
from staff.session.decorators import post_only, refusal
from staff.session.members import member_of

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from staff.models import Member


@require_GET
def approval(request: HttpRequest, request_id: int) -> HttpResponse:
    """One request: the requester's own, or for who could decide or ends accesses by role."""
    access_request = _visible_request(request, request_id)
    member = member_of(request)
    if access_request is None:
        return refusal(request, "role_missing")
    state = state_of(access_request)
    grant = Grant.objects.filter(request=access_request, ended_at=None).first()
    context = {
        "item": item(access_request, requester.judge([access_request])[access_request.pk]),
        "state": state,
        "ended": None if state == "pending" else _ended(access_request),
        "mine": access_request.member_id == member.pk,
        "approvers": list(approvers.of(access_request.member).values_list("name", flat=True)),
        "may_decide": _may_decide(access_request, member),
        "grant_id": grant.pk if grant else None,
        "print_id": _to_print(access_request, member),
        **CHOICES,
    }
    return render(request, "gatekeeper/access/approval.html", context)


def _ended(access_request: AccessRequest) -> dict[str, object]:
    return {
        "at": access_request.decided_at or access_request.expires_at,
        "by": access_request.decided_by.name if access_request.decided_by else "",
        "stead": access_request.in_stead_of.number if access_request.in_stead_of else "",
        "denial": access_request.denial,
    }


def _to_print(access_request: AccessRequest, member: Member) -> int | None:
    """The grant whose print this member is offered, also when it has ended; the database judges it."""
    grant = Grant.objects.filter(request=access_request).first()
    if grant is None:
        return None
    concerned = member.pk in (grant.member_id, grant.approver_id) or Role.REVIEWER in member.roles
    return grant.pk if concerned else None


# Who may decide the database says, and records; of a number that is nobody's as of one that is another's.


@post_only("approval", "request_id")
def approve(request: HttpRequest, request_id: int) -> HttpResponse:
    """Approve as asked, or shorter, narrower, once or while the ticket is open."""
    access_request = AccessRequest.objects.filter(pk=request_id).first() or AccessRequest()
    form = ApproveForm(request.POST)
    if not form.is_valid():
        return _unusable(request, request_id, form)
    data = form.cleaned_data
    reason = requests.approve(
        Caller.of(request),
        request_id,
        categories=data["categories"],
        minutes=data["minutes"] or access_request.minutes,
        while_open=data["stretch"] == "while_open" if data["stretch"] else access_request.while_open,
    )
    return _answer(
        request, access_request, reason, _("Approved. The clock starts when the account is opened.")
    )


def _unusable(request: HttpRequest, request_id: int, form: ApproveForm) -> HttpResponse:
    """Nothing is approved by it; that it was tried is recorded where the decision would have been."""
    requests.approve(Caller.of(request), request_id, categories=[], minutes=0, while_open=False)
    nothing = form.has_error("categories", "required")
    words = _("Tick at least one kind of data, or reject the request.") if nothing else ""
    messages.error(request, words or sentences.sentence("value_refused"))
    return HttpResponseRedirect("/inbox/")


@post_only("approval", "request_id")
def deny(request: HttpRequest, request_id: int) -> HttpResponse:
    """Reject, with a reason from the list."""
    access_request = AccessRequest.objects.filter(pk=request_id).first() or AccessRequest()
    form = DenyForm(request.POST)
    if not form.is_valid():
        requests.deny(Caller.of(request), request_id, denial="")
        messages.error(request, _("Choose a reason for the rejection."))
        return HttpResponseRedirect("/inbox/")
    reason = requests.deny(Caller.of(request), request_id, denial=form.cleaned_data["denial"])
    return _answer(request, access_request, reason, _("Rejected."))


def _answer(request: HttpRequest, access_request: AccessRequest, reason: str, done: str) -> HttpResponse:
    own = people.authorize(Caller.of(request), "approve") if reason else ""  # of the two, whose reason it is
    if own in ("mfa_stale", "role_missing", "session_missing", "session_expired", "mfa_missing"):
        return refusal(request, own)
    if reason == "role_missing" and not _may_decide(access_request, member_of(request)):
        return refusal(request, reason)
    if reason == "already_decided":
        access_request.refresh_from_db()
        messages.warning(request, _decided_words(access_request))
    elif reason:
        messages.error(request, sentences.sentence(own) if own else requester.sentence(reason))
    else:
        messages.success(request, done)
    return HttpResponseRedirect("/inbox/")


def _decided_words(access_request: AccessRequest) -> str:
    """The second of two sees who was first, and what they decided; else what became of it by itself."""
    if access_request.decided_by is None:
        newer = AccessRequest.objects.filter(
            member=access_request.member,
            account=access_request.account,
            ticket=access_request.ticket,
            pk__gt=access_request.pk,
        )
        if newer.exists():
            return _("Not done: this request was replaced by a newer one. The newer one is on this page.")
    words = {
        "state": badges.badge(state_of(access_request)).word,
        "name": access_request.decided_by.name if access_request.decided_by else "",
        "time": times.moment(access_request.decided_at or access_request.expires_at),
    }
    if access_request.decided_by is None:
        return _("Not done: this request is over: %(state)s, %(time)s.") % words
    return _("Already decided: %(state)s, %(name)s, %(time)s.") % words


def _visible_request(request: HttpRequest, request_id: int) -> AccessRequest | None:
    """The request, for its member, for those who could decide it, and for reviewers and people officers.

    To all others it is None, as one that does not exist. Raises Http404 for those who may see every one.
    """
    rows = AccessRequest.objects.select_related("member", "account", "ticket", "decided_by")
    member = member_of(request)
    if {"reviewer", "people"} & set(member.roles):
        return get_object_or_404(rows, pk=request_id)
    access_request = rows.filter(pk=request_id).first()
    if access_request is None or access_request.member_id == member.pk:
        return access_request
    return access_request if _may_decide(access_request, member) else None


def _may_decide(access_request: AccessRequest, member: Member) -> bool:
    """Whether the database would let this member decide it; nobody decides what there is not."""
    return bool(access_request.pk) and approvers.of(access_request.member).filter(pk=member.pk).exists()
