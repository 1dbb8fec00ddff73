"""What waits: for a reviewer, for an answer, and for too long."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from gatekeeper.models import Draw, Review
from gatekeeper.reviews.units import CLOCK
from staff.models import Member

if TYPE_CHECKING:
    from django.db.models import QuerySet

#: A clock that has run out is shown for so long after it.
SHOWN_AFTER: Final = timedelta(days=7)
_TO_DECIDE: Final = ("waiting", "answered")


@dataclass(frozen=True)
class Counts:
    """How a reviewer's queue stands."""

    waiting: int
    overdue: int
    own: int  # of their own: for another reviewer


def reviews() -> QuerySet[Review]:
    """Every review with what its line shows."""
    return Review.objects.select_related("member", "grant__account", "grant__ticket", "grant__approver")


def _of(member: Member) -> Q:
    return Q(member=member) | Q(grant__approver=member)


def waiting(member: Member) -> QuerySet[Review]:
    """What this reviewer may decide now: the soonest due first; nobody's own."""
    return (
        reviews().filter(state__in=_TO_DECIDE, closed_at=None).exclude(_of(member)).order_by("due_at", "id")
    )


def questioned() -> QuerySet[Review]:
    """What waits for an answer."""
    return reviews().filter(state="asked", closed_at=None).order_by("due_at", "id")


def decided(*, days: int = 7) -> QuerySet[Review]:
    """What was closed of late, the newest first."""
    since = timezone.now() - timedelta(days=days)
    return reviews().filter(closed_at__gte=since).order_by("-closed_at")


def counts(member: Member) -> Counts:
    """How many wait for this reviewer, how many of them too long, and how many are their own."""
    mine, now = waiting(member), timezone.now()
    own = Review.objects.filter(_of(member), closed_at=None).count()
    return Counts(mine.count(), mine.filter(due_at__lte=now).count(), own)


def following(member: Member) -> Review | None:
    """What this reviewer decides next."""
    return waiting(member).first()


def clocks() -> QuerySet[Review]:
    """The serious ones whose 72 hours run, or have run out of late."""
    since = timezone.now() - CLOCK - SHOWN_AFTER
    return reviews().filter(serious_at__gte=since).order_by("serious_at")


def questions(member: Member) -> QuerySet[Review]:
    """The open questions about this member, or about those who report to them."""
    concerned = Q(member=member) | Q(member__manager=member)
    return reviews().filter(concerned, state__in=["asked", "answered"], closed_at=None).order_by("due_at")


def too_old() -> QuerySet[Review]:
    """What nobody has decided for so long that it is an alarm."""
    before = timezone.now() - timedelta(days=settings.LIMITS["review_alarm_days"])
    return Review.objects.filter(closed_at=None, queued_at__lt=before)


def without_reviewer() -> int:
    """How many wait that no reviewer at work may decide, because they are their own."""
    at_work = [one for one in Member.objects.filter(roles__contains=["reviewer"]) if not one.barred_because()]
    if len(at_work) > 1:
        return 0
    waiting_now = Review.objects.filter(closed_at=None)
    return (waiting_now.filter(_of(at_work[0])) if at_work else waiting_now).count()


def newest_draw() -> Draw | None:
    """The newest week's sample."""
    return Draw.objects.order_by("-week").first()
