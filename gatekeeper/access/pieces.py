"""What several pages need: the gate in words, with the steps this viewer can take."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from django.urls import reverse

from gatekeeper.access import approvers, endings, grants
from gatekeeper.access import more as more_today
from gatekeeper.gate import answers, widget
from gatekeeper.models import AccessRequest, Account, Feed, Grant
from staff.nda import register
from staff.session.members import member_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from django.http import HttpRequest

    from staff.models import Member


DAY_OVER: Final = "daily_budget_reached"


def gate_in_words(
    request: HttpRequest,
    seen: answers.Decision,
    grant: Grant | None,
    *,
    reference: str,
    ticket: str,
) -> widget.GateView:
    """The widget for what SQL answered, with the grant and the ticket (number) that it rests on.

    Whether it is open is SQL's word, never the rows'.
    """
    facts = _facts(member_of(request), seen, grant, request.session.verified_at)  # type: ignore[attr-defined]  # our engine
    view = widget.gate_view(
        seen.codes,
        facts | {"ticket": ticket or None},
        steps=steps_for(
            seen, reference=reference, ticket=ticket, more=may_ask_more(member_of(request), [seen])
        ),
        step_fields=(("grant", str(seen.grant_id or "")),),
        ends_at=grant.window_ends_at if grant else None,
    )
    return replace(view, open=seen.open, reason=seen.reason or "")


def open_gate(request: HttpRequest, seen: answers.Decision, grant: grants.OpenGrant) -> widget.GateView:
    """The widget of the account's page: SQL has said that it is open."""
    facts = {
        "verified_at": request.session.verified_at,  # type: ignore[attr-defined]  # our engine
        "nda_version": grant.nda_version,
        "nda_ends": grant.nda_ends,
        "ticket": grant.ticket,
        "approver": grant.approver,
        "categories": grant.categories,
        "window_ends_at": grant.ends_at,
    }
    view = widget.gate_view(seen.codes, facts, ends_at=grant.ends_at)
    return replace(view, open=True, reason="")


def open_grants(found: Sequence[grants.OpenGrant]) -> list[tuple[grants.OpenGrant, str]]:
    """What is open, each with its address."""
    return [(one, account_url(one.reference, one.ticket)) for one in found]


def may_ask_more(viewer: Member, gates: Sequence[answers.Decision]) -> bool:
    """Whether one of these is closed by the day's budget, and asking for more would do something."""
    return any(DAY_OVER in one.codes.values() for one in gates) and more_today.may_ask(viewer)


def steps_for(seen: answers.Decision, *, reference: str, ticket: str, more: bool) -> dict[str, str]:
    """The addresses of what this viewer can do about a closed gate, by the step's kind. `more`: whether they
    may ask for more today."""
    here = account_url(reference, ticket)
    steps = {
        "sign_in": reverse("sign_in"),
        "verify": f"{reverse('step_up')}?{urlencode({'next': here})}",
    }
    steps["sign"] = f"{reverse('nda')}?{urlencode({'next': here})}"
    if ticket:
        steps["request"] = request_url(reference, ticket)
    if seen.grant_id is not None and DAY_OVER not in seen.codes.values():
        # On a day that is used up the clock would run, and nothing could be shown.
        steps["open"] = reverse("open_window", args=[reference])
    if more:
        steps["more"] = reverse("ask_more")
    return steps


def request_url(reference: str, ticket: str, **more: str) -> str:
    """The page on which this account is asked for under this ticket."""
    return f"{reverse('ask', args=[reference])}?{urlencode({'ticket': ticket, **more})}"


def _facts(
    member: Member, seen: answers.Decision, grant: Grant | None, verified_at: datetime | None
) -> dict[str, object]:
    """What the sentences of the rows may name; each is left out when it is not known.

    What a single code alone can name is asked for with that code only: most pages show an open gate.
    """
    facts: dict[str, object] = {"starts_on": member.starts_on, "verified_at": verified_at}
    agreement = register.line_of(member)
    if agreement.signature:
        facts |= {"nda_version": agreement.signature.version_id, "nda_ends": agreement.ends}
    facts |= _request_facts(seen) if grant is None else _grant_facts(grant)
    codes = set(seen.codes.values())
    if codes & {"approval_missing", "approval_pending", DAY_OVER}:
        facts["approvers"] = ", ".join(approvers.of(member).values_list("name", flat=True))
    if "approval_missing" in codes:
        facts |= _past_request(member, seen)
    if "ticket_feed_stale" in codes:
        feed = Feed.objects.filter(name="tickets").first()
        facts["contact_at"] = feed.relied_on_from if feed else None
    if "consent_expired" in codes:
        facts["consent_ends"] = _consent_ends(seen)
    return facts


def _consent_ends(seen: answers.Decision) -> datetime | None:
    account = Account.objects.filter(pk=seen.account_id or 0).first()
    ends = (account.support_until, account.participants_until) if account else ()
    return min((end for end in ends if end), default=None)  # where one has expired, it is the earlier


def _request_facts(seen: answers.Decision) -> dict[str, object]:
    access_request = (
        AccessRequest.objects.select_related("decided_by").filter(pk=seen.request_id or 0).first()
    )
    if access_request is None:
        return {}
    return {
        "requested_at": access_request.requested_at,
        "expires_at": access_request.expires_at,
        "minutes": access_request.minutes,
        "denial": access_request.denial,
        "approver": access_request.decided_by and access_request.decided_by.name,
    }


def _past_request(member: Member, seen: answers.Decision) -> dict[str, object]:
    """How the newest request for this account and ticket came to its end; {} where none was ever sent."""
    mine = AccessRequest.objects.filter(
        member=member, account=seen.account_id or 0, ticket=seen.ticket_id or 0
    )
    access_request = mine.select_related(
        "decided_by", "grant__approver", "grant__ended_by", "grant__ticket"
    ).first()
    if access_request is None:
        return {}
    if access_request.state == "approved":
        grant = getattr(access_request, "grant", None)
        if grant is None:  # no row of ours: then nothing is said of it
            return {}
        return {
            "approved_by": grant.approver.name,
            "approved_at": grant.approved_at,
            "ending": endings.words(grant),
        }
    if access_request.state == "denied":
        return {
            "approver": access_request.decided_by and access_request.decided_by.name,
            "denial": access_request.denial,
        }
    return {
        "requested_at": access_request.requested_at,
        f"{access_request.state}_at": access_request.decided_at,
    }


def _grant_facts(grant: Grant) -> dict[str, object]:
    return {
        "approver": grant.approver.name,
        "categories": grant.categories,
        "minutes": grant.minutes,
        "open_before": grant.open_before,
        "window_ends_at": grant.window_ends_at,
        "ended_at": grant.ended_at or grant.window_ends_at,
        "ended_by": grant.ended_by and grant.ended_by.name,
    }


def account_url(reference: str, ticket: str = "") -> str:
    """The account's page; with a ticket, the gate under that ticket."""
    url = reverse("account", args=[reference])
    return f"{url}?{urlencode({'ticket': ticket})}" if ticket else url
