"""Moments as people type them."""

from __future__ import annotations

from datetime import UTC, datetime

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime


def moment(text: str) -> datetime:
    """A day or a time, in the company's time zone unless it names one. Raises ValueError."""
    found = parse_datetime(text)
    day = parse_date(text) if found is None else None
    if day:
        found = datetime(day.year, day.month, day.day)  # noqa: DTZ001  # the zone comes next
    if found is None:
        raise ValueError(text)
    try:
        return (timezone.make_aware(found) if timezone.is_naive(found) else found).astimezone(UTC)
    except OverflowError:
        raise ValueError(text) from None
