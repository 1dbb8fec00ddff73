"""The manager's inbox, and one request with all its facts. Decided once, in the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from gatekeeper import catalogue
from gatekeeper.access import approvers, requester, requests, typed_reasons
from gatekeeper.access.forms import ApproveForm, DenyForm
from gatekeeper.access.request_notes import notes
from gatekeeper.access.views import live, more
from gatekeeper.frame import badges
from gatekeeper.gate import sentences
from gatekeeper.models import AccessRequest, Grant
from staff.directory import people
from staff.frame import times
from staff.frame.callers import Caller
from staff.models import Role
from staff.session.decorators import polling, post_only, refusal, role_required
from staff.session.members import member_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest, HttpResponse

    from staff.models import Member


CHOICES = {"reasons": catalogue.DENIALS, "lengths": catalogue.MINUTES}
DECIDED_SHOWN = 50
#: What is shown of a request as it stands in its row.
_AS_ASKED = ("purpose", "categories", "minutes", "while_open", "reason", "asked_at", "lapses_at")


@require_GET
@role_required("manage")
def inbox(request: HttpRequest) -> HttpResponse:
    """What waits for this manager, and what was decided today."""
    return _inbox(request, _work(request), {})


@polling
@require_GET
@role_required("manage")
def inbox_list(request: HttpRequest) -> HttpResponse:
    """The inbox for the page that asks by itself; it is no activity of the session."""
    work = _work(request)
    return live.answer(request, work.facts, lambda more: _inbox(request, work, more))


@dataclass(frozen=True)
class _Work:
    """What of an inbox changes by itself."""

    waiting: list[AccessRequest]
    judged: dict[int, requester.Judged]
    more: list[dict[str, object]]
    decided: list[dict[str, object]]

    @property
    def facts(self) -> object:
        waiting = [(one.pk, list(self.judged[one.pk].codes.values())) for one in self.waiting]
        return waiting, self.more, [sorted(one.items()) for one in self.decided]


def _work(request: HttpRequest) -> _Work:
    manager = member_of(request)
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    decided = AccessRequest.objects.filter(decided_at__gte=midnight, decided_by__isnull=False)
    mine = decided.filter(decided_by=manager) | decided.filter(member__manager=manager)
    rows = mine.select_related("member", "account", "ticket", "decided_by", "grant")
    newest = rows.order_by("-decided_at")[:DECIDED_SHOWN]
    waiting = approvers.waiting_for(manager)
    asked_more = [number for kind, number in approvers.everything_waiting_for(manager) if kind == "more"]
    both = [*(_decided(asked) for asked in newest), *more.decided_today(manager)]
    both.sort(key=lambda one: str(one["at"]), reverse=True)
    return _Work(waiting, requester.judge(waiting), more.items(asked_more), both)


def _inbox(request: HttpRequest, work: _Work, more: Mapping[str, object]) -> HttpResponse:
    context = {
        "requests": [_item(asked, work.judged[asked.pk]) for asked in work.waiting],
        "more": work.more,
        "waiting": len(work.waiting) + len(work.more),
        "decided": work.decided,
        **CHOICES,
        **live.question(request, reverse("inbox_list"), work.facts),
        **more,
    }
    return render(request, "gatekeeper/access/inbox.html", context)


@require_GET
def approval(request: HttpRequest, request_id: int) -> HttpResponse:
    """One request: the requester's own, or for who could decide or ends accesses by role."""
    asked = _asked(request, request_id)
    member = member_of(request)
    if asked is None:
        return refusal(request, "role_missing")
    state = _state(asked)
    grant = Grant.objects.filter(request=asked, ended_at=None).first()
    context = {
        "item": _item(asked, requester.judge([asked])[asked.pk]),
        "state": state,
        "ended": None if state == "pending" else _ended(asked),
        "mine": asked.member_id == member.pk,
        "approvers": list(approvers.of(asked.member).values_list("name", flat=True)),
        "may_decide": _may_decide(asked, member),
        "grant_id": grant.pk if grant else None,
        "print_id": _to_print(asked, member),
        **CHOICES,
    }
    return render(request, "gatekeeper/access/approval.html", context)


def _ended(asked: AccessRequest) -> dict[str, object]:
    return {
        "at": asked.decided_at or asked.lapses_at,
        "by": asked.decided_by.name if asked.decided_by else "",
        "stead": asked.in_stead_of.number if asked.in_stead_of else "",
        "denial": asked.denial,
    }


def _to_print(asked: AccessRequest, member: Member) -> int | None:
    """The grant whose print this member is offered, also when it has ended; the database judges it."""
    grant = Grant.objects.filter(request=asked).first()
    if grant is None:
        return None
    concerned = member.pk in (grant.member_id, grant.approver_id) or Role.REVIEWER in member.roles
    return grant.pk if concerned else None


# Who may decide the database says, and records; of a number that is nobody's as of one that is another's.


@post_only("approval", "request_id")
def approve(request: HttpRequest, request_id: int) -> HttpResponse:
    """Approve as asked, or shorter, narrower, once or while the ticket is open."""
    asked = AccessRequest.objects.filter(pk=request_id).first() or AccessRequest()
    form = ApproveForm(request.POST)
    if not form.is_valid():
        return _unusable(request, request_id, form)
    data = form.cleaned_data
    reason = requests.approve(
        Caller.of(request),
        request_id,
        categories=data["categories"],
        minutes=data["minutes"] or asked.minutes,
        while_open=data["stretch"] == "while_open" if data["stretch"] else asked.while_open,
    )
    return _answer(request, asked, reason, _("Approved. The clock starts when the account is opened."))


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
    asked = AccessRequest.objects.filter(pk=request_id).first() or AccessRequest()
    form = DenyForm(request.POST)
    if not form.is_valid():
        requests.deny(Caller.of(request), request_id, denial="")
        messages.error(request, _("Choose a reason for the rejection."))
        return HttpResponseRedirect("/inbox/")
    reason = requests.deny(Caller.of(request), request_id, denial=form.cleaned_data["denial"])
    return _answer(request, asked, reason, _("Rejected."))


def _answer(request: HttpRequest, asked: AccessRequest, reason: str, done: str) -> HttpResponse:
    own = people.officer(Caller.of(request), "approve") if reason else ""  # of the two, whose reason it is
    if own in ("mfa_stale", "role_missing", "session_missing", "session_expired", "mfa_missing"):
        return refusal(request, own)
    if reason == "role_missing" and not _may_decide(asked, member_of(request)):
        return refusal(request, reason)
    if reason == "already_decided":
        asked.refresh_from_db()
        messages.warning(request, _decided_words(asked))
    elif reason:
        messages.error(request, sentences.sentence(own) if own else requester.sentence(reason))
    else:
        messages.success(request, done)
    return HttpResponseRedirect("/inbox/")


def _decided_words(asked: AccessRequest) -> str:
    """The second of two sees who was first, and what they decided; else what became of it by itself."""
    if asked.decided_by is None:
        newer = AccessRequest.objects.filter(
            member=asked.member, account=asked.account, ticket=asked.ticket, pk__gt=asked.pk
        )
        if newer.exists():
            return _("Not done: this request was replaced by a newer one. What waits stands here.")
    words = {
        "state": badges.badge(_state(asked)).word,
        "name": asked.decided_by.name if asked.decided_by else "",
        "time": times.moment(asked.decided_at or asked.lapses_at),
    }
    if asked.decided_by is None:
        return _("Not done: this request is over: %(state)s, %(time)s.") % words
    return _("Already decided: %(state)s, %(name)s, %(time)s.") % words


def _asked(request: HttpRequest, request_id: int) -> AccessRequest | None:
    """The request, for its member, for those who could decide it, and for reviewers and people officers.

    To all others it is None, as one that does not exist. Raises Http404 for those who may see every one.
    """
    rows = AccessRequest.objects.select_related("member", "account", "ticket", "decided_by")
    member = member_of(request)
    if {"reviewer", "people"} & set(member.roles):
        return get_object_or_404(rows, pk=request_id)
    asked = rows.filter(pk=request_id).first()
    if asked is None or asked.member_id == member.pk:
        return asked
    return asked if _may_decide(asked, member) else None


def _may_decide(asked: AccessRequest, member: Member) -> bool:
    """Whether the database would let this member decide it; nobody decides what there is not."""
    return bool(asked.pk) and approvers.of(asked.member).filter(pk=member.pk).exists()


def _state(asked: AccessRequest) -> str:
    if asked.state == "pending" and asked.lapses_at <= timezone.now():
        return "lapsed"
    return asked.state


def _item(asked: AccessRequest, judged: requester.Judged) -> dict[str, object]:
    return {
        **{name: getattr(asked, name) for name in _AS_ASKED},
        "id": asked.pk,
        "member": asked.member.number,
        "member_name": asked.member.name,
        "reference": asked.account.reference,
        "ticket": asked.ticket.number,
        "text": typed_reasons.of(asked),
        "checks": judged.rows,
        "notes": list(notes(asked).values()),
        "denials": _denials(asked),
        "refusal": requester.sentence(judged.reason),
    }


def _denials(asked: AccessRequest) -> list[dict[str, object]]:
    earlier = AccessRequest.objects.filter(
        ticket=asked.ticket, account=asked.account, state="denied", pk__lt=asked.pk
    )
    return [
        {"at": one.decided_at, "by": one.decided_by.name if one.decided_by else "", "denial": one.denial}
        for one in earlier.select_related("decided_by")[:5]
    ]


def _decided(asked: AccessRequest) -> dict[str, object]:
    grant: Grant | None = getattr(asked, "grant", None)
    state: str = asked.state
    if grant is not None:
        state = grant_state(grant)
    return {
        "member_name": asked.member.name,
        "member": asked.member.number,
        "reference": asked.account.reference,
        "ticket": asked.ticket.number,
        "state": state,
        "at": asked.decided_at,
        "by": asked.decided_by.name if asked.decided_by else "",
        "grant_id": grant.pk if grant and state in ("approved", "active") else None,
    }


def grant_state(grant: Grant) -> str:
    """A badge for a grant: approved, active, ended, expired or revoked."""
    now = timezone.now()
    if grant.ended_at is not None:
        if grant.ended_by_id is not None and grant.ended_by_id != grant.member_id:
            return "revoked"
        return "expired" if grant.end_reason == "expired" else "ended"
    if grant.window_ends_at is not None and grant.window_ends_at > now:
        return "active"
    return (
        "approved" if grant.open_before > now and (grant.while_open or grant.opened_at is None) else "expired"
    )
