"""What a report says: each time that data were shown, and nothing of what was not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.conf import settings

from audit.models import Entry, Event, Outcome
from gatekeeper.models import Account

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

    from gatekeeper.reports.scope import Scope

#: So many lines are drawn and proved within a request; above it the period has to be shorter.
MOST: Final = 1000
#: What shows data. A print of a grant holds none, and a refusal has shown none.
EVENTS: Final = (Event.VIEW, Event.SEARCH)


class TooLongError(Exception):
    """There are more lines than a report takes."""


@dataclass(frozen=True)
class Line:
    """One time that data were shown: codes as the log has them. `number` is the entry's."""

    number: int
    at: datetime
    account: str
    ticket: str
    purpose: str
    categories: tuple[str, ...]
    participants: int | None
    roles: tuple[str, ...]
    member: str


@dataclass(frozen=True)
class Report:
    """The lines in the order of time, and what limits them.

    `erased`: accounts whose entries can no longer be told apart, with the moment of their erasure.
    `shortened`: the period began before the age at which entries may have been removed.
    """

    scope: Scope
    at: datetime
    lines: tuple[Line, ...]
    erased: tuple[tuple[str, datetime], ...]
    shortened: bool

    @property
    def tickets(self) -> int:
        """How many tickets there were."""
        return len({line.ticket for line in self.lines})


def read(scope: Scope, *, at: datetime) -> Report:
    """The report as of a moment, from the log. Raises TooLongError."""
    entries = list(_shown(scope, at)[: MOST + 1])
    if len(entries) > MOST:
        raise TooLongError
    erased = Account.objects.filter(reference__in=scope.accounts).exclude(erased_at=None)
    kept_since = at - timedelta(days=settings.LIMITS["log_retention_days"])
    return Report(
        scope,
        at,
        tuple(_line(entry) for entry in entries),
        tuple((one.reference, one.erased_at) for one in erased if one.erased_at),
        scope.since < kept_since,
    )


def _shown(scope: Scope, at: datetime) -> QuerySet[Entry]:
    """Views and searches that were allowed, found something, and were not withheld at the release."""
    withheld = Entry.objects.filter(account__in=scope.accounts, outcome=Outcome.WITHHELD).exclude(
        answers=None
    )
    found: QuerySet[Entry] = (
        Entry.objects.filter(
            account__in=scope.accounts,
            event__in=EVENTS,
            outcome=Outcome.ALLOWED,
            timestamp__gte=scope.since,
            timestamp__lt=min(scope.until, at),
        )
        .exclude(results=0)
        .exclude(pk__in=withheld.values("answers"))
        .order_by("timestamp", "pk")
    )
    if scope.participant is not None:
        found = found.filter(records__contains=[scope.participant])
    return found


def _line(entry: Entry) -> Line:
    return Line(
        entry.pk,
        entry.timestamp,
        entry.account,
        entry.ticket,
        entry.purpose,
        tuple(entry.categories or ()),
        None if entry.records is None else len(entry.records),
        tuple(filter(None, entry.role.split(","))),
        entry.member,
    )
