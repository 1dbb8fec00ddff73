"""The run of the rules over what is new in the log.

What is new is found as the sealer finds it: by transaction, for a number alone would skip an entry that
was being written (audit/stored.py, `lowest`). Each run judges what may have become visible since the
horizon of the last; judging an entry twice changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import connections, transaction

from audit import stored
from audit.functions import call, rows
from audit.models import Round
from audit.odd.catalogue import rules
from audit.odd.known import Rule

#: Entries that are judged in one transaction: the first run over an old log holds no more at once.
BATCH: Final = 10_000
#: A run that leaves no trace of its own before so long: the next judges a few entries once more.
KEPT: Final = timedelta(minutes=5)
#: So long nothing may have been judged before the page of checks says so.
LAG: Final = timedelta(minutes=15)

_FLAG: Final = """
    WITH fresh AS (
        SELECT e.* FROM public.audit_entry e
        WHERE e.id > %(after)s::bigint AND e.id <= %(upto)s::bigint AND e.xid >= %(horizon)s::text::xid8
    )
    INSERT INTO public.audit_flag (entry, rule, found_at)
    SELECT found.id, %(rule)s::text, clock_timestamp() FROM ({query}) AS found (id)
    ON CONFLICT DO NOTHING RETURNING entry
"""
_WHERE: Final = """
    SELECT (pg_control_system()).system_identifier, pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
        coalesce((SELECT max(e.id) FROM public.audit_entry e), 0), clock_timestamp()
"""
_UPTO: Final = """
    SELECT max(x.id) FROM (
        SELECT e.id FROM public.audit_entry e WHERE e.id > %s AND e.id <= %s ORDER BY e.id LIMIT %s) x
"""


@dataclass(frozen=True)
class Start:
    """From where a run goes: entries of transactions from `horizon` on, with numbers above `lowest`."""

    horizon: int
    lowest: int


def find(then: Callable[[list[int]], object] = lambda _: None) -> Counter[str]:
    """Flag what the rules find; returns how many entries each found anew. Raises django.db.Error.

    `then` is given the entries that a batch flagged, within the batch's transaction.
    """
    system, horizon, newest, now = call(_WHERE, [])
    last = Round.objects.order_by("-pk").first()
    start = _start(last, system)
    counted: Counter[str] = Counter()
    for after, upto in _parts(start.lowest, newest):
        place = {"after": after, "upto": upto, "horizon": str(start.horizon)}
        with transaction.atomic():
            found = {rule.name: _flag(rule, place) for rule in rules()}
            entries = sorted({entry for flagged in found.values() for entry in flagged})
            if entries:
                then(entries)
        counted.update({name: len(flagged) for name, flagged in found.items()})
    if last is None or last.system != system or now - last.done_at > KEPT:
        Round.objects.create(system=system, horizon=str(horizon), lowest=start.lowest, done_at=now)
    return +counted


def _parts(after: int, newest: int) -> Iterator[tuple[int, int]]:
    """Stretches of numbers with `BATCH` entries each, however far apart these are: (after, up to)."""
    while (upto := call(_UPTO, [after, newest, BATCH])[0]) is not None:
        yield after, upto
        after = upto


def judged_at() -> datetime | None:
    """When the rules were last run, to within five minutes; None before the first time."""
    return Round.objects.order_by("-pk").values_list("done_at", flat=True).first()


def _start(last: Round | None, system: int) -> Start:
    """Another cluster (a restored copy) numbers transactions anew: there the entry's number alone counts."""
    if last is None:
        return Start(0, 0)
    if last.system != system:
        return Start(0, last.lowest)
    horizon = int(str(last.horizon))
    connections["default"].ensure_connection()
    raw = stored.raw("default")
    newest = stored.newest_checkpoint(raw)
    below = stored.lowest(raw, horizon, newest.era) if newest else 0
    return Start(horizon, max(below, last.lowest))


def _flag(rule: Rule, place: dict[str, object]) -> list[int]:
    # The rules' queries are ours, out of the code; their thresholds and the place are values.
    values = {"rule": rule.name, "zone": settings.TIME_ZONE, **rule.thresholds, **place}
    return [entry for (entry,) in rows(_FLAG.replace("{query}", rule.query), values)]
