"""What an officer does to a member: each act with its form.

No rule stands here: the database judges each act, does it and records it, proposes it to a second
person, or records the refusal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from staff.directory import people, proposals
from staff.directory.forms import (
    DayForm,
    EmailForm,
    LanguageForm,
    ManagerForm,
    NameForm,
    RolesForm,
    ends_at_once,
)
from staff.directory.views.members import invite, page, waits
from staff.frame.callers import Caller
from staff.frame.reasons import words_of
from staff.frame.usable import usable
from staff.models import Member
from staff.nda import signatures
from staff.nda.forms.agreements import WithdrawalForm
from staff.session.decorators import SURE, post_only, refusal
from staff.session.members import member_of
from staff.sign_in import invitations

#: Reasons of the act itself: whoever meets them may see the page.
OF_THE_ACT: Final = frozenset(
    {"not_yourself", "second_person", "no_change", "value_refused", "proposal_waits", "member_known"}
)
#: Why who changed a member's e-mail does not make their link.
OWN_ADDRESS: Final = gettext_lazy(
    "You changed this member’s e-mail, and they have not signed in with a second factor since. Ask another"
    " people officer to make the link."
)


class _NoForm(forms.Form):
    """An act that needs no more than its button."""


#: What is done with what a form says: nothing, where it cannot be used.
Act = Callable[[Caller, str, Mapping[str, Any]], str]


def _day(fact: str) -> Act:
    def change(caller: Caller, number: str, data: Mapping[str, Any]) -> str:
        day = data.get("day", people.UNUSABLE)
        return people.change_member(caller, number, fact, day.isoformat() if isinstance(day, date) else day)

    return change


def _fixed(fact: str, value: people.Value) -> Act:
    return lambda caller, number, _data: people.change_member(caller, number, fact, value)


def _typed(fact: str) -> Act:
    return lambda caller, number, data: people.change_member(
        caller, number, fact, data.get(fact, people.UNUSABLE)
    )


def _withdraw(caller: Caller, _number: str, data: Mapping[str, Any]) -> str:
    return signatures.withdraw(caller, data.get("signature"), data.get("why"))


#: Action in the address -> its form, and what it does.
ACTIONS: Final[dict[str, tuple[type[forms.Form], Act]]] = {
    "suspend": (_NoForm, _fixed("suspended", True)),
    "lift": (_NoForm, _fixed("suspended", False)),
    "leave": (DayForm, _day("left_on")),
    "start": (DayForm, _day("starts_on")),
    "roles": (RolesForm, _typed("roles")),
    "manager": (ManagerForm, _typed("manager")),
    "name": (NameForm, _typed("name")),
    "email": (EmailForm, _typed("email")),
    "language": (LanguageForm, _typed("language")),
    "withdraw": (WithdrawalForm, _withdraw),
    "reset-factor": (_NoForm, _fixed("factor", "reset")),
}
#: Forms whose fields carry no prefix.
_BARE: Final = (_NoForm, WithdrawalForm)


@post_only("member", "number")
def act(request: HttpRequest, number: str, action: str) -> HttpResponse:
    """Do one thing to a member. The form is read first, the database judges, does and records."""
    if action == "invite":
        return _invite(request, number)
    if action not in ACTIONS:
        raise Http404
    kind, do = ACTIONS[action]
    form = kind(request.POST, prefix=None if kind in _BARE else action)
    data = usable(form)
    oneself = number == member_of(request).number  # the database refuses it, and records that
    if SURE not in request.POST and not oneself and _cannot_be_undone(action, data):
        return _ask_once_more(request, number, action, form)
    with transaction.atomic():  # the notices are stored with what was done, whatever ends this process
        reason = do(Caller.of(request), number, data)
        if action == "suspend" and reason in {"", people.HELD, people.PROPOSED}:
            suspended(request, number, reason)
        elif reason == people.PROPOSED:
            waits(request, number)
    if reason == "value_refused" and not form.is_valid():
        return page(request, get_object_or_404(Member, number=number), status=422, bound={action: form})
    if reason not in {"", people.HELD, people.PROPOSED}:
        return _refused(request, number, reason)
    if not reason and action != "suspend":
        messages.success(request, _("Done, and recorded."))
    return redirect("member", number)


def suspended(request: HttpRequest, number: str, outcome: str) -> None:
    """Say how far a suspension went, and tell those who have to know."""
    subject = Member.objects.get(number=number)
    if outcome == people.PROPOSED:
        said = _("Proposed, and recorded. Nothing has ended: a second person has to confirm it first.")
    elif outcome == people.HELD:
        said = _(
            "Suspended until %(time)s, and recorded. It holds longer when a second person confirms it."
        ) % {"time": date_format(timezone.localtime(subject.suspended_until), "SHORT_DATETIME_FORMAT")}
    else:
        said = _("Suspended until two people lift it, and recorded.")
    messages.success(request, said)
    proposals.notify_of_suspension(subject, member_of(request), outcome)


def _cannot_be_undone(action: str, data: Mapping[str, Any]) -> bool:
    """What ends sessions and accesses at once: they do not come back."""
    return action == "suspend" or (action == "leave" and ends_at_once(data.get("day")))


def _ask_once_more(request: HttpRequest, number: str, action: str, form: forms.Form) -> HttpResponse:
    reason = people.authorize(Caller.of(request), "suspend" if action == "suspend" else "people")
    if reason:
        return refusal(request, reason)
    subject = get_object_or_404(Member, number=number)
    # An ISO day, whatever the language prints: it is read again.
    fields = [(form.add_prefix(name), request.POST.get(form.add_prefix(name), "")) for name in form.fields]
    context: dict[str, Any] = {"subject": subject, "action": action, "fields": fields, "sure": SURE}
    if action == "suspend":
        context["foreseen"] = people.foresee_suspension(Caller.of(request), number)
    return render(request, "staff/directory/member_sure.html", context)


def _refused(request: HttpRequest, number: str, reason: str) -> HttpResponse:
    if reason == "member_unknown":
        raise Http404
    if reason not in OF_THE_ACT:
        return refusal(request, reason)
    subject = get_object_or_404(Member, number=number)
    return page(request, subject, status=409, problem=words_of(reason))


def _invite(request: HttpRequest, number: str) -> HttpResponse:
    """A one-time link. Whether there is such a member the database says, after judging who asks."""
    subject = Member.objects.filter(number=number).first() or Member(number=number)
    try:
        return invite(request, subject)
    except invitations.InvitationError as error:
        if str(error) == "second_person":
            return page(request, subject, status=409, problem=OWN_ADDRESS)
        return _refused(request, number, str(error))
