"""What lies beyond the last leaf: copies that are larger than the log, and entries that wait for a leaf."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.utils.translation import gettext as _

from audit.database import rows
from audit.seal.findings import Finding, Kind
from audit.seal.report import MOST
from audit.seal.silence import QUIET

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import Connection

    from audit.seal import stored
    from audit.seal.report import Report
    from audit.verify_bundle import Head

#: So long an entry may wait for its leaf, and a checkpoint be late.
LAG: Final = timedelta(seconds=60)
_CRASH_SKIPS: Final = 32


def judge_copies(
    db: Connection[Any], copies: Sequence[Head], newest: stored.Checkpoint | None, report: Report
) -> None:
    """Copies that are larger than the log, the largest first: entries lack, and it is said of which kind.

    `newest`: the log's last checkpoint, None where it has none. Raises psycopg.Error.
    """
    if not copies:
        return
    largest = copies[0]
    report.outside += len(copies)
    size = newest.size if newest else 0
    facts = {"outside": largest.size, "here": size, "lacking": largest.size - size}
    if _drew(db, newest, largest.size - size):
        kind = Kind.CUT_OFF
        words = _(
            "a checkpoint outside has %(outside)d entries, the database %(here)d; the numbers of"
            " the %(lacking)d missing ones were given out"
        )
    else:
        kind = Kind.ROLLED_BACK
        words = _(
            "a checkpoint outside has %(outside)d entries, the database %(here)d, and it knows nothing of"
            " any after them"
        )
    report.add(Finding(kind, words % facts, size, largest.size - 1))


def _drew(db: Connection[Any], newest: stored.Checkpoint | None, lacking: int) -> bool:
    """Whether this database itself once gave out numbers for so many more entries.

    After a crash a sequence goes on up to 32 further on: so few count only if transactions ran, too.
    """
    [(numbers, transactions)] = rows(
        "SELECT s.last_value - coalesce((SELECT max(id) FROM public.audit_entry), 0),"
        " pg_snapshot_xmax(pg_current_snapshot())::text::bigint - %s FROM public.audit_entry_id_seq s",
        [newest.horizon if newest else 0],
        using=db,
    )
    return bool(numbers >= lacking and (numbers > _CRASH_SKIPS or transactions >= lacking))


def judge_waiting(db: Connection[Any], newest: stored.Checkpoint | None, report: Report) -> None:
    """Entries without a leaf, and the age of the newest checkpoint. Raises psycopg.Error."""
    waiting = rows(
        "SELECT e.id, e.xid < %s::text::xid8, e.timestamp < clock_timestamp() - %s::interval"
        " FROM public.audit_entry e"
        " WHERE NOT EXISTS (SELECT FROM public.audit_leaf l WHERE l.entry = e.id) ORDER BY e.id LIMIT %s",
        [str(newest.horizon if newest else 0), LAG, MOST],
        using=db,
    )
    for entry, is_below, is_late in waiting:
        if is_below:
            words = _("entry %(entry)d has no leaf, though its transaction was sealed")
            report.add(Finding(Kind.INSERTED, words % {"entry": entry}, entry=entry))
        elif is_late:
            words = _("entry %(entry)d waits for its leaf too long")
            report.add(Finding(Kind.UNSEALED, words % {"entry": entry}, entry=entry))
    [(now,)] = rows("SELECT clock_timestamp()", using=db)
    if newest and now - newest.sealed_at > QUIET + LAG:
        words = _("no checkpoint since %(time)s") % {"time": newest.sealed_at.isoformat(" ", "seconds")}
        report.add(Finding(Kind.UNSEALED, words))
