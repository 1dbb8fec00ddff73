"""What one batch of the sealer takes: entries that no running transaction can still add to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from psycopg import sql

from audit.database import call, rows
from audit.seal import stored

if TYPE_CHECKING:
    from psycopg import Connection

    from audit.seal.checkpoints import Signer

_LEAST: Final = -(1 << 63)  # below every number


@dataclass(frozen=True)
class Moment:
    """What had been when this batch began: the last number drawn, then the oldest running transaction."""

    drawn: int
    oldest: int


@dataclass(frozen=True)
class Span:
    """What one batch takes: which entries above a number, and the horizon that they leave behind."""

    era: int
    above: int
    which: sql.Composable
    horizon: int


class _Era(NamedTuple):
    number: int
    horizon: str  # a transaction's number


def now(db: Connection[Any]) -> Moment:
    """Return the moment at which a batch begins."""
    # In this order, see stored.lowest.
    last = "SELECT last_value - (NOT is_called)::int FROM public.audit_entry_id_seq"
    [(drawn,)] = rows(last, using=db)
    [(oldest,)] = rows("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint", using=db)
    return Moment(drawn, oldest)


def present_era(db: Connection[Any], origin: str) -> int | None:
    """Return the era of this cluster under a log's name; None where it has to begin."""
    found = rows(
        "SELECT number FROM public.audit_era WHERE number = (SELECT max(number) FROM public.audit_era)"
        " AND system = (SELECT system_identifier FROM pg_control_system()) AND origin = %s",
        [origin],
        using=db,
    )
    return int(found[0][0]) if found else None


def new_era(db: Connection[Any], signer: Signer, source: str, moment: Moment) -> Span:
    """Begin an era, and return what its first batch takes."""
    begun = call("audit.begin_era", key=str(signer.key), source=source, into=_Era, using=db)
    if begun.number == 1:
        return unsealed(db, None, begun.number, moment)
    # All that are here, whatever their numbers: nobody writes until this transaction has ended.
    return Span(begun.number, _LEAST, sql.SQL("e.xid <> pg_current_xact_id()"), int(begun.horizon))


def unsealed(db: Connection[Any], newest: stored.Checkpoint | None, era: int, moment: Moment) -> Span:
    """Return the entries of transactions that have ended since the last horizon."""
    horizon = newest.horizon if newest else 0
    which = sql.SQL("e.xid >= {}::xid8 AND e.xid < {}::xid8").format(
        sql.Literal(str(horizon)), sql.Literal(str(moment.oldest))
    )
    return Span(era, stored.lowest(db, horizon, era), which, moment.oldest)
