"""Members: the list, one member's page, and what an officer does there.

No rule stands here: the database judges each act, does it and records it, or records the refusal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Prefetch, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from staff import invitations, people
from staff.callers import Caller
from staff.decorators import refusal, role_required
from staff.forms import (
    DayForm,
    ManagerForm,
    RolesForm,
    SearchForm,
    SignatureForm,
    WithdrawalForm,
)
from staff.members import member_of
from staff.models import Invitation, Member, Role, Signature
from staff.reasons import words_of
from staff.views.sign_in import page as page_method

PAGE: Final = 50
#: Reasons of the act itself: whoever meets them may see the page.
OF_THE_ACT: Final = frozenset({"not_yourself", "second_person", "no_change", "value_refused"})

# A GET lists all; the search is sent in the body, so that no name stands in an address.


@page_method
@role_required("suspend")
def members(request: HttpRequest) -> HttpResponse:
    """All members, by number; found by number or name."""
    form = SearchForm(request.POST if request.method == "POST" else None)
    text, wanted = "", 1
    if form.is_bound and form.is_valid():
        text, wanted = form.cleaned_data["text"], form.cleaned_data["page"] or 1
    found = Member.objects.select_related("manager").prefetch_related(
        Prefetch("signatures", Signature.objects.filter(withdrawn_at__isnull=True))
    )
    if text:
        found = found.filter(Q(number__istartswith=text) | Q(name__icontains=text))
    shown = Paginator(found, PAGE).get_page(wanted)
    rows = [(one, state_of(one), _signed_until(one)) for one in shown]
    return render(request, "staff/members.html", {"form": form, "page": shown, "rows": rows})


def state_of(member: Member) -> str:
    """suspended, left, not_started, or '' for a member at work."""
    barred = member.barred_because()
    if barred:
        return barred.removeprefix("member_")
    started = member.starts_on is not None and member.starts_on <= timezone.localdate()
    return "" if started else "not_started"


def _signed_until(member: Member) -> Any:
    now = timezone.now()
    ends = [one.valid_until for one in member.signatures.all() if one.holds_at(at=now)]
    return max(ends, default=None)


@require_safe
@role_required("suspend")
def member(request: HttpRequest, number: str) -> HttpResponse:
    """One member: facts, signatures, and the acts that are this officer's."""
    return _page(request, get_object_or_404(Member, number=number))


def _page(request: HttpRequest, subject: Member, status: int = 200, **more: Any) -> HttpResponse:
    now = timezone.now()
    facts = {
        "subject": subject,
        "state": state_of(subject),
        "officer": Role.PEOPLE in member_of(request).roles,
        "oneself": subject.pk == member_of(request).pk,
        "signatures": [(s, s.holds_at(at=now)) for s in subject.signatures.select_related("version")],
        "open_link": Invitation.objects.filter(
            member=subject, used_at__isnull=True, expires_at__gt=now
        ).first(),
        "forms": _forms(subject) | more.pop("bound", {}),
        **more,
    }
    return render(request, "staff/member.html", facts, status=status)


def _forms(subject: Member) -> dict[str, forms.Form]:
    manager = subject.manager.number if subject.manager else ""
    return {
        "leave": DayForm(initial={"day": subject.left_on}, prefix="leave"),
        "start": DayForm(initial={"day": subject.starts_on}, prefix="start"),
        "roles": RolesForm(initial={"roles": subject.roles}, prefix="roles"),
        "manager": ManagerForm(initial={"manager": manager}, prefix="manager"),
        "sign": SignatureForm(initial={"day": timezone.localdate()}, prefix="sign"),
    }


class _NoForm(forms.Form):
    """An act that needs no more than its button."""


Act = Callable[[Caller, str, Any], str]


def _day(fact: str) -> Act:
    def change(caller: Caller, number: str, form: Any) -> str:
        day = form.cleaned_data["day"]
        return people.change_member(caller, number, fact, day.isoformat() if day else None)

    return change


def _fixed(fact: str, value: people.Value) -> Act:
    return lambda caller, number, _form: people.change_member(caller, number, fact, value)


def _typed(fact: str) -> Act:
    return lambda caller, number, form: people.change_member(caller, number, fact, form.cleaned_data[fact])


def _sign(caller: Caller, number: str, form: Any) -> str:
    version = form.cleaned_data["version"].number
    return people.enter_signature(caller, number, version, form.signed_at)


def _withdraw(caller: Caller, _number: str, form: Any) -> str:
    return people.withdraw_signature(caller, form.cleaned_data["signature"])


#: Action in the address -> its form, and what it does.
ACTIONS: Final[dict[str, tuple[type[forms.Form], Act]]] = {
    "suspend": (_NoForm, _fixed("suspended", True)),
    "lift": (_NoForm, _fixed("suspended", False)),
    "leave": (DayForm, _day("left_on")),
    "start": (DayForm, _day("starts_on")),
    "roles": (RolesForm, _typed("roles")),
    "manager": (ManagerForm, _typed("manager")),
    "sign": (SignatureForm, _sign),
    "withdraw": (WithdrawalForm, _withdraw),
    "reset-factor": (_NoForm, _fixed("factor", "reset")),
}


@require_POST
def act(request: HttpRequest, number: str, action: str) -> HttpResponse:
    """Do one thing to a member. The form is read first, the database judges, does and records."""
    if action == "invite":
        return _invite(request, number)
    if action not in ACTIONS:
        raise Http404
    kind, do = ACTIONS[action]
    form = kind(request.POST, prefix=None if kind in (_NoForm, WithdrawalForm) else action)
    if not form.is_valid():
        return _retry(request, number, {action: form})
    reason = do(Caller.of(request), number, form)
    return _refused(request, number, reason) if reason else _done(request, number)


def _done(request: HttpRequest, number: str) -> HttpResponse:
    messages.success(request, _("Done, and recorded."))
    return redirect("member", number)


def _retry(request: HttpRequest, number: str, bound: dict[str, forms.Form]) -> HttpResponse:
    """The page again with what is wrong in the form, for those who may see it."""
    reason = people.officer(Caller.of(request), "suspend")
    if reason:
        return refusal(request, reason)
    return _page(request, get_object_or_404(Member, number=number), status=422, bound=bound)


def _refused(request: HttpRequest, number: str, reason: str) -> HttpResponse:
    if reason == "member_unknown":
        raise Http404
    if reason not in OF_THE_ACT:
        return refusal(request, reason)
    subject = get_object_or_404(Member, number=number)
    return _page(request, subject, status=409, problem=words_of(reason))


def _invite(request: HttpRequest, number: str) -> HttpResponse:
    """A one-time link, shown this once: it is not stored."""
    subject = Member(number=number)  # whether there is one the database says, after judging who asks
    try:
        token = invitations.invite(subject, by=Caller.of(request))
    except invitations.InvitationError as error:
        return _refused(request, number, str(error))
    link = f"{settings.SITE_URL}{invitations.path_of(token)}"
    return _page(request, get_object_or_404(Member, number=number), link=link)
