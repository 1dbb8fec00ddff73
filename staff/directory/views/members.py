"""Members: the list, one member's page, and a new one.

No rule stands here: the database judges each act, does it and records it, or records the refusal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Q
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from staff.directory import people, proposals
from staff.directory.forms import (
    DayForm,
    EmailForm,
    LanguageForm,
    ManagerForm,
    MemberForm,
    NameForm,
    RolesForm,
    SearchForm,
)
from staff.frame import mails
from staff.frame.callers import Caller
from staff.frame.reasons import words_of
from staff.models import Invitation, Member, Role
from staff.nda import register
from staff.nda.forms.agreements import WithdrawalForm
from staff.session.decorators import refusal, resendable, role_required
from staff.session.members import found_by, member_of
from staff.sign_in import invitations
from staff.sign_in.views.sign_in import page as page_method

if TYPE_CHECKING:
    from datetime import date

    from django import forms
    from django.http import HttpRequest, HttpResponse

PAGE: Final = 50
DECIDED_SHOWN: Final = 20

# A GET lists all; the search is sent in the body, so that no name appears in an address.


@page_method
@role_required("suspend")
def members(request: HttpRequest) -> HttpResponse:
    """All members, by number; found by number or name, by state and by role."""
    form = SearchForm(request.POST if request.method == "POST" else None)
    wrong = form.is_bound and not form.is_valid()
    facts = form.cleaned_data if form.is_bound else {}
    found = Member.objects.none() if wrong else Member.objects.select_related("manager")
    if facts.get("text"):
        found = found.filter(found_by(facts["text"]))
    if facts.get("state"):
        found = found.filter(_in_state(facts["state"], timezone.localdate()))
    if facts.get("role"):
        found = found.filter(roles__contains=[facts["role"]])
    shown = Paginator(found, PAGE).get_page(facts.get("page") or 1)
    rows = [(line.member, state_of(line.member), line.in_force_until) for line in register.lines_of(shown)]
    context = {"form": form, "page": shown, "rows": rows, "officer": Role.PEOPLE in member_of(request).roles}
    return render(request, "staff/directory/members.html", context, status=422 if wrong else 200)


def _in_state(state: str, today: date) -> Q:
    """The same as `state_of`, for the table."""
    suspended, left = Member.suspended(), Q(left_on__lt=today)
    started = Q(starts_on__lte=today)
    wanted: dict[str, Q] = {
        "suspended": suspended,
        "left": ~suspended & left,
        "not_started": ~suspended & ~left & (Q(starts_on=None) | Q(starts_on__gt=today)),
        "working": ~suspended & (Q(left_on=None) | Q(left_on__gte=today)) & started,
    }
    return wanted[state]


def state_of(member: Member) -> str:
    """suspended, left, not_started, or '' for a member at work."""
    barred = member.barred_because()
    if barred:
        return barred.removeprefix("member_")
    started = member.starts_on is not None and member.starts_on <= timezone.localdate()
    return "" if started else "not_started"


@require_safe
@role_required("suspend")
def member(request: HttpRequest, number: str) -> HttpResponse:
    """One member: facts, signatures, what waits, and the acts that are this officer's."""
    return page(request, get_object_or_404(Member, number=number))


def page(request: HttpRequest, subject: Member, status: int = 200, **more: Any) -> HttpResponse:
    """The member's page; `more` are a problem, a link just made, and forms to be shown again (bound)."""
    now = timezone.now()
    viewer = member_of(request)
    waiting = proposals.shown_to(viewer, proposals.waiting().filter(subject=subject))
    decided = proposals.shown_to(viewer, proposals.decided().filter(subject=subject))
    facts = {
        "subject": subject,
        "state": state_of(subject),
        "officer": Role.PEOPLE in viewer.roles,
        "oneself": subject.pk == viewer.pk,
        "own_address": people.is_own_address(subject.pk, viewer.pk),
        "signatures": register.signatures_of(subject),
        "open_link": Invitation.objects.filter(
            member=subject, used_at__isnull=True, expires_at__gt=now
        ).first(),
        "waiting": [proposals.describe(one) for one in waiting],
        "decided": [proposals.describe(one) for one in decided[:DECIDED_SHOWN]],
        "forms": _forms(subject) | more.pop("bound", {}),
        **more,
    }
    return render(request, "staff/directory/member.html", facts, status=status)


def _forms(subject: Member) -> dict[str, forms.Form]:
    manager = subject.manager.number if subject.manager else ""
    return {
        "leave": DayForm(initial={"day": subject.left_on}, prefix="leave"),
        "start": DayForm(initial={"day": subject.starts_on}, prefix="start"),
        "roles": RolesForm(initial={"roles": subject.roles}, prefix="roles"),
        "manager": ManagerForm(initial={"manager": manager}, prefix="manager"),
        "name": NameForm(initial={"name": subject.name}, prefix="name"),
        "email": EmailForm(initial={"email": subject.email}, prefix="email"),
        "language": LanguageForm(initial={"language": subject.language}, prefix="language"),
        "withdraw": WithdrawalForm(),
    }


@resendable(
    gettext_lazy("The member is added, or proposed."),
    name=gettext_lazy("Name"),
    email=gettext_lazy("E-mail"),
)
@page_method
@role_required("people")
def new_member(request: HttpRequest) -> HttpResponse:
    """Add a member, and make their one-time link."""
    form = MemberForm(request.POST if request.method == "POST" else None)
    if not form.is_bound:
        return render(request, "staff/directory/member_new.html", {"form": form})
    usable = form.is_valid()
    with transaction.atomic():
        reason = people.add_member(Caller.of(request), form.facts() if usable else {})
        if reason == people.PROPOSED:
            waits(request, form.cleaned_data["number"])
    if reason in {"member_known", "value_refused"}:
        if usable:
            form.add_error(None, str(words_of(reason)))
        return render(
            request, "staff/directory/member_new.html", {"form": form}, status=409 if usable else 422
        )
    if reason and reason != people.PROPOSED:
        return refusal(request, reason)
    return invite(request, get_object_or_404(Member, number=form.cleaned_data["number"]))


def invite(request: HttpRequest, subject: Member) -> HttpResponse:
    """A new one-time link: mailed to the member, so that nobody here sees it; without mail shown this once
    on the member's page, because it is not stored.

    Raises InvitationError.
    """
    path = invitations.path_of(invitations.invite(subject, by=Caller.of(request)))
    if not mails.are_configured():
        return page(request, subject, link=f"{settings.SITE_URL}{path}")
    if invitations.mail(subject, path):
        return page(request, subject, mailed=True)
    problem = _(
        "The link could not be mailed, so nobody has it. An administrator sees why on the page of checks."
    )
    return page(request, subject, status=502, problem=problem)


def waits(request: HttpRequest, number: str) -> None:
    """Say that a second person has to confirm, and tell those who could."""
    messages.info(request, _("Proposed, and recorded. It counts when somebody else has confirmed it."))
    proposals.notify_deciders(number, member_of(request))
