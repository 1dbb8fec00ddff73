"""The closed gate: a page of its own, with what is missing, what ended, and one next step."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from gatekeeper.access import endings
from gatekeeper.access.pieces import DAY_OVER, account_url, gate_in_words
from gatekeeper.access.views import live
from gatekeeper.access.views import more as more_today
from gatekeeper.models import AccessRequest, Assignment, Grant, Ticket
from gatekeeper.serving.errors import RETRY_AFTER
from staff.session.decorators import refusal
from staff.session.members import member_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

    from gatekeeper.gate import answers
    from staff.models import Member


def closed_gate(
    request: HttpRequest,
    seen: answers.Decision,
    *,
    reference: str,
    ticket: str | None = None,
    was: Sequence[int] = (),
    more: Mapping[str, object] | None = None,
) -> HttpResponse:
    """The closed gate, with status 403. `was`: the accesses that the page showed as open a moment ago.

    To whom has no claim it says the same of a known and an unknown account.
    """
    if seen.reason == "mfa_stale" and request.method == "POST":
        return refusal(request, seen.reason)
    context = _context(request, seen, reference, was)
    if context["known"]:
        context |= live.question(
            request,
            reverse("gate_state", args=[reference]),
            gate_facts(request, seen, reference),
            ticket=ticket or "",
            was=",".join(map(str, was)),
        )
    return _answer(request, seen, context | dict(more or {}))


def _answer(request: HttpRequest, seen: answers.Decision, context: dict[str, Any]) -> HttpResponse:
    # A question's answer is shown in the page, whatever it says.
    away = seen.away and "HX-Request" not in request.headers
    status = HTTPStatus.SERVICE_UNAVAILABLE if away else HTTPStatus.OK if seen.open else HTTPStatus.FORBIDDEN
    answer = render(request, "gatekeeper/access/gate.html", context, status=status)
    if away:
        answer["Retry-After"] = RETRY_AFTER
    return answer


def _context(
    request: HttpRequest, seen: answers.Decision, reference: str, was: Sequence[int]
) -> dict[str, Any]:
    member = member_of(request)
    requests_here = _requests(member, reference)
    mine = Assignment.objects.filter(member=member, accounts__contains=[reference])
    known = mine.exists() or requests_here.exists()
    named = Ticket.objects.filter(pk=seen.ticket_id or 0).first()
    found = Grant.objects.select_related("approver", "ended_by", "ticket")
    grant = found.filter(pk=seen.grant_id or 0).first()
    number = named.number if named else ""
    return {
        "gate": gate_in_words(request, seen, grant, reference=reference, ticket=number),
        "happened": ended(request, was) or [words for words in (grant and endings.words(grant),) if words],
        "reference": reference,
        "ticket": number if known else "",
        "known": known,
        "pending": requests_here.filter(ticket=named, state="pending", expires_at__gt=timezone.now()).first(),
        "grant": _approved(grant),
        "tickets": _others(member, reference, seen) if known else [],
        "more": more_today.todays_request(request, seen.grant_id) if _is_day_over(seen) else None,
    }


def gate_facts(request: HttpRequest, seen: answers.Decision, reference: str) -> object:
    """What the page of a closed gate rests on."""
    newest = _requests(member_of(request), reference).values_list("pk", "state").first()
    extension = more_today.todays_request(request, seen.grant_id)["mark"] if _is_day_over(seen) else None
    return seen.reason, sorted(seen.codes.items()), seen.request_id, seen.grant_id, newest, extension


def _is_day_over(seen: answers.Decision) -> bool:
    return DAY_OVER in (seen.reason, *seen.codes.values())


def ended(request: HttpRequest, grants: Iterable[int]) -> list[str]:
    """How those of the reader's own accesses ended that have; the newest end first."""
    numbers = list(grants)
    if not numbers:
        return []
    mine = Grant.objects.filter(pk__in=numbers, member=request.user.pk)
    found = mine.select_related("ticket", "ended_by").order_by("-ended_at", "-id")
    return list(dict.fromkeys(words for words in map(endings.words, found) if words))  # said once


def _requests(member: Member, reference: str) -> QuerySet[AccessRequest]:
    return AccessRequest.objects.filter(member=member, account__reference=reference)


def _others(member: Member, reference: str, seen: answers.Decision) -> list[dict[str, str]]:
    mine = Ticket.objects.filter(assignee=member, accounts__contains=[reference])
    others = mine.exclude(pk=seen.ticket_id or 0)[:10]
    return [{"number": other.number, "url": account_url(reference, other.number)} for other in others]


def _approved(grant: Grant | None) -> dict[str, object] | None:
    if grant is None or grant.ended_at is not None:
        return None
    return {
        "id": grant.pk,
        "state": "active" if grant.opened_at else "approved",
        "minutes": grant.minutes,
        "categories": grant.categories,
        "approver": grant.approver.name,
        "while_open": grant.while_open,
    }
