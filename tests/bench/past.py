"""A member with a past: thousands of grants that have ended, and a few that are open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.bench.ground import desk_grant

if TYPE_CHECKING:
    from staff.frame.callers import Caller
    from tests.world import Person, World

LIVE = 3
# Account, closed ticket, ended assignment, approved request, ended grant, for each n.
PAST = """
    INSERT INTO gatekeeper_account (reference, plan, language, filled, participants)
    SELECT 'MOC-' || %(first)s + n, 'pro', 'pl', '{contact.name}', 0 FROM generate_series(1, %(count)s) n;
    INSERT INTO gatekeeper_ticket (number, kind, state, accounts, assignee_id, opened_by,
        updated_at, closed_at)
    SELECT 'ZD-' || %(first)s + n, 'support', 'closed', ARRAY['MOC-' || %(first)s + n], %(member)s,
        'customer', now() - n * interval '1 hour', now() - n * interval '1 hour'
    FROM generate_series(1, %(count)s) n;
    INSERT INTO gatekeeper_assignment (ticket_id, member_id, accounts, began_at, ended_at)
    SELECT t.id, %(member)s, t.accounts, t.updated_at, t.updated_at
    FROM gatekeeper_ticket t WHERE t.assignee_id = %(member)s AND t.state = 'closed';
    INSERT INTO gatekeeper_accessrequest (member_id, account_id, ticket_id, assignment_id, purpose,
        categories, minutes, while_open, reason, requested_at, expires_at, state, denial, decided_at,
        decided_by_id)
    SELECT s.member_id, a.id, s.ticket_id, s.id, 'support_request', '{contact}', 60, false, 'other',
        s.began_at, s.began_at, 'approved', '', s.began_at, %(boss)s
    FROM gatekeeper_assignment s JOIN gatekeeper_account a ON a.reference = s.accounts[1]
    WHERE s.member_id = %(member)s AND s.ended_at IS NOT NULL;
    INSERT INTO gatekeeper_grant (request_id, member_id, account_id, ticket_id, assignment_id, signature_id,
        approver_id, purpose, categories, minutes, while_open, approved_at, open_before, opened_at,
        window_ends_at, openings, views, participants_shown, misses, ended_at, end_reason, ended_by_id)
    SELECT r.id, r.member_id, r.account_id, r.ticket_id, r.assignment_id, %(signature)s, %(boss)s, r.purpose,
        r.categories, 60, false, r.requested_at, r.requested_at, r.requested_at, r.requested_at, 1, 3, 0, 0,
        r.requested_at,
        'time', NULL
    FROM gatekeeper_accessrequest r WHERE r.member_id = %(member)s;
"""


@dataclass(frozen=True)
class Colleague:
    """A member, how many grants of theirs have ended, and how many are open."""

    person: Person
    caller: Caller
    past: int
    live: int = LIVE


def colleague(world: World, boss: Person, *, past: int, first: int) -> Colleague:
    """A consultant with that many past grants; `first` begins their accounts' and tickets' numbers."""
    person = world.member("consultant", manager=boss)
    signature = world.signature(person)
    facts = {
        "first": first,
        "count": past,
        "member": person.id,
        "boss": boss.id,
        "signature": signature,
    }
    for statement in PAST.split(";\n"):
        if statement.strip():
            world.setup.execute(statement, facts)
    for number in range(first + past + 1, first + past + 1 + LIVE):
        desk_grant(world, person, boss, number=number, signature=signature)
    return Colleague(person, world.session(person), past)
