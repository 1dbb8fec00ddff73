"""The SQL of Gatekeeper, in the order in which it is installed."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_ROOT = Path(__file__).resolve().parents[2]

FILES: Final[tuple[Path, ...]] = tuple(
    _ROOT / name
    for name in (
        "gatekeeper/gate/sql/revoked.sql",
        "audit/sql/limits.sql",
        "audit/sql/entry.sql",
        "audit/seal/sql/seal.sql",
        "audit/siem/sql/stream.sql",
        "audit/detections/sql/detections.sql",
        "staff/session/sql/limits.sql",
        "staff/directory/sql/suspensions.sql",
        "staff/session/sql/authorize.sql",
        "staff/directory/sql/people.sql",
        "staff/directory/sql/proposals.sql",
        "staff/directory/sql/recovery.sql",
        "staff/nda/sql/register.sql",
        "staff/nda/sql/agreements.sql",
        "staff/nda/sql/authorisations.sql",
        "staff/directory/sql/commands.sql",
        "staff/session/sql/sessions.sql",
        "staff/sign_in/sql/factors.sql",
        "gatekeeper/gate/sql/approvers.sql",
        "gatekeeper/gate/sql/budget.sql",
        "gatekeeper/gate/sql/verdicts.sql",
        "gatekeeper/gate/sql/gate.sql",
        "gatekeeper/gate/sql/views.sql",
        "gatekeeper/log/sql/reading.sql",
        "gatekeeper/access/sql/deputies.sql",
        "gatekeeper/access/sql/grants.sql",
        "gatekeeper/access/sql/requests.sql",
        "gatekeeper/access/sql/more.sql",
        "gatekeeper/access/sql/prints.sql",
        "gatekeeper/access/sql/facts.sql",
        "gatekeeper/feeds/sql/store.sql",
        "gatekeeper/feeds/sql/tickets.sql",
        "gatekeeper/feeds/sql/deliveries.sql",
        "gatekeeper/feeds/sql/tidy.sql",
        "gatekeeper/reports/sql/reports.sql",
        "gatekeeper/reviews/sql/reviews.sql",
        "gatekeeper/reviews/sql/detections.sql",
        "gatekeeper/gate/sql/rights.sql",
    )
)
