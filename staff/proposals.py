"""What waits for a second person: changes of members that open something up (DESIGN §1).

Thin calls of `staff/sql/proposals.sql`, and its rows in words. The database judges who may decide;
what is filtered here is for the eye alone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.db import connections
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from staff import mails
from staff.callers import Caller
from staff.models import Member, Proposal, Role

#: Who may confirm at all.
DECIDERS: Final = (Role.PEOPLE, Role.ADMINISTRATOR)

WHAT: Final[dict[str, Promise]] = {
    "roles": pgettext_lazy("fact", "Roles"),
    "manager": pgettext_lazy("fact", "Manager"),
    "suspended": _("Lift the suspension"),
    "left_on": _("Come back after leaving"),
    "factor": _("Reset all second factors"),
}
#: What follows, where the value alone does not say it.
EFFECT: Final[dict[str, Promise]] = {
    "suspended": _("The member can sign in again. Accesses that ended stay ended."),
    "left_on": _(
        "Nothing of before revives: a new link, new second factors and a new signature are needed, and"
        " every role but consultant is given anew."
    ),
    "factor": _("Ends all sessions. The next one-time link lets the member set up other factors."),
}


@dataclass(frozen=True)
class Told:
    """A proposal in words: what changes, from what, to what ('' where it has no value), and what follows."""

    proposal: Proposal
    what: str
    before: str
    after: str
    effect: str


def told(proposal: Proposal) -> Told:
    """In: a proposal. Out: its words."""
    has_value = proposal.fact in {"roles", "manager"}
    return Told(
        proposal,
        str(WHAT.get(proposal.fact, proposal.fact)),
        _value(proposal.fact, proposal.before) if has_value else "",
        _value(proposal.fact, proposal.value) if has_value else _until(proposal),
        str(EFFECT.get(proposal.fact, "")),
    )


def _value(fact: str, value: Any) -> str:
    if fact == "roles":
        words = dict(Role.choices)
        return ", ".join(str(words.get(role, role)) for role in value or ()) or "–"
    return str(value or "–")


def _until(proposal: Proposal) -> str:
    """The new last day of who comes back for a time."""
    if proposal.fact != "left_on" or not proposal.value:
        return ""
    return date_format(date.fromisoformat(proposal.value), use_l10n=True)


def waiting() -> QuerySet[Proposal]:
    """All that can still be decided, the oldest first."""
    running = Proposal.objects.filter(state=Proposal.State.PENDING, lapses_at__gt=timezone.now())
    return running.select_related("subject", "proposed_by").order_by("id")


def decided() -> QuerySet[Proposal]:
    """What was decided or lapsed, the newest first."""
    over = Proposal.objects.exclude(state=Proposal.State.PENDING)
    return over.select_related("subject", "proposed_by", "decided_by")


def confirmable_by(member: Member) -> QuerySet[Proposal]:
    """What this member could confirm: not of themselves, not their own, of a command only an officer."""
    if not set(DECIDERS) & set(member.roles):
        return Proposal.objects.none()
    found = waiting().exclude(subject=member).exclude(proposed_by=member)
    found = found.exclude(fact="suspended", subject__suspended_by=member)
    return found if Role.PEOPLE in member.roles else found.filter(source="")


def decide(caller: Caller, proposal: int, *, confirm: bool) -> str:
    """Confirm a proposal, or decline it (one's own: take it back); the reason, '' when done."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT vault.decide_proposal(%s::bytea, %s::jsonb, %s::bigint, %s::boolean)",
            [caller.digest, json.dumps(caller.context), proposal, confirm],
        )
        row = cursor.fetchone()
    return str(row[0] or "") if row else ""


def tell_deciders(subject: str, by: Member) -> None:
    """Mail those who could confirm that something about the member with this number waits."""
    now = timezone.localdate()
    able = Member.objects.filter(roles__overlap=DECIDERS, suspended_at=None, starts_on__lte=now)
    able = able.filter(Q(left_on=None) | Q(left_on__gte=now))
    for one in able.exclude(number=subject).exclude(pk=by.pk):
        mails.tell(one, _("A change waits for a second person"), "staff/mail/proposed.txt")
