"""What leaves as a file: who is affected by a serious one, and a month's reviews."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from audit import evidence
from audit.models import Entry
from gatekeeper.models import Review
from gatekeeper.reviews import queue, units
from staff.frame.csv_file import csv_of

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass
class Affected:
    """One person of one account: what of them was recorded as seen, when first and last, how often, and of
    how many of these views a later release was refused."""

    account: str
    person: str  # '' the account's own; else a participant's reference
    first: datetime
    last: datetime
    categories: set[str] = field(default_factory=set)
    views: int = 0
    refused: int = 0


def affected(review: Review, *, days: int) -> list[Affected]:
    """Who is affected: by the unit alone (0 days), or by all that its member saw in so many days before it
    was found serious."""
    if not days:
        return _persons(units.views(review))
    until = review.serious_at or timezone.now()
    found = Entry.objects.filter(
        member=review.member.number, timestamp__gte=until - timedelta(days=days), timestamp__lte=until
    )
    return _persons(units.recorded(found.order_by("id")))


def _persons(entries: Iterable[Entry]) -> list[Affected]:
    found: dict[tuple[str, str], Affected] = {}
    records = list(entries)
    refusals = evidence.refused_after(records)
    for entry in records:
        for person in _shown(entry):
            at = entry.timestamp
            one = found.setdefault((entry.account, person), Affected(entry.account, person, at, at))
            one.last = at
            one.categories |= set(entry.categories or ())
            one.views += 1
            one.refused += entry.pk in refusals
    return sorted(found.values(), key=lambda one: (one.account, len(one.person), one.person))


def _shown(entry: Entry) -> list[str]:
    """Whom an entry shows: a page of participants each of them; all else is the account's own."""
    return [""] if entry.records is None else [f"{entry.account}-P{number}" for number in entry.records]


def affected_csv(found: list[Affected]) -> bytes:
    """The file for whoever tells the authority and the customers: references, never a value."""
    head = (
        _("Account"),
        _("Person"),
        _("Categories"),
        _("First seen (UTC)"),
        _("Last seen (UTC)"),
        pgettext("column", "Views"),
        pgettext("column", "Of these, a later release was refused"),
    )
    return csv_of(head, (_affected(one) for one in found))


def _affected(one: Affected) -> tuple[object, ...]:
    categories = " ".join(sorted(one.categories))
    return one.account, one.person, categories, _utc(one.first), _utc(one.last), one.views, one.refused


def of_month(month: date) -> list[Review]:
    """The reviews that were queued or closed in a month of the company's."""
    zone = timezone.get_default_timezone()
    begins = datetime.combine(month.replace(day=1), time.min, zone)
    ends = datetime.combine((begins.date() + timedelta(days=32)).replace(day=1), time.min, zone)
    queued = Q(queued_at__gte=begins, queued_at__lt=ends)
    closed = Q(closed_at__gte=begins, closed_at__lt=ends)
    found = queue.reviews().filter(queued | closed).prefetch_related("remarks__by").order_by("id")
    return list(found)


def month_csv(found: list[Review]) -> bytes:
    """The monthly report: what was looked at, why, by whom, with what verdict, and whether in time."""
    head = (
        _("Review"), _("Member"), _("Account"), _("Ticket"), _("Grant"), _("Day"), _("Why"), _("Drawn"),
        _("Queued (UTC)"), _("Due (UTC)"), _("State"), _("Closed (UTC)"), _("Reviewer"), _("Late"),
        _("Questions"), _("Answers"),
    )  # fmt: skip
    return csv_of(head, (_csv_row(one) for one in found))


def _csv_row(review: Review) -> tuple[object, ...]:
    grant, ended = review.grant, review.closed_at or timezone.now()
    return (
        review.pk,
        review.member.number,
        *((grant.account.reference, grant.ticket.number, grant.pk) if grant else ("", "", "")),
        review.day or "",
        " ".join(review.rules),
        _("yes") if review.sampled else _("no"),
        _utc(review.queued_at),
        _utc(review.due_at),
        review.get_state_display(),
        _utc(review.closed_at) if review.closed_at else "",
        *_remarks(review, is_late=ended > review.due_at),
    )


def _remarks(review: Review, *, is_late: bool) -> tuple[object, ...]:
    """Who gave the verdicts, whether they came late, how many questions and how many answers."""
    kinds = [(one.kind, one.by.number) for one in review.remarks.all()]
    verdicts = " ".join(by for kind, by in kinds if kind in ("in_order", "serious"))
    questions, answers = (sum(kind == wanted for kind, _by in kinds) for wanted in ("question", "answer"))
    return verdicts, _("yes") if is_late else _("no"), questions, answers


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
