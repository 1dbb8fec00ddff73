"""A moment as the systems of the world write it: one reader for all feeds.

Taken: ISO 8601 with a zone, however its parts are joined (.NET, Java, Jira, Zendesk, Ruby, Go, Python,
PostgreSQL), RFC 5322 dates, .NET's `/Date(…)/`, and seconds, milli-, micro- or nanoseconds since 1970,
which have a zone by themselves. A time without a zone is nobody's moment, and a zone's abbreviation (`CST`)
is several: neither is guessed. Beyond microseconds it is cut, so that an order of two never turns around.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Final

_ISO: Final = re.compile(
    r"(?P<year>[0-9]{4})-?(?P<month>[0-9]{2})-?(?P<day>[0-9]{2})"
    r"(?:[Tt]| ?)"
    r"(?P<hour>[0-9]{2}):?(?P<minute>[0-9]{2})(?::?(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,12}))?)?"
    r" ?(?P<zone>[Zz]|UTC|GMT"
    r"|(?P<sign>[+\-\u2212])(?P<hours>[0-9]{2})(?::?(?P<minutes>[0-9]{2}))?(?::[0-9]{2})?)"
    # Java and Go repeat the zone by its name.
    r"(?:\[[A-Za-z0-9_+\-/:]{1,40}\]| [A-Z]{3,5})?"
)
#: The library takes +00:99 for +01:39.
_USUAL_ZONE: Final = re.compile(r"(?:Z|[+\-](?:0[0-9]|1[0-8]):?[0-5][0-9])\Z")
_MAIL: Final = re.compile(
    r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), )?(?P<day>[0-9]{1,2}) (?P<month>[A-Z][a-z]{2}) (?P<year>[0-9]{4})"
    r" (?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2}))?"
    r" (?P<zone>UTC|GMT|(?P<sign>[+-])(?P<hours>[0-9]{2})(?P<minutes>[0-9]{2}))(?: \([A-Z]{3,5}\))?"
)
_JAVASCRIPT: Final = re.compile(
    r"[A-Z][a-z]{2} (?P<month>[A-Z][a-z]{2}) (?P<day>[0-9]{1,2}) (?P<year>[0-9]{4})"
    r" (?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
    r" (?P<zone>GMT(?P<sign>[+-])(?P<hours>[0-9]{2})(?P<minutes>[0-9]{2}))(?: \([^()]{1,40}\))?"
)
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DOT_NET: Final = re.compile(r"\\?/Date\((-?[0-9]{1,15})(?:[+-][0-9]{4})?\)\\?/")
_NUMBER: Final = re.compile(r"0|[0-9]{9,19}(?:\.[0-9]{1,9})?")

#: What a feed may tell. Years before and after are how systems write 'never' and 'not set':
#: 0001-01-01, 1601-01-01, 1900-01-01, 1970-01-01, 9999-12-31.
FIRST: Final = datetime(1990, 1, 1, tzinfo=UTC)
LAST: Final = datetime(2200, 1, 1, tzinfo=UTC)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
#: Microseconds in what a number may count: seconds, milli-, micro-, nanoseconds. No two of their spans
#: from FIRST to LAST meet, so that a number's size says what it counts.
_UNITS: Final = (Decimal(10) ** 6, Decimal(10) ** 3, Decimal(1), Decimal(10) ** -3)


class FeedTimeError(Exception):
    """Not a moment. `rule` says why: time_form, time_low (before 1990) or time_high (after 2199)."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


def read_moment(value: object) -> datetime:
    """Return the moment in UTC, to the microsecond. Raises FeedTimeError."""
    if isinstance(value, str) and len(value) <= 80:
        moment = _from_text(value.strip())
    elif isinstance(value, int | float) and not isinstance(value, bool):
        moment = _from_number(Decimal(value) if isinstance(value, int) else Decimal(repr(value)))
    else:
        raise FeedTimeError("time_form")
    if moment < FIRST:
        raise FeedTimeError("time_low")
    if moment >= LAST:
        raise FeedTimeError("time_high")
    return moment


def _usual(text: str) -> datetime | None:
    """A time as nearly all are, which the library reads fastest; None for any other."""
    if len(text) < 20 or text[10] not in "Tt " or not _USUAL_ZONE.search(text, len(text) - 6):
        return None
    try:
        moment = datetime.fromisoformat(text)
        return None if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _from_text(text: str) -> datetime:
    if (moment := _usual(text)) is not None:
        return moment
    if found := _ISO.fullmatch(text):
        return _moment(found, int(found["month"]), (found["fraction"] or "")[:6].ljust(6, "0"))
    if (found := _MAIL.fullmatch(text) or _JAVASCRIPT.fullmatch(text)) and found["month"] in _MONTHS:
        return _moment(found, _MONTHS.index(found["month"]) + 1, "0")
    if found := _DOT_NET.fullmatch(text):
        return _counted(int(found[1]) * 1000)
    if _NUMBER.fullmatch(text):
        return _from_number(Decimal(text))
    raise FeedTimeError("time_form")


def _moment(found: re.Match[str], month: int, fraction: str) -> datetime:
    hour, second = int(found["hour"]), int(found["second"] or 0)
    # ISO 8601 has an hour 24, the day's end, and a second 60, which no clock of ours has.
    midnight = hour == 24 and not (int(found["minute"]) or second or int(fraction))
    try:
        local = datetime(
            int(found["year"]) or 1,  # MySQL's zero date is as far back as any
            month if int(found["year"]) else 1,
            int(found["day"]) if int(found["year"]) else 1,
            0 if midnight else hour,
            int(found["minute"]),
            59 if second == 60 else second,
            int(fraction),
            tzinfo=_zone(found),
        )
        return local.astimezone(UTC) + timedelta(days=midnight)
    except ValueError:
        raise FeedTimeError("time_form") from None
    except OverflowError:  # the first or last day that there is, seen from another zone
        raise FeedTimeError("time_low" if int(found["year"]) < 2 else "time_high") from None


def _zone(found: re.Match[str]) -> timezone:
    if not found["sign"]:
        return UTC
    hours, minutes = int(found["hours"]), int(found["minutes"] or 0)
    if hours > 18 or minutes > 59:
        raise ValueError("no zone is that far")
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(offset if found["sign"] == "+" else -offset)


def _from_number(number: Decimal) -> datetime:
    if number == 0:  # not set
        raise FeedTimeError("time_low")
    if number.is_finite() and number.adjusted() < 20:
        for unit in _UNITS:
            if FIRST <= (moment := _counted(int(number * unit))) < LAST:
                return moment
    raise FeedTimeError("time_form")


def _counted(microseconds: int) -> datetime:
    """The moment; before FIRST or after LAST where there is no such year."""
    try:
        return _EPOCH + timedelta(microseconds=microseconds)
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC) if microseconds < 0 else LAST
