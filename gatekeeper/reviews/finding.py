"""The run of the rules over what is new in the log (gatekeeper/reviews/sql/detections.sql does it)."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from audit.database import call
from audit.models import Entry, Round

WATCH: Final = "watch"
#: Entries that are judged in one transaction: the first run over an old log holds no more at once.
BATCH: Final = 10_000
#: So long nothing may have been judged before the page of checks says so.
LAG: Final = timedelta(minutes=2)


class _Judged(NamedTuple):
    more: bool
    counts: str


class _JudgedAgain(NamedTuple):
    upto: int | None
    counts: str | None


def find(source: str) -> Counter[str]:
    """Flag what the rules find, and queue it for review; how many entries each found.

    Raises django.db.Error.
    """
    counted: Counter[str] = Counter()
    more = True
    while more:
        more, counts = call("gatekeeper.judge", source=source, most=BATCH, into=_Judged, using=WATCH)
        counted.update(json.loads(counts))
    return counted


def find_again(after: int, source: str) -> Counter[str]:
    """Judge every entry above this number once more; how many flags were lacking. Raises django.db.Error."""
    counted: Counter[str] = Counter()
    newest = Entry.objects.using(WATCH).order_by("-pk").values_list("pk", flat=True).first()
    upto: int | None = after
    while upto is not None:
        upto, counts = call(
            "gatekeeper.judge_again",
            after=upto,
            last=newest,
            most=BATCH,
            source=source,
            into=_JudgedAgain,
            using=WATCH,
        )
        counted.update(json.loads(counts or "{}"))
    return counted


def judged_at() -> datetime | None:
    """When the rules were last run; None before the first time."""
    return Round.objects.order_by("-pk").values_list("done_at", flat=True).first()
