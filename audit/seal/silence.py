"""A log into which nobody writes gets an entry after a while, so that a checkpoint proves the silence."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from audit.database import call, rows

if TYPE_CHECKING:
    from psycopg import Connection

#: After so long without an entry one is written.
QUIET: Final = timedelta(minutes=5)


def break_silence(db: Connection[Any], source: str) -> bool:
    """Write an entry where the newest checkpoint is so old that another is due.

    Returns whether there is now something to seal. `source`: who seals, as the entry names it.
    """
    found = rows(
        "SELECT clock_timestamp() - sealed_at > %s"
        # While one still waits for a transaction that runs on, another would wait with it.
        " AND EXISTS (SELECT FROM public.audit_leaf"
        " WHERE entry = (SELECT max(id) FROM public.audit_entry))"
        " FROM public.audit_checkpoint ORDER BY size DESC LIMIT 1",
        [QUIET],
        using=db,
    )
    if found != [(True,)]:
        return False
    call("audit.note_quiet", source=source, using=db)
    return _is_free(db)


def _is_free(db: Connection[Any]) -> bool:
    """Whether the newest entry can be sealed: no transaction that still runs holds it back."""
    newest = (
        "SELECT pg_snapshot_xmin(pg_current_snapshot()) > xid FROM public.audit_entry"
        " ORDER BY id DESC LIMIT 1"
    )
    return rows(newest, using=db) == [(True,)]
