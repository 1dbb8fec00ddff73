"""What a report says: each view that was recorded, and of which a later release was refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.conf import settings

from audit import evidence
from audit.models import VIEWS, Entry, Event, Outcome
from gatekeeper.models import Account

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from django.db.models import QuerySet

    from gatekeeper.reports.scope import Scope

#: So many lines are drawn and proved within a request; above it the period has to be shorter.
MOST: Final = 1000
#: What shows data. A print of a grant holds none, and a refusal has shown none.
EVENTS: Final = (*VIEWS, Event.SEARCH)


class TooLongError(Exception):
    """There are more lines than a report takes."""


@dataclass(frozen=True)
class Refusal:
    """A later release under the same record was refused. `number` is the refusal's own entry."""

    number: int
    at: datetime


@dataclass(frozen=True)
class Line:
    """One recorded view: codes as the log has them. `number` is the entry's."""

    number: int
    at: datetime
    account: str
    ticket: str
    purpose: str
    categories: tuple[str, ...]
    participants: int | None
    roles: tuple[str, ...]
    member: str
    refusals: tuple[Refusal, ...]


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

    @property
    def refused(self) -> int:
        """Of how many views a later release was refused."""
        return sum(bool(line.refusals) for line in self.lines)


def read(scope: Scope, *, at: datetime) -> Report:
    """The report as of a moment, from the log. Raises TooLongError."""
    entries = list(_recorded(scope, at)[: MOST + 1])
    if len(entries) > MOST:
        raise TooLongError
    refusals = evidence.refused_after(entries)
    erased = Account.objects.filter(reference__in=scope.accounts).exclude(erased_at=None)
    kept_since = at - timedelta(days=settings.LIMITS["log_retention_days"])
    return Report(
        scope,
        at,
        tuple(_line(entry, refusals.get(entry.pk, ())) for entry in entries),
        tuple((one.reference, one.erased_at) for one in erased if one.erased_at),
        scope.since < kept_since,
    )


def _recorded(scope: Scope, at: datetime) -> QuerySet[Entry]:
    """Views, and searches that found somebody, as they were recorded: nothing later takes one away."""
    found: QuerySet[Entry] = (
        Entry.objects.filter(
            account__in=scope.accounts,
            event__in=EVENTS,
            outcome=Outcome.ALLOWED,
            timestamp__gte=scope.since,
            timestamp__lt=min(scope.until, at),
        )
        .exclude(results=0)
        .order_by("timestamp", "pk")
    )
    if scope.participant is not None:
        found = found.filter(records__contains=[scope.participant])
    return found


def _line(entry: Entry, refusals: Iterable[Entry]) -> Line:
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
        tuple(Refusal(one.pk, one.timestamp) for one in refusals),
    )
