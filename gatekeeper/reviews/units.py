"""What a reviewer looks at as one: its entries in the log, and why it was queued."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from audit import detections, evidence
from audit.models import VIEWS, Entry, Event, Outcome
from gatekeeper.log import under
from gatekeeper.reviews import texts

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from gatekeeper.models import Review

#: More than a grant's views can be; what is beyond appears in the log.
MOST: Final = 1000
#: How long Art. 33 gives from when a breach became known.
CLOCK: Final = timedelta(hours=72)


@dataclass(frozen=True)
class Line:
    """An entry of the unit, and in words why it was flagged."""

    entry: Entry
    flagged: list[str]


@dataclass(frozen=True)
class Remark:
    """A verdict, a question or an answer, opened."""

    kind: str
    word: str
    by: str
    at: datetime
    text: str
    gone: bool  # there was a text, and it went with the account


def entries(review: Review) -> QuerySet[Entry]:
    """The unit's entries in the log's order: the grant's with its request, or what the member did that day
    and appears in no grant's unit.

    What was reviewed, and exported about it, is another matter.
    """
    found = under.with_grant().order_by("id").defer("serialized_data", "changes_text", "xid")
    grant = review.grant
    if grant is not None:
        its_request = Q(request_id=grant.request_id, event=Event.REQUEST, actor_id=grant.member_id)
        found = found.filter(
            Q(grant_id=grant.pk, unit=grant.pk) | its_request, account=grant.account.reference
        )
        return found.exclude(event__in=[Event.REVIEW, Event.EXPORT, Event.REPORT])
    begins = datetime.combine(review.day or timezone.localdate(), time.min, timezone.get_default_timezone())
    ends = datetime.combine(begins.date() + timedelta(days=1), time.min, timezone.get_default_timezone())
    own = found.filter(member=review.member.number, actor_id=review.member_id, unit=None)
    return own.filter(timestamp__gte=begins, timestamp__lt=ends)


def lines(review: Review) -> list[Line]:
    """The unit's entries with their words, at most MOST."""
    found = evidence.at_most(entries(review), MOST)
    words = detections.words(entry.pk for entry in found)
    return [Line(entry, words.get(entry.pk, [])) for entry in found]


def reasons(review: Review) -> list[tuple[str, str]]:
    """Why it was queued: each rule's words and why it matters, and that it was drawn."""
    rules = {one.name: one for one in detections.rules()}
    found = [(rules[name].title(), rules[name].rationale()) for name in rules if name in review.rules]
    found += [(name, "") for name in review.rules if name not in rules]
    if review.sampled:
        found.append((_("Drawn at random"), _("Accesses that nobody suspects are reviewed too.")))
    return found


def views(review: Review) -> QuerySet[Entry]:
    """The views and matches that were recorded under the unit."""
    return recorded(entries(review))


def recorded(found: QuerySet[Entry]) -> QuerySet[Entry]:
    """Of entries the views that were recorded: a later release that was refused takes none away."""
    return found.filter(event__in=[*VIEWS, Event.SEARCH], outcome=Outcome.ALLOWED, fields__isnull=False)


def thread(review: Review) -> list[Remark]:
    """Everything that was said about it, in order."""
    return [
        Remark(
            one.kind,
            str(one.get_kind_display()),
            f"{one.by.name} ({one.by.number})",
            one.at,
            text := texts.opened(one),
            bool(one.text) and not text,
        )
        for one in review.remarks.select_related("by", "review__grant__account")
    ]


def clock_ends(review: Review) -> datetime | None:
    """When the 72 hours of a serious one are over; None where none run."""
    return review.serious_at + CLOCK if review.serious_at else None
