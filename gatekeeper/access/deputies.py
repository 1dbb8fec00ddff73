"""Deputies: naming one, ending one, and who stands in for whom now (gatekeeper/access/sql/deputies.sql)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from audit.database import call, rows

if TYPE_CHECKING:
    from datetime import datetime

    from staff.frame.callers import Caller
    from staff.models import Member

#: How far ahead a deputy's time may begin, in days; the database says a year.
MAX_DAYS_AHEAD: Final = 365


def name(
    caller: Caller,
    *,
    deputy: str | None = None,
    begins_at: datetime | None = None,
    ends_at: datetime | None = None,
) -> str:
    """Name a manager who may approve in one's stead, beforehand; times are aware.

    Returns '', or why not: `deputy_unfit`, `deputy_span`, a condition of the caller's, or `value_refused` of
    a form that could not be used, which names nobody.
    """
    return str(call("gatekeeper.name_deputy", caller, deputy=deputy, begins=begins_at, ends=ends_at))


def end(caller: Caller, deputy_id: int) -> str:
    """End a deputy's time now, anybody's; '' or why not: `no_change` where there is none to end."""
    return str(call("gatekeeper.end_deputy", caller, deputy=deputy_id))


@dataclass(frozen=True)
class DeputyTerm:
    """Who stands in for whom, from and to."""

    id: int
    name: str
    number: str
    manager_name: str
    manager: str
    begins_at: datetime
    ends_at: datetime
    begun: bool
    counts: bool  # both are at work at this moment
    own: bool  # whoever looks named them


def running(viewer: Member) -> list[DeputyTerm]:
    """Every deputy whose time has not ended, the viewer's own first."""
    return [DeputyTerm(*one) for one in rows(_RUNNING, {"viewer": viewer.pk})]


_RUNNING: Final = """
    SELECT d.id, n.name, n.number, m.name, m.number, d.begins_at, d.ends_at, d.begins_at <= clock_timestamp(),
        d.counts, m.id = %(viewer)s
    FROM gatekeeper.deputies() d
        JOIN staff_member m ON m.id = d.manager_id JOIN staff_member n ON n.id = d.deputy_id
    ORDER BY m.id <> %(viewer)s, m.number, d.begins_at, d.id
"""
