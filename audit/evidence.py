"""Evidence only grows: what comes later is beside what was recorded, and takes nothing away from it.

The database cannot know that nothing was shown: what a release gave is in the caller's hands, also where its
transaction was rolled back, and a second release under the same record may be refused after it.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from audit.models import Entry, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet


def refused_after(records: Sequence[Entry]) -> dict[int, list[Entry]]:
    """In: views and searches. Out: by their numbers the refusals of later releases, in order, where there are
    any. Only the record's own session can have asked."""
    found: dict[int, list[Entry]] = defaultdict(list)
    sessions = {record.pk: record.session for record in records}
    if not sessions:
        return found
    refusals = Entry.objects.filter(
        member__in={record.member for record in records},  # by the member's index: there is none of answers
        pk__gt=min(sessions),
        outcome=Outcome.WITHHELD,
        answers__in=list(sessions),
    )
    for refusal in refusals.only("timestamp", "session", "answers").order_by("pk"):
        if refusal.answers is not None and refusal.session == sessions[refusal.answers]:
            found[refusal.answers].append(refusal)
    return found


def at_most(found: QuerySet[Entry], most: int) -> list[Entry]:
    """The first of these entries, in order of their numbers; refusals only as far as there is room, for
    anybody can add as many of them as they like."""
    kept = list(found.filter(outcome=Outcome.ALLOWED).order_by("pk")[:most])
    kept += found.exclude(outcome=Outcome.ALLOWED).order_by("pk")[: most - len(kept)]
    return sorted(kept, key=lambda entry: entry.pk)
