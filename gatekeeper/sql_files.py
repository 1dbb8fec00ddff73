"""The SQL of Gatekeeper, in the order in which it is installed."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_ROOT = Path(__file__).resolve().parent.parent

FILES: Final[tuple[Path, ...]] = tuple(
    _ROOT / name
    for name in (
        "gatekeeper/sql/revoked.sql",
        "audit/sql/entry.sql",
        "audit/sql/seal.sql",
        "audit/sql/stream.sql",
        "audit/sql/odd.sql",
        "gatekeeper/sql/limits.sql",
        "staff/sql/suspensions.sql",
        "gatekeeper/sql/approvers.sql",
        "gatekeeper/sql/budget.sql",
        "gatekeeper/sql/more.sql",
        "gatekeeper/sql/gate.sql",
        "gatekeeper/sql/grants.sql",
        "gatekeeper/sql/requests.sql",
        "gatekeeper/sql/views.sql",
        "gatekeeper/sql/store.sql",
        "gatekeeper/sql/tickets.sql",
        "staff/sql/people.sql",
        "staff/sql/proposals.sql",
        "staff/sql/recovery.sql",
        "staff/sql/register.sql",
        "staff/sql/agreements.sql",
        "staff/sql/authorisations.sql",
        "staff/sql/commands.sql",
        "staff/sql/sessions.sql",
        "staff/sql/factors.sql",
        "gatekeeper/sql/papers.sql",
        "gatekeeper/sql/reports.sql",
        "gatekeeper/sql/reading.sql",
        "gatekeeper/sql/reviews.sql",
        "gatekeeper/sql/odd.sql",
        "gatekeeper/sql/facts.sql",
        "gatekeeper/sql/rights.sql",
    )
)
