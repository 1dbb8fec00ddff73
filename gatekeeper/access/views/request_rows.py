"""A request and its grant, as the inbox and the request's page show them."""

from __future__ import annotations

from django.utils import timezone

from gatekeeper import catalogue
from gatekeeper.access import requester, typed_reasons
from gatekeeper.access.request_notes import notes
from gatekeeper.models import AccessRequest, Grant

#: What whoever decides can choose from.
CHOICES = {"reasons": catalogue.DENIALS, "lengths": catalogue.MINUTES}
#: What is shown of a request as it stands in its row.
_AS_ASKED = ("purpose", "categories", "minutes", "while_open", "reason", "asked_at", "lapses_at")


def item(asked: AccessRequest, judged: requester.Judged) -> dict[str, object]:
    """Return all that is shown of a request that may be decided; `judged`: what stands in its way now."""
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


def state_of(asked: AccessRequest) -> str:
    """Return the request's state; one whose time has passed has lapsed, though nothing has tidied it yet."""
    if asked.state == "pending" and asked.lapses_at <= timezone.now():
        return "lapsed"
    return asked.state


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
