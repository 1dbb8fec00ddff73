"""Everybody's home, and the ways in: a number typed, a link from the helpdesk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from audit import references
from audit.explorer.search import Query, Term
from gatekeeper import catalogue
from gatekeeper.access import requests
from gatekeeper.access.desk import desk_of
from gatekeeper.access.pieces import account_url, may_ask_more, open_grants, steps_for
from gatekeeper.access.views import live
from gatekeeper.frame import badges
from gatekeeper.gate import answers, decision, widget
from gatekeeper.log.links import LogView
from gatekeeper.models import Feed, Ticket
from gatekeeper.reports.forms import ReportForm
from gatekeeper.reviews import queue
from staff.frame.callers import Caller
from staff.nda import register
from staff.session.decorators import polling, post_only
from staff.session.members import member_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from django.http import HttpRequest, HttpResponse

    from staff.models import Member

TICKETS_A_PAGE = 25


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Open now, my tickets with the gate's state, my own documents."""
    member = member_of(request)
    return _home(request, member, _work(request, member), {})


@polling
@require_GET
def home_list(request: HttpRequest) -> HttpResponse:
    """Home for the page that asks by itself; it is no activity of the session."""
    member = member_of(request)
    work = _work(request, member)
    return live.answer(request, work.facts, lambda more: _home(request, member, work, more))


@dataclass(frozen=True)
class _Work:
    """What of a home changes by itself."""

    tickets: list[dict[str, object]]
    more_url: str
    feed_contact_at: datetime | None

    @property
    def facts(self) -> object:
        lines = [(line["number"], line["state"], line["reference"], line["mark"]) for line in self.tickets]
        return lines, self.more_url, self.feed_contact_at


def _work(request: HttpRequest, member: Member) -> _Work:
    if "consultant" not in member.roles:
        return _Work([], "", None)
    return _Work(*_tickets(request, member), _stale_feed())


def _home(request: HttpRequest, member: Member, work: _Work, more: Mapping[str, object]) -> HttpResponse:
    page = request.GET.get("page", "")
    context = {
        "consultant": "consultant" in member.roles,
        "tickets": work.tickets,
        "more_tickets_url": work.more_url,
        "feed_contact_at": work.feed_contact_at,
        "own": _own(request, member),
        **_desk(request),
        "reviews_count": queue.waiting(member).count() if "reviewer" in member.roles else 0,
        "report_form": ReportForm() if "privacy" in member.roles else None,
        **live.question(request, reverse("home_list"), work.facts, page=page if page.isdigit() else ""),
        **more,
    }
    return render(request, "gatekeeper/pages/home.html", context)


@post_only("home")
def go(request: HttpRequest) -> HttpResponse:
    """Where a typed number leads: an account's gate, or a ticket's. By POST: whatever else is typed
    there appears in no address, no history and no log."""
    text = request.POST.get("q", "").strip()
    kind, reference = references.typed(text) or ("", "")
    if kind == "ticket":
        return HttpResponseRedirect(reverse("ticket", args=[reference]))
    if kind == "account":
        roles = member_of(request).roles
        if "reviewer" in roles and "consultant" not in roles:  # who asks there is who saw it
            return HttpResponseRedirect(LogView(Query((Term("account", reference),))).url())
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
        return render(request, "gatekeeper/pages/ticket.html", refused, status=403)
    if len(found.accounts) == 1:
        return HttpResponseRedirect(account_url(found.accounts[0], number))
    lines = _lines(request, [(found, reference) for reference in found.accounts])
    return render(request, "gatekeeper/pages/ticket.html", {"number": number, "accounts": lines})


def _tickets(request: HttpRequest, member: Member) -> tuple[list[dict[str, object]], str]:
    mine = Ticket.objects.filter(assignee=member, state__in=sorted(catalogue.OPEN_STATES))
    page = Paginator(mine.order_by("-updated_at", "-id"), TICKETS_A_PAGE).get_page(request.GET.get("page"))
    lines = _lines(request, [(found, reference) for found in page for reference in found.accounts])
    return lines, f"/?page={page.next_page_number()}" if page.has_next() else ""


def _lines(request: HttpRequest, pairs: Sequence[tuple[Ticket, str]]) -> list[dict[str, object]]:
    gates = decision.evaluate_all(
        Caller.of(request), [(reference, found.number) for found, reference in pairs]
    )
    member = member_of(request)
    pending = requests.pending_beside(member)
    more = may_ask_more(member, gates)
    return [
        _line(found, reference, seen, pending.get((reference, found.number), ""), more=more)
        for (found, reference), seen in zip(pairs, gates, strict=True)
    ]


def _line(
    found: Ticket, reference: str, seen: answers.Decision, pending: str, *, more: bool
) -> dict[str, object]:
    # Without the facts of the sentences: a list of many tickets asks the database once for each.
    steps = steps_for(seen, reference=reference, ticket=found.number, more=more)
    fields = (("grant", str(seen.grant_id or "")),)
    view = widget.gate_view(seen.codes, steps=steps, step_fields=fields)
    failing = [row for row in view.rows if row.code == seen.reason]
    return {
        "number": found.number,
        "state": found.state,
        "reference": reference,
        "url": account_url(reference, found.number),
        "row": failing[0] if failing else None,
        "open": seen.open,
        "beside": pending if seen.open else "",
        "step": None if seen.open else view.next_step,
        "mark": (seen.reason, seen.grant_id, pending),
    }


def _stale_feed() -> datetime | None:
    """Since when the helpdesk's tickets are not confirmed, if that is too long; SQL says so to each gate."""
    minutes = settings.LIMITS["ticket_feed_max_age_minutes"]
    feed = Feed.objects.filter(name="tickets").first()
    since = feed.relied_on_from if feed else None
    if not minutes or since is None or timezone.now() < since + timedelta(minutes=minutes):
        return None
    return since


def _desk(request: HttpRequest) -> dict[str, object]:
    desk = desk_of(request)
    if desk is None:
        return {}
    return {
        "open_grants": open_grants(desk.open_grants),
        "inbox_count": desk.inbox,
        "proposals_count": desk.proposals,
    }


def _own(request: HttpRequest, member: Member) -> dict[str, object]:
    line = register.line_of(member)
    return {
        "nda": badges.of_agreement(line),
        "nda_ends": line.in_force_until,
        "verified_at": request.session.verified_at,  # type: ignore[attr-defined]  # our engine
    }
