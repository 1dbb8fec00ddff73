"""Entries for the tests of who reads the log: written by its one writer, at a time of the test's choice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg.types.json import Jsonb

from tests.world import now

if TYPE_CHECKING:
    from tests.world import World

VIEW: dict[str, Any] = {
    "event": "view", "outcome": "allowed", "action": 3, "object_pk": "", "object_repr": "",
    "changes_text": "", "member": "K-0193", "member_name": "Anna Nowak", "role": "consultant",
    "session": 7, "factor": "totp",
    "actor_id": 1, "remote_addr": "192.0.2.1", "user_agent": "tests", "cid": "c-1",
    "account": "MOC-40017", "ticket": "ZD-10001", "ticket_kind": "support", "ticket_state": "open",
    "purpose": "support_request", "categories": ["contact"], "fields": ["contact.name"], "failed": [],
    "request_id": 3, "grant_id": 4, "approver": "K-0020", "signature": 5, "nda_version": 1,
    "nda_ends": "2030-01-01T00:00:00Z", "consent": "not_required", "details": {"minutes": 60},
}  # fmt: skip


def entry(world: World, **facts: Any) -> int:
    """Write an entry, a view unless `facts` say otherwise; `at`: as if it had been then. Its number."""
    at = facts.pop("at", None)
    values = VIEW | facts
    if "actor_id" not in facts and values["member"]:
        found = world.setup.execute("SELECT id FROM staff_member WHERE number = %s", [values["member"]])
        values["actor_id"] = (found.fetchone() or [values["actor_id"]])[0]
    event, outcome = values.pop("event"), values.pop("outcome")
    with world.setup.transaction():
        world.setup.execute("SET LOCAL ROLE gatekeeper_owner")
        [(number,)] = world.setup.execute(
            "SELECT audit.write_entry(%s, %s, %s)", [event, outcome, Jsonb(values)]
        ).fetchall()
    if at is not None:
        world.quietly("audit_entry", number, timestamp=at)
    return int(number)


def flag(world: World, number: int, rule: str) -> None:
    """Flag an entry."""
    world.insert("audit_flag", entry=number, rule=rule, found_at=now())
