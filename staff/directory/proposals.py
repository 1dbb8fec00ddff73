"""What waits for a second person: changes of members that open something up (staff/README.md, 'Two persons').

Thin calls of `staff/directory/sql/proposals.sql`, and its rows in words. The database judges who may decide;
what is filtered here is for the eye alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from audit.database import call
from staff.directory import people
from staff.frame import mails
from staff.frame.callers import Caller
from staff.models import Member, Proposal, Role

#: Who may confirm what opens something up; and who confirms a suspension: whoever may suspend.
DECIDERS: Final = (Role.PEOPLE, Role.ADMINISTRATOR)
WATCHERS: Final = (Role.MANAGER, Role.REVIEWER, Role.PEOPLE)
#: The roles without which nobody could undo what was closed (staff/directory/sql/suspensions.sql).
GUARDED: Final = (Role.PEOPLE, Role.REVIEWER, Role.ADMINISTRATOR)
#: What the table holds of a suspension, and not of its end.
_SUSPENSION: Final = Q(fact="suspended", value=True)

WHAT: Final[dict[str, Promise]] = {
    "roles": pgettext_lazy("fact", "Roles"),
    "manager": pgettext_lazy("fact", "Manager"),
    "suspension": pgettext_lazy("fact", "Suspension"),
    "suspended": _("Lift the suspension"),
    "left_on": _("Come back after leaving"),
    "last_day": _("Last day"),
    "starts_on": _("First day"),
    "factor": _("Reset all second factors"),
}
#: What follows, where the value alone does not say it.
EFFECT: Final[dict[str, Promise]] = {
    "suspension": _("Ends all sessions and accesses at once, and holds until two people lift it."),
    "held": _("Suspended already, until %(time)s. Confirmed, it holds until two people lift it."),
    "last_day": _("Ends all sessions and accesses when the day is over."),
    "suspended": _("The member can sign in again. Accesses that ended stay ended."),
    "left_on": _(
        "Nothing is restored: a new link, new second factors and a new signature are needed,"
        " and every role but consultant must be given again."
    ),
    "factor": _("Ends all sessions. The next one-time link lets the member set up other factors."),
}


@dataclass(frozen=True)
class ProposalText:
    """A proposal in words: what changes, from what, to what ('' where it has no value), and what follows."""

    proposal: Proposal
    what: str
    before: str
    after: str
    effect: str


def describe(proposal: Proposal) -> ProposalText:
    """In: a proposal. Out: its words."""
    kind = _kind(proposal)
    has_value = kind in {"roles", "manager", "last_day", "starts_on"}
    effect = str(EFFECT.get(kind, ""))
    if kind == "suspension" and isinstance(proposal.before, str) and proposal.subject.is_suspended:
        until = timezone.localtime(datetime.fromisoformat(proposal.before))
        effect = EFFECT["held"] % {"time": date_format(until, "SHORT_DATETIME_FORMAT")}
    return ProposalText(
        proposal,
        str(WHAT.get(kind, kind)),
        _value(kind, proposal.before) if has_value else "",
        _value(kind, proposal.value) if has_value else _until(proposal),
        effect,
    )


def _kind(proposal: Proposal) -> str:
    """The fact; a suspension and a last day have names of their own: their ends are proposed as well."""
    if proposal.fact == "suspended" and proposal.value is True:
        return "suspension"
    if proposal.fact == "left_on" and proposal.value and not _had_left(proposal):
        return "last_day"
    return proposal.fact


def _had_left(proposal: Proposal) -> bool:
    left = proposal.before
    if not isinstance(left, str):
        return False
    return date.fromisoformat(left) < timezone.localdate(proposal.proposed_at)


def _value(kind: str, value: Any) -> str:
    if kind == "roles":
        words = dict(Role.choices)
        return ", ".join(str(words.get(role, role)) for role in value or ()) or "–"
    if kind in {"last_day", "starts_on"} and value:
        return date_format(date.fromisoformat(value), use_l10n=True)
    return str(value or "–")


def _until(proposal: Proposal) -> str:
    """The new last day of who comes back for a time."""
    if proposal.fact != "left_on" or not proposal.value:
        return ""
    return date_format(date.fromisoformat(proposal.value), use_l10n=True)


def waiting() -> QuerySet[Proposal]:
    """All that can still be decided, the oldest first."""
    running = Proposal.objects.filter(state=Proposal.State.PENDING, expires_at__gt=timezone.now())
    return running.select_related("subject", "proposed_by").order_by("id")


def decided() -> QuerySet[Proposal]:
    """What was decided or has expired, the newest first."""
    over = Proposal.objects.exclude(state=Proposal.State.PENDING, expires_at__gt=timezone.now())
    return over.select_related("subject", "proposed_by", "decided_by")


def may_confirm(member: Member) -> bool:
    """Whether this member's roles let them confirm anything: pages of all others need not ask."""
    return bool({*DECIDERS, *WATCHERS} & set(member.roles))


def confirmable_by(member: Member) -> QuerySet[Proposal]:
    """What this member could confirm: not of themselves, not their own, of a command only an officer."""
    found = shown_to(member, waiting()).exclude(subject=member).exclude(proposed_by=member)
    found = found.exclude(~_SUSPENSION, fact="suspended", subject__suspended_by=member)
    if Role.PEOPLE not in member.roles:
        found = found.filter(source="")
    return found if set(WATCHERS) & set(member.roles) else found.exclude(_SUSPENSION)


def shown_to(member: Member, found: QuerySet[Proposal]) -> QuerySet[Proposal]:
    """Of these what the member sees: whoever may suspend the suspensions, officers and administrators all."""
    if set(DECIDERS) & set(member.roles):
        return found
    return found.filter(_SUSPENSION) if set(WATCHERS) & set(member.roles) else found.none()


def suspensions_to_confirm(member: Member) -> QuerySet[Proposal]:
    """The suspensions that wait for a second person, and that this member could confirm."""
    return confirmable_by(member).filter(_SUSPENSION)


def decide(caller: Caller, proposal: int, *, confirm: bool) -> str:
    """Confirm a proposal, or decline it (one's own: take it back); the reason, '' when done."""
    return str(call("staff.decide_proposal", caller, proposal=proposal, confirm=confirm) or "")


def notify_deciders(subject: str, by: Member) -> None:
    """Mail those who could confirm that something about the member with this number waits."""
    for one in _at_work(DECIDERS).exclude(number=subject).exclude(pk=by.pk):
        mails.notify(one, "staff/mail/proposed.txt")


def notify_of_suspension(subject: Member, by: Member, outcome: str) -> None:
    """Mail everybody else of the role that is short of people now; and where a second person is asked for,
    the people officers and reviewers, who can be it."""
    recipients = {*subject.roles} & {*GUARDED}
    if outcome in {people.HELD, people.PROPOSED}:
        recipients |= {Role.PEOPLE, Role.REVIEWER}
    facts = {
        "number": subject.number,
        "by": by.number,
        "waits": outcome == people.PROPOSED,
        "until": subject.suspended_until,
    }
    for one in _at_work(sorted(recipients)).exclude(pk__in=[subject.pk, by.pk]):
        mails.notify(one, "staff/mail/suspended.txt", **facts)


def _at_work(roles: Sequence[str]) -> QuerySet[Member]:
    now = timezone.localdate()
    found = Member.objects.filter(~Member.suspended(), roles__overlap=roles, starts_on__lte=now)
    return found.filter(Q(left_on=None) | Q(left_on__gte=now))
