"""Everybody's home, and the ways in: a number typed, a link from the helpdesk."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from audit.search import Query, Term
from gatekeeper import access, catalogue, gate, presentation
from gatekeeper.log.links import Look
from gatekeeper.models import Feed, Ticket
from gatekeeper.reports.forms import ReportForm
from gatekeeper.views.pages import account_url, open_grants, steps_for
from staff import proposals, register
from staff.callers import Caller
from staff.members import member_of
from staff.models import Member

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpRequest, HttpResponse

TICKETS_A_PAGE = 25

_ACCOUNT = re.compile(r"^(?:MOC-)?([0-9]{5,9})$", re.IGNORECASE)
_TICKET = re.compile(r"^ZD-([0-9]{1,12})$", re.IGNORECASE)


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Open now, my tickets with the gate's state, my own papers."""
    member = member_of(request)
    consultant = "consultant" in member.roles
    tickets, more = _tickets(request, member) if consultant else ([], "")
    context = {
        "consultant": consultant,
        "tickets": tickets,
        "more_tickets_url": more,
        "feed_heard_at": _stale_feed() if consultant else None,
        "own": _own(request, member),
        "report_form": ReportForm() if "privacy" in member.roles else None,
    }
    return render(request, "gatekeeper/home.html", context)


@require_POST
def go(request: HttpRequest) -> HttpResponse:
    """Where a typed number leads: an account's gate, or a ticket's. By POST: whatever else is typed
    there stands in no address, no history and no log."""
    text = request.POST.get("q", "").strip()
    if found := _TICKET.match(text):
        return HttpResponseRedirect(reverse("ticket", args=[f"ZD-{found[1]}"]))
    if found := _ACCOUNT.match(text):
        reference = f"MOC-{found[1]}"
        roles = member_of(request).roles
        if "reviewer" in roles and "consultant" not in roles:  # who asks there is who saw it
            return HttpResponseRedirect(Look(Query((Term("account", reference),))).url())
        return HttpResponseRedirect(account_url(reference))
    messages.error(request, _("Type an account (MOC-48213) or a ticket (ZD-10442)."))
    return HttpResponseRedirect("/")


@require_GET
def ticket(request: HttpRequest, number: str) -> HttpResponse:
    """The helpdesk's link: the gate of the ticket's account; of several, the one not yet open.

    A ticket that is not the member's says no more than one that does not exist.
    """
    found = Ticket.objects.filter(number=number, assignments__member=request.user.pk).first()
    if found is None or not found.accounts:
        refused = {"number": number, "accounts": []}
        return render(request, "gatekeeper/ticket.html", refused, status=403)
    if len(found.accounts) == 1:
        return HttpResponseRedirect(account_url(found.accounts[0], number))
    accounts = [_line(request, found, reference) for reference in found.accounts]
    return render(request, "gatekeeper/ticket.html", {"number": number, "accounts": accounts})


def _tickets(request: HttpRequest, member: Member) -> tuple[list[dict[str, object]], str]:
    mine = Ticket.objects.filter(assignee=member, state__in=sorted(catalogue.OPEN_STATES))
    page = Paginator(mine.order_by("-updated_at", "-id"), TICKETS_A_PAGE).get_page(request.GET.get("page"))
    lines = [_line(request, found, reference) for found in page for reference in found.accounts]
    return lines, f"/?page={page.next_page_number()}" if page.has_next() else ""


def _line(request: HttpRequest, found: Ticket, reference: str) -> dict[str, object]:
    seen = gate.look(Caller.of(request), account=reference, ticket=found.number)
    # Without the facts of the sentences: a list of many tickets asks the database once for each.
    steps = steps_for(seen, reference=reference, ticket=found.number)
    fields = (("grant", str(seen.grant_id or "")),)
    view = presentation.gate_view(seen.codes, steps=steps, step_fields=fields)
    failing = [row for row in view.rows if row.code == seen.reason]
    return {
        "number": found.number,
        "state": found.state,
        "reference": reference,
        "url": account_url(reference, found.number),
        "row": failing[0] if failing else None,
        "waits": seen.reason == "grant_not_started",
        "step": view.next_step,
    }


def _stale_feed() -> datetime | None:
    """Since when the helpdesk's tickets are not confirmed, if that is too long; SQL says so to each gate."""
    minutes = settings.LIMITS["ticket_feed_max_age_minutes"]
    feed = Feed.objects.filter(name="tickets").first()
    since = feed.relied_on_from if feed else None
    if not minutes or since is None or timezone.now() < since + timedelta(minutes=minutes):
        return None
    return since


def _own(request: HttpRequest, member: Member) -> dict[str, object]:
    state, ends = nda_state(member)
    return {
        "nda": state,
        "nda_ends": ends,
        "verified_at": request.session.verified_at,  # type: ignore[attr-defined]  # our engine
    }


def nda_state(member: Member) -> tuple[str, datetime | None]:
    """A badge for a member's agreement, and its end. For people to read: the gate asks SQL."""
    line = register.line_of(member, register.standing(), at=timezone.now())
    if line.reason:
        return "missing", None
    return ("in_force" if line.state == register.State.VALID else str(line.state)), line.ends


def thin_bar(request: HttpRequest) -> dict[str, object]:
    """Context processor: the thin bar's open accesses, unless the view has them, and how many requests
    wait. Asked for by the templates that show them."""
    member = getattr(request, "user", None)
    if not isinstance(member, Member) or not member.is_verified():  # type: ignore[attr-defined]  # django-otp
        return {}
    manager = "manager" in member.roles
    return {
        "open_grants": cache(lambda: open_grants(access.held(Caller.of(request), member))),
        "inbox_count": cache(lambda: access.count_waiting_for(member) if manager else 0),
        "proposals_count": cache(lambda: proposals.confirmable_by(member).count()),
    }
