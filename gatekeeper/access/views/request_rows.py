"""A request and its grant, as the inbox and the request's page show them."""

from __future__ import annotations

from django.utils import timezone

from gatekeeper import catalogue
from gatekeeper.access import requester, typed_reasons
from gatekeeper.access.request_notes import notes
from gatekeeper.models import AccessRequest, Grant

#: What whoever decides can choose from.
CHOICES = {"reasons": catalogue.DENIALS, "lengths": catalogue.MINUTES}
#: What is shown of a request as it appears in its row.
_AS_REQUESTED = ("purpose", "categories", "minutes", "while_open", "reason", "requested_at", "expires_at")


def item(access_request: AccessRequest, judged: requester.Judged) -> dict[str, object]:
    """Return all that is shown of a request that may be decided; `judged`: what is in its way now."""
    return {
        **{name: getattr(access_request, name) for name in _AS_REQUESTED},
        "id": access_request.pk,
        "member": access_request.member.number,
        "member_name": access_request.member.name,
        "reference": access_request.account.reference,
        "ticket": access_request.ticket.number,
        "text": typed_reasons.of(access_request),
        "checks": judged.rows,
        "notes": list(notes(access_request).values()),
        "denials": _denials(access_request),
        "refusal": requester.sentence(judged.reason),
    }


def _denials(access_request: AccessRequest) -> list[dict[str, object]]:
    earlier = AccessRequest.objects.filter(
        ticket=access_request.ticket, account=access_request.account, state="denied", pk__lt=access_request.pk
    )
    return [
        {"at": one.decided_at, "by": one.decided_by.name if one.decided_by else "", "denial": one.denial}
        for one in earlier.select_related("decided_by")[:5]
    ]


def state_of(access_request: AccessRequest) -> str:
    """Return the request's state; one whose time has passed has expired, though nothing has tidied it yet."""
    if access_request.state == "pending" and access_request.expires_at <= timezone.now():
        return "lapsed"
    return access_request.state


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
