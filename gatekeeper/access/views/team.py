"""A team's members with what is open to them; ending, deputies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from gatekeeper.access import deputies as deputies_named
from gatekeeper.access import notices, requests
from gatekeeper.access.forms import DeputyForm
from gatekeeper.access.views.request_rows import grant_state
from gatekeeper.frame import badges
from gatekeeper.gate import sentences
from gatekeeper.models import Deputy, Grant
from staff.directory import proposals
from staff.frame.callers import Caller
from staff.models import Member
from staff.nda import register
from staff.session.decorators import post_only, refusal, role_required
from staff.session.members import found_by, member_of
from staff.sign_in.views.sign_in import page as page_method

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

MEMBERS_A_PAGE = 50


@page_method
@role_required("end")
def team(request: HttpRequest) -> HttpResponse:
    """For a manager those below them, or whom they search for; for the other two roles everybody.

    The search is sent in the body, so that no name appears in an address.
    """
    return _page(request)


def _page(request: HttpRequest, form: DeputyForm | None = None, status: int = 200) -> HttpResponse:
    member = member_of(request)
    manages = "manager" in member.roles
    query = request.POST.get("q", "").strip()[:100]
    # A manager sees their own people; by number or name anybody, for any manager may end any access.
    found = _below(member) if manages and not query else Member.objects.exclude(pk=member.pk)
    if query:
        found = found.filter(found_by(query))
    page = Paginator(found.order_by("number"), MEMBERS_A_PAGE).get_page(request.POST.get("page"))
    context: dict[str, object] = {
        "members": [_row(line, member) for line in register.lines_of(page)],
        "query": query,
        "following": page.next_page_number() if page.has_next() else None,
        "manages": manages,
        "to_confirm": proposals.suspensions_to_confirm(member).count(),
    }
    context["deputies"] = deputies_named.running(member)
    if manages:
        context["form"] = form or DeputyForm(manager=member)
        context["days"] = requests.limit("deputy_days")
    return render(request, "gatekeeper/access/team.html", context, status=status)


@post_only("team")
@role_required("approve")
def deputies(request: HttpRequest) -> HttpResponse:
    """Name a deputy from one day to another."""
    form = DeputyForm(request.POST, manager=member_of(request))
    if not form.is_valid():
        reason = deputies_named.name(Caller.of(request))
        if reason != "value_refused":
            return _done(request, reason, "")
        return _page(request, form, status=422)
    begins, ends = form.span()
    reason = deputies_named.name(
        Caller.of(request),
        deputy=form.cleaned_data["deputy"].number,
        begins_at=begins,
        ends_at=ends,
    )
    return _done(request, reason, _("Deputy named."))


@post_only("team")
def end_deputy(request: HttpRequest, deputy_id: int) -> HttpResponse:
    """End a deputy's time now, anybody's: whoever may suspend."""
    with transaction.atomic():
        reason = deputies_named.end(Caller.of(request), deputy_id)
        if not reason:
            named = Deputy.objects.select_related("manager", "deputy").get(pk=deputy_id)
            notices.notify_of_ended_deputy(named, by=member_of(request))
    return _done(request, reason, _("The deputy's time has ended."))


def _done(request: HttpRequest, reason: str, words: str) -> HttpResponse:
    if reason in ("mfa_stale", "role_missing"):
        return refusal(request, reason)
    if reason:
        messages.error(request, sentences.sentence(reason, {"deputy_days": requests.limit("deputy_days")}))
    else:
        messages.success(request, words)
    return HttpResponseRedirect("/team/")


def _below(manager: Member) -> QuerySet[Member]:
    """Everybody who reports to the manager, directly or not; a circle of managers ends."""
    found: set[int] = set()
    layer = {manager.pk}
    while layer:
        layer = set(Member.objects.filter(manager__in=layer).values_list("pk", flat=True))
        layer -= found | {manager.pk}
        found |= layer
    return Member.objects.filter(pk__in=found)


def _row(line: register.Line, viewer: Member) -> dict[str, object]:
    one = line.member
    grants = Grant.objects.filter(member=one, ended_at=None).select_related("account", "ticket")
    return {
        "number": one.number,
        "name": one.name,
        "roles": one.roles,
        "direct": one.manager_id == viewer.pk,
        "state": _state(one),
        "nda": badges.of_agreement(line),
        "nda_ends": line.in_force_until,
        "may_suspend": not one.is_suspended and one.pk != viewer.pk,
        "grants": [_access(grant) for grant in grants[:20]],
    }


def _access(grant: Grant) -> dict[str, object]:
    return {
        "id": grant.pk,
        "reference": grant.account.reference,
        "ticket": grant.ticket.number,
        "categories": grant.categories,
        "state": grant_state(grant),
        "ends_at": grant.window_ends_at,
    }


def _state(one: Member) -> str:
    today = timezone.localdate()
    if one.is_suspended:
        return "suspended"
    if one.left_on is not None and one.left_on < today:
        return "left"
    return "not_started" if one.starts_on is None or one.starts_on > today else ""
