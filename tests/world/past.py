"""Entries of any moment, of any kind, for tests of what reads the log: a view of Anna's unless said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.world import World
from tests.world.entries import entry
from tests.world.scene import REFERENCE

if TYPE_CHECKING:
    from datetime import datetime

    from tests.conftest import Connection

#: What entries of these events must carry beside a view's facts (audit/facts.py).
MORE: dict[str, dict[str, Any]] = {
    "sign_in": {"object_repr": "tests"},
    **{event: {"subject": "K-0193"} for event in ("approve", "end", "revoke")},
}


class Past:
    """Writes entries as of any moment: the database stamps them, and then they are moved."""

    def __init__(self, setup: Connection) -> None:
        self.setup = setup
        self.world = World(setup)

    def write(self, event: str, at: datetime, outcome: str = "allowed", **facts: Any) -> int:
        """One entry of that moment; a fact that is None is not there. Its number."""
        more = MORE.get(event, {}) | ({} if outcome == "allowed" else {"reason": "ticket_closed"})
        given = {"account": REFERENCE} | more | facts
        return entry(self.world, event=event, outcome=outcome, at=at, **given)
