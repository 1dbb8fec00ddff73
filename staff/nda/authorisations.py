"""Standing authorisations, as the database does them: thin calls of `staff/nda/sql/authorisations.sql`.

A reason is the one for which nothing was done, or the empty string. They are documents for the records
of Art. 29 GDPR and open nothing by themselves.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, NamedTuple

from django.db.models import Q
from django.utils import timezone

from audit.database import call
from staff.frame.callers import Caller
from staff.models import Authorisation

if TYPE_CHECKING:
    from django.db.models import QuerySet


class _Issued(NamedTuple):
    authorisation: int | None
    reason: str


def issue(
    caller: Caller,
    number: str,
    *,
    scope: str | None = None,
    starts_on: date | None = None,
    ends_on: date | None = None,
) -> tuple[int | None, str]:
    """Authorise another member; the authorisation's number and the reason. Without scope and first day it
    is a form that could not be used: refused, and recorded."""
    return call(
        "staff.issue_authorisation",
        caller,
        number=number,
        scope=scope,
        starts_on=starts_on,
        ends_on=ends_on,
        into=_Issued,
    )


def withdraw(caller: Caller, authorisation: int) -> str:
    """Withdraw another member's authorisation."""
    return str(call("staff.withdraw_authorisation", caller, authorisation=authorisation))


def record_taking(caller: Caller, authorisation: int) -> str:
    """Record that the document is exported, before it is."""
    return str(call("staff.take_authorisation", caller, authorisation=authorisation))


def in_force(on: date) -> QuerySet[Authorisation]:
    """The register as of a day: what stands at its end. Leaving ends an authorisation too."""
    end = timezone.make_aware(datetime.combine(on + timedelta(days=1), time.min))
    return (
        Authorisation.objects.filter(starts_on__lte=on, issued_at__lt=end)
        .filter(Q(ends_on=None) | Q(ends_on__gte=on))
        .filter(Q(withdrawn_at=None) | Q(withdrawn_at__gte=end))
        .filter(Q(member__left_on=None) | Q(member__left_on__gte=on))
        .select_related("member", "issued_by")
        .order_by("member__number", "starts_on", "pk")
    )


def runs(authorisation: Authorisation, *, on: date) -> bool:
    """Whether one authorisation stands on a day; what `in_force` asks of many."""
    return (
        authorisation.withdrawn_at is None
        and authorisation.starts_on <= on
        and (authorisation.ends_on is None or authorisation.ends_on >= on)
    )
