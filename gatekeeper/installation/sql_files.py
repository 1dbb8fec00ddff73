"""The SQL of Gatekeeper, in the order in which it is installed."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_ROOT = Path(__file__).resolve().parents[2]

FILES: Final[tuple[Path, ...]] = tuple(
    _ROOT / name
    for name in (
        "gatekeeper/gate/sql/revoked.sql",
        "audit/sql/entry.sql",
        "audit/seal/sql/seal.sql",
        "audit/siem/sql/stream.sql",
        "audit/detections/sql/detections.sql",
        "gatekeeper/gate/sql/limits.sql",
        "staff/directory/sql/suspensions.sql",
        "gatekeeper/access/sql/approvers.sql",
        "gatekeeper/gate/sql/budget.sql",
        "gatekeeper/access/sql/more.sql",
        "gatekeeper/gate/sql/verdicts.sql",
        "gatekeeper/gate/sql/gate.sql",
        "gatekeeper/access/sql/grants.sql",
        "gatekeeper/access/sql/requests.sql",
        "gatekeeper/gate/sql/views.sql",
        "gatekeeper/feeds/sql/store.sql",
        "gatekeeper/feeds/sql/tickets.sql",
        "gatekeeper/feeds/sql/deliveries.sql",
        "staff/directory/sql/people.sql",
        "staff/directory/sql/proposals.sql",
        "staff/directory/sql/recovery.sql",
        "staff/nda/sql/register.sql",
        "staff/nda/sql/agreements.sql",
        "staff/nda/sql/authorisations.sql",
        "staff/directory/sql/commands.sql",
        "staff/session/sql/sessions.sql",
        "staff/sign_in/sql/factors.sql",
        "gatekeeper/access/sql/prints.sql",
        "gatekeeper/reports/sql/reports.sql",
        "gatekeeper/log/sql/reading.sql",
        "gatekeeper/reviews/sql/reviews.sql",
        "gatekeeper/reviews/sql/detections.sql",
        "gatekeeper/access/sql/facts.sql",
        "gatekeeper/gate/sql/rights.sql",
    )
)
