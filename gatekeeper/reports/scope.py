"""What a report is about: whose data, and which stretch of time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audit.database import call

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from staff.frame.callers import Caller


@dataclass(frozen=True)
class Scope:
    """Accounts of one customer, or one participant of one account; `until` is the end, excluded."""

    accounts: tuple[str, ...]
    participant: int | None
    since: datetime
    until: datetime
    zone: ZoneInfo

    @property
    def about(self) -> str:
        """As it is written: the accounts, or the participant's reference."""
        if self.participant is not None:
            return f"{self.accounts[0]}-P{self.participant}"
        return ", ".join(self.accounts)


def record(caller: Caller, scope: Scope, form: str) -> str:
    """Judge and record the making of a report, before anything is read (PCI DSS 10.2.1.3).

    `form`: page, pdf, csv or zip. Returns the reason for which it may not be made; '' when it may.
    """
    reason = call(
        "gatekeeper.record_report",
        caller,
        accounts=scope.accounts,
        participant=scope.participant,
        since=scope.since,
        until=scope.until,
        form=form,
    )
    return str(reason)
