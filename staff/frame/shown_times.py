"""Times and dates as elements of a page."""

from __future__ import annotations

from datetime import date, datetime

from django.utils import timezone
from django.utils.safestring import SafeString

from staff.frame import times
from staff.frame.fragments import fill


def moment(value: datetime | None) -> str:
    """`<time>` with the hour today, and the date as well on another day; '' for None."""
    if value is None:
        return ""
    return _time(value, times.moment(value))


def full_moment(value: datetime | None) -> str:
    """`<time>` with date and hour always; '' for None."""
    if value is None:
        return ""
    return _time(value, f"{times.day(value)} {times.clock(value)}")


def stamp(value: datetime | None) -> str:
    """`<time>` with date, hour and seconds: a line of the log; '' for None."""
    if value is None:
        return ""
    seconds = timezone.localtime(value).strftime(":%S")
    return _time(value, f"{times.day(value)} {times.clock(value)}{seconds}")


def clock(value: datetime | None) -> str:
    """`<time>` with the hour; '' for None."""
    return "" if value is None else _time(value, times.clock(value))


def day(value: date | None) -> str:
    """`<time>` with the date; '' for None."""
    return "" if value is None else _time(value, times.day(value))


def last_day(value: datetime | None) -> str:
    """`<time>` with the last day of what ends then; '' for None."""
    return "" if value is None else _time(value, times.last_day(value))


def countdown(ends_at: datetime | None, grant: int | str = "") -> str:
    """`<time>` with what is left until then; live.js counts it down by the server's clock, and at nothing
    hides what was revealed under that grant."""
    if ends_at is None:
        return ""
    return fill(
        "staff/frame/_countdown.html",
        ends=int(ends_at.timestamp()),
        now=int(timezone.now().timestamp()),
        grant=grant,
        iso=ends_at.isoformat(),
        left=times.minutes_and_seconds(times.left_until(ends_at)),
    )


def _time(value: date, shown: str) -> SafeString:
    return fill("staff/frame/_time.html", iso=value.isoformat(), shown=shown)
