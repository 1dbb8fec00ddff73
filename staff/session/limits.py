"""How long a session lasts, idle and in all."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from staff.models import Session


def longest() -> timedelta:
    """How long a session lasts in all."""
    return limits()[1]


def is_idle(row: Session) -> bool:
    """Whether nothing happened in it for so long that it is locked."""
    return timezone.now() >= row.last_seen_at + limits()[0]


def limits() -> tuple[timedelta, timedelta]:
    """Return how long a session may be idle, and how long it lasts in all."""
    return (
        timedelta(minutes=settings.LIMITS["session_idle_minutes"]),
        timedelta(hours=settings.LIMITS["session_hours"]),
    )
