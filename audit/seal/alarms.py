"""What is wrong with the sealing at this moment, for the page of checks and for exit statuses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from audit.database import rows
from audit.seal import delays, stored
from audit.seal.beyond import LAG
from audit.seal.silence import QUIET

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True)
class Sealing:
    """When was sealed last, and in words what is wrong: with the sealer, and with the copies. What holds the
    sealer up stands by itself as well."""

    sealed_at: datetime | None
    sealer: list[str]
    copies: list[str]
    delays: list[delays.Delay]


def _late(now: datetime, newest: stored.Checkpoint | None, oldest: datetime | None) -> list[str]:
    """What the sealer has not done in time. `oldest`: the first entry without a leaf."""
    if newest and now - newest.sealed_at > QUIET + LAG:
        return [_("The sealer has not worked since then.")]
    if oldest and now - oldest > LAG:
        waits = _(
            "An entry has waited for its seal since %(time)s: the sealer has stopped, or a"
            " transaction is still running."
        )
        return [waits % {"time": oldest.isoformat(" ", "seconds")}]
    return []


def sealing(alias: str) -> Sealing:
    """The state of the seal as a role that reads the log sees it. Raises psycopg.Error."""
    connection = stored.raw(alias)
    newest = stored.newest_checkpoint(connection)
    horizon, era = (newest.horizon, newest.era) if newest else (0, 0)
    [(now, oldest)] = rows(
        "SELECT clock_timestamp(), (SELECT min(e.timestamp) FROM public.audit_entry e"
        " WHERE e.id > %s AND e.xid >= %s::text::xid8)",
        [stored.lowest(connection, horizon, era), str(horizon)],
        using=connection,
    )
    wrong = _late(now, newest, oldest)
    found = delays.sealing_delays(connection, now, waits=bool(wrong))
    wrong += [one.sentence for one in found]
    copies = [] if newest is None else _copies(alias, newest, now)
    return Sealing(newest.sealed_at if newest else None, wrong, copies, found)


def _copies(alias: str, newest: stored.Checkpoint, now: datetime) -> list[str]:
    copies = rows(
        "SELECT anchor, size, copied_at, failed_at, failure FROM public.audit_copy ORDER BY anchor",
        using=stored.raw(alias),
    )
    if not copies:
        return [_("No copy leaves the database: a superuser could rewrite everything.")]
    wrong = []
    for name, size, copied_at, failed_at, failure in copies:
        if failed_at is not None:
            wrong.append(f"{name}: {failure}")
        elif size < newest.size and now - (copied_at or newest.sealed_at) > QUIET + LAG:
            wrong.append(_("%(anchor)s has no copy of the newest checkpoint.") % {"anchor": name})
    return wrong
