"""What a reviewer's question finds: pages of rows, and counts over the newest of them.

A page is a scan along an index from a key, so that it costs the same however long the log is. Counts
cover at most the newest `MOST` matches, and say so. Whatever takes longer than `PATIENCE` is stopped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db import OperationalError, connection, transaction
from django.db.models import DateTimeField, Exists, ExpressionWrapper, F, OuterRef, Q, Value
from django.db.models.lookups import GreaterThanOrEqual, LessThan
from django.utils import timezone

from audit.models import Entry, Flag

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from audit.explorer.search import Query

PAGE: Final = 50
AROUND: Final = 10  # rows on each side of an opened one
MOST: Final = 10_000
VALUES: Final = 8  # of each facet
BARS: Final = 24
PATIENCE: Final = timedelta(seconds=5)
#: Entries appear in the order of their numbers, and nearly in that of their times: a clock may have been
#: put back. So times are compared exactly, and numbers are bounded by an hour more on either side.
SLACK: Final = timedelta(hours=1)

#: Token -> column, where the entry has one value.
COLUMNS: Final[dict[str, str]] = {
    "account": "account",
    "member": "member",
    "about": "subject",
    "approver": "approver",
    "ticket": "ticket",
    "grant": "grant_id",
    "session": "session",
    "event": "event",
    "outcome": "outcome",
    "reason": "reason",
    "purpose": "purpose",
}
#: Token -> column, where the entry has a list.
LISTS: Final[dict[str, str]] = {"category": "categories", "field": "fields"}
#: What is counted beside the rows, in this order.
ODD: Final = "odd"
ANY: Final = "any"
FACETS: Final = ("event", "outcome", "member", "account", "ticket", "reason", "purpose", "category")
_NUMBERS: Final = ("grant", "session")
#: Not for a list: what nobody reads there, and the seal's.
_HEAVY: Final = ("serialized_data", "changes_text", "changes", "additional_data", "xid", "salts", "details")
_WIDTHS: Final = tuple(
    timedelta(minutes=minutes)
    for minutes in (1, 5, 15, 60, 180, 720, 1440, 7 * 1440, 28 * 1440, 91 * 1440, 364 * 1440)
)


class TooLongError(Exception):
    """The search was stopped after `PATIENCE`: narrow the time."""


@dataclass(frozen=True)
class Page:
    """Entries newest first, and the keys of the pages beside it; None where there is none."""

    entries: list[Entry]
    newer: int | None
    older: int | None


@dataclass(frozen=True)
class Bar:
    """One span of the histogram; `until` is excluded."""

    since: datetime
    until: datetime
    count: int


@dataclass(frozen=True)
class Figures:
    """Counts over the newest matches: all of them unless `capped`. `top` is the newest one's number."""

    count: int
    capped: bool
    top: int
    bars: list[Bar]
    facets: dict[str, list[tuple[str, int]]]


@contextmanager
def patience() -> Iterator[None]:
    """Stop a statement that takes too long. Raises TooLongError."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = {int(PATIENCE.total_seconds() * 1000)}")
            yield
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) != "57014":  # query_canceled
            raise
        raise TooLongError from error


def matches(query: Query, *, reader: str) -> QuerySet[Entry]:
    """The entries that match, in no order. `reader`: whose own entries are left out unless asked for."""
    found: QuerySet[Entry] = Entry.objects.order_by()
    for name in sorted({one.name for one in query.terms} & (COLUMNS.keys() | LISTS.keys())):
        if wanted := query.values(name):
            found = found.filter(_any(name, wanted))
        if unwanted := query.values(name, minus=True):
            found = found.exclude(_any(name, unwanted))
    for minus in (False, True):
        if rules := query.values(ODD, minus=minus):
            found = found.filter(~_flagged(rules) if minus else _flagged(rules))
    if reader and not query.values("mine") and reader not in query.values("member"):
        found = found.exclude(member=reader)
    return found.filter(_within(*query.bounds()))


def _any(name: str, values: list[str]) -> Q:
    if name in LISTS:
        return Q(**{f"{LISTS[name]}__overlap": values})
    given: list[Any] = [int(value) for value in values] if name in _NUMBERS else values
    return Q(**{f"{COLUMNS[name]}__in": given})


def _flagged(rules: list[str]) -> Exists:
    """That one of the rules applies; `any`: that some rule does."""
    flags = Flag.objects.filter(entry=OuterRef("pk"))
    return Exists(flags if ANY in rules else flags.filter(rule__in=rules))


def _within(since: datetime | None, until: datetime | None) -> Q:
    """Between two moments: exactly by time, and roughly by number, which is what the scan runs along."""
    inside = Q()
    # Not by the index on times: its part of the answer would have to be sorted before the first row comes.
    exactly = ExpressionWrapper(F("timestamp") + Value(timedelta()), DateTimeField())
    if since:
        first = Entry.objects.filter(timestamp__lt=since - SLACK).order_by("-timestamp")
        inside &= Q(GreaterThanOrEqual(exactly, since), pk__gte=_number(first))
    if until:
        inside &= Q(LessThan(exactly, until))
        after = _number(Entry.objects.filter(timestamp__gte=until + SLACK).order_by("timestamp"))
        if after:
            inside &= Q(pk__lte=after)
    return inside


def _number(found: QuerySet[Entry]) -> int:
    return found.values_list("pk", flat=True).first() or 0


def page(query: Query, *, reader: str, before: int | None = None, after: int | None = None) -> Page:
    """The newest page, the one below the entry `before`, or the one above `after` (keyset, both ways).

    Raises TooLongError.
    """
    with patience():
        found = matches(query, reader=reader).defer(*_HEAVY)
        if after is not None:
            rows = list(found.filter(pk__gt=after).order_by("pk")[: PAGE + 1])
            more, rows = len(rows) > PAGE, rows[PAGE - 1 :: -1]
            return Page(rows, rows[0].pk if more else None, rows[-1].pk if rows else None)
        if before is not None:
            found = found.filter(pk__lt=before)
        rows = list(found.order_by("-pk")[: PAGE + 1])
        more, rows = len(rows) > PAGE, rows[:PAGE]
        newer = rows[0].pk if rows and before is not None else None
        return Page(rows, newer, rows[-1].pk if more else None)


def oldest() -> datetime | None:
    """When the log begins; None while it is empty."""
    first: datetime | None = Entry.objects.order_by("pk").values_list("timestamp", flat=True).first()
    return first


def around(entry: Entry, *, reader: str) -> list[Entry]:
    """The entry among those written just before and after it, newest first."""
    others: QuerySet[Entry] = Entry.objects.defer(*_HEAVY)
    if reader and entry.member != reader:
        others = others.exclude(member=reader)
    newer = list(others.filter(pk__gt=entry.pk).order_by("pk")[:AROUND])
    older = list(others.filter(pk__lt=entry.pk).order_by("-pk")[:AROUND])
    return [*newer[::-1], entry, *older]


def numbers(query: Query, *, reader: str, top: int) -> list[int]:
    """The numbers of the newest matches up to the entry `top`, newest first. Raises TooLongError."""
    with patience():
        found = matches(query, reader=reader).filter(pk__lte=top)
        return list(found.order_by("-pk").values_list("pk", flat=True)[:MOST])


def figures(query: Query, *, reader: str) -> Figures:
    """Count the newest matches by what they have in common, and by time. Raises TooLongError."""
    columns = [COLUMNS.get(name) or LISTS[name] for name in FACETS]
    with patience():
        found = matches(query, reader=reader).order_by("-pk")
        rows = list(found.values_list("pk", "timestamp", *columns)[: MOST + 1])
        capped, rows = len(rows) > MOST, rows[:MOST]
        rules = Flag.objects.filter(entry__in=[row[0] for row in rows]).values_list("rule", flat=True)
        facets = {ODD: _counted(ODD, list(rules))}
    for place, name in enumerate(FACETS, start=2):
        facets[name] = _counted(name, [row[place] for row in rows])
    return Figures(
        count=len(rows),
        capped=capped,
        top=rows[0][0] if rows else 0,
        bars=_bars([row[1] for row in rows]),
        facets={name: values for name, values in facets.items() if values},
    )


def _counted(name: str, column: list[Any]) -> list[tuple[str, int]]:
    """The commonest values; none where there is nothing to choose between."""
    if name in LISTS:
        column = [one for values in column for one in values or ()]
    counts = Counter(value for value in column if value)
    return sorted(counts.most_common(VALUES), key=lambda one: (-one[1], one[0]))


def _bars(times: list[datetime]) -> list[Bar]:
    """Spans of one width, from the oldest time to the newest; whole hours and days in the active zone."""
    if not times:
        return []
    oldest, newest = min(times), max(times)
    fitting = (one for one in _WIDTHS if (newest - oldest) / one < BARS - 1)
    width = next(fitting, _WIDTHS[-1])
    day = timezone.localtime(oldest).replace(hour=0, minute=0, second=0, microsecond=0)
    start = (day + (timezone.localtime(oldest) - day) // width * width).astimezone(UTC)
    start -= width if start > oldest else timedelta()  # in the hour that a zone has twice
    counts = Counter((one - start) // width for one in times)
    begun = [start + place * width for place in range(max(counts) + 1)]
    return [Bar(one, one + width, counts[place]) for place, one in enumerate(begun)]
