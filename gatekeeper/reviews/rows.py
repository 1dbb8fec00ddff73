"""A line of a list of reviews."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils import timezone

from gatekeeper.reviews import units

if TYPE_CHECKING:
    from gatekeeper.models import Review


def row(one: Review) -> dict[str, Any]:
    """Return a line: the unit, and in words why it is there."""
    return {
        "review": one,
        "grant": one.grant,
        "reasons": [words for words, _why in units.reasons(one)],
        "overdue": one.closed_at is None and one.due_at <= timezone.now(),
    }
