"""Dates and times as people here read them, in the company's time zone."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import lru_cache

from django.utils import timezone
from django.utils.dateformat import format as dateformat
from django.utils.translation import get_language, pgettext


def day(value: date) -> str:
    """A date as people here write it."""
    if isinstance(value, datetime):
        value = timezone.localtime(value).date()
    return _written(value, get_language())


@lru_cache(maxsize=2048)
def _written(value: date, _language: str | None) -> str:
    """Pages name the same few days over and over, and each costs as much as a row of the gate."""
    return dateformat(value, pgettext("date format", "j M Y"))


def last_day(value: datetime) -> str:
    """The last day of what ends at that moment: midnight belongs to the day before."""
    return day(value - timedelta(microseconds=1))


def clock(value: datetime) -> str:
    """The time of day in the company's time zone."""
    return f"{timezone.localtime(value):%H:%M}"


def moment(value: datetime) -> str:
    """The time of day today, the date with it on any other day."""
    local = timezone.localtime(value)
    if local.date() == timezone.localdate():
        return clock(value)
    return f"{day(value)} {clock(value)}"


def left_until(ends_at: datetime) -> timedelta:
    """What is left, never less than nothing."""
    return max(ends_at - timezone.now(), timedelta())


def minutes_and_seconds(left: timedelta) -> str:
    """41:12, or 1:41:12 above an hour."""
    seconds = int(left.total_seconds())
    hours, minutes = seconds // 3600, seconds // 60 % 60
    if hours:
        return f"{hours}:{minutes:02}:{seconds % 60:02}"
    return f"{minutes}:{seconds % 60:02}"
