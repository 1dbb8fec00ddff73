"""Moments, and times between them, as people type them."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import datetime

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
    return timezone.make_aware(found) if timezone.is_naive(found) else found


def seconds(text: str) -> float:
    """The seconds between two runs of a command, up to a day. Raises ArgumentTypeError."""
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0.1 <= found <= 86_400:  # nor is NaN
        raise ArgumentTypeError("from 0.1 to 86400 seconds")
    return found
