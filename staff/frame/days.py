"""Days in the company's time zone: a date means its end."""

from __future__ import annotations

from datetime import date, datetime, time

from django.utils import timezone


def beginning_of(day: date) -> datetime:
    """The first moment of a day in the company's time zone."""
    return timezone.make_aware(datetime.combine(day, time.min))
