"""What the tests of races and kills stand on: fresh open gates, raw calls by role, and twins.

Everything under test goes through psycopg's own connections as the run-time roles, one a thread.
"""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from psycopg.types.json import Jsonb

from tests.world import SOON, Person, World, now

if TYPE_CHECKING:
    from staff.frame.callers import Caller
    from tests.conftest import Connection

FIELDS = ["contact.name"]
LEVELS = ("READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE")


@dataclass(frozen=True)
class Opened:
    """A consultant whose window is open on each account of one ticket, and who could close it."""

    consultant: Person
    manager: Person
    signature: int
    ticket: str
    boss: Caller
    approver: Person  # the manager, or a deputy of theirs
    approves: Caller
    deputy: int  # the number of the deputy's time; 0 where there is none
    callers: list[Caller]  # the consultant's sessions
    accounts: list[str]
    grants: list[int] = field(default_factory=list)


class Stage:
    """Makes open gates, each with people, signatures, ticket and accounts of its own."""

    def __init__(self, world: World, web: Connection) -> None:
        self.world = world
        self.web = web
        self._numbers = itertools.count(40001)
        world.version()
        world.contact()
        self.director, self.directors_session = self.hire("manager")
        self.officer, self.officers_session = self.hire("people")
        _, self.seconds_session = self.hire("people")
        self.colleague, _ = self.hire("consultant")

    def hire(self, role: str, manager: Person | None = None) -> tuple[Person, Caller]:
        """A member with a signature, and their session."""
        person = self.world.member(role, manager=manager)
        self.world.signature(person)
        return person, self.world.session(person)

    def prepared(
        self,
        *,
        sessions: int = 1,
        accounts: int = 1,
        under: tuple[Person, Caller] | None = None,
        by_deputy: bool = False,
    ) -> Opened:
        """Everything but the request, under a manager of their own or the one named; a deputy of theirs may
        be who approves."""
        manager, boss = under or self.hire("manager", self.director)
        approver, approves = self.hire("manager", self.director) if by_deputy else (manager, boss)
        deputy = self._named(manager, approver) if by_deputy else 0
        consultant = self.world.member("consultant", manager=manager)
        signature = self.world.signature(consultant)
        numbers = list(itertools.islice(self._numbers, accounts))
        references = [f"MOC-{number}" for number in numbers]
        for reference in references:
            self.world.account(reference, {"contact.name": reference})
        ticket = f"ZD-{numbers[0]}"
        self.world.ticket(ticket, accounts=references, assignee=consultant)
        callers = [self.world.session(consultant) for _ in range(sessions)]
        return Opened(
            consultant, manager, signature, ticket, boss, approver, approves, deputy, callers, references
        )

    def _named(self, manager: Person, deputy: Person) -> int:
        """A deputy's time that runs."""
        return self.world.insert(
            "gatekeeper_deputy",
            manager_id=manager.id,
            deputy_id=deputy.id,
            begins_at=now() - timedelta(hours=1),
            ends_at=now() + timedelta(hours=8),
            named_at=now(),
        )

    def opened(self, *, sessions: int = 1, accounts: int = 1, by_deputy: bool = False) -> Opened:
        """Asked, approved and opened, through the functions."""
        case = self.prepared(sessions=sessions, accounts=accounts, by_deputy=by_deputy)
        for reference in case.accounts:
            grant = approve(self.web, case.approves, ask(self.web, case, reference))
            case.grants.append(grant)
            assert open_window(self.web, case, grant) is None
        return case


# The calls, as a role's connection makes them


def ask(web: Connection, case: Opened, account: str) -> int:
    """Ask for the account; return the request's number."""
    caller = case.callers[0]
    request, reason = row(
        web,
        """SELECT request, reason FROM gatekeeper.ask(%s::bytea, %s::jsonb, %s::text, %s::text,
            'support_request', '{contact}', 60, false, 'reproduce_fault', NULL)""",
        [caller.digest, Jsonb(caller.context), account, case.ticket],
    )
    assert reason is None, reason
    return int(request)


def decide(web: Connection, caller: Caller, request: int, verdict: str) -> tuple[str | None, int | None]:
    """Approve, deny or withdraw; return why not, and the grant."""
    reason, grant = row(
        web,
        """SELECT reason, "grant" FROM gatekeeper.decide_request(%s::bytea, %s::jsonb, %s::bigint, %s::text,
            '{contact}', 60, false, '')""",
        [caller.digest, Jsonb(caller.context), request, verdict],
    )
    return reason, grant


def approve(web: Connection, caller: Caller, request: int) -> int:
    """Approve, which must succeed; return the grant."""
    reason, grant = decide(web, caller, request, "approve")
    assert grant is not None, reason
    return grant


def open_window(web: Connection, case: Opened, grant: int) -> str | None:
    """Start the clock; return why not."""
    caller = case.callers[0]
    sql = "SELECT reason FROM gatekeeper.open_grant(%s::bytea, %s::jsonb, %s::bigint, NULL)"
    reason: str | None = row(web, sql, [caller.digest, Jsonb(caller.context), grant])[0]
    return reason


def record(
    vault: Connection, case: Opened, caller: Caller, *, place: int = 0, cid: str = "c-1"
) -> tuple[int, str | None]:
    """First transaction: the entry's number, and why it is a refusal."""
    entry, reason = row(
        vault,
        """SELECT entry, reason FROM vault.record_view(%s::bytea, %s::jsonb, %s::text, %s::bigint,
            %s::text[], false)""",
        [caller.digest, Jsonb({"cid": cid}), case.accounts[place], case.grants[place], FIELDS],
    )
    return entry, reason


def release(vault: Connection, caller: Caller, entry: int) -> tuple[bool, str | None]:
    """Second transaction: whether ciphertext came, and why not."""
    sql = "SELECT ciphertexts, reason FROM vault.release_view(%s::bytea, %s::jsonb, %s::bigint)"
    while True:
        ciphertexts, reason = row(vault, sql, [caller.digest, Jsonb(caller.context), entry])
        if reason != "record_pending":
            return ciphertexts is not None, reason


def row(connection: Connection, sql: str, values: list[Any]) -> tuple[Any, ...]:
    found: tuple[Any, ...] | None = connection.execute(sql, values).fetchone()
    assert found is not None
    return found


def waiting(setup: Connection) -> int:
    """How many sessions of this database wait for a lock."""
    sql = """SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'"""
    return int(row(setup, sql, [])[0])


def until_waiting(setup: Connection, count: int) -> None:
    """Return when that many wait."""
    deadline = time.monotonic() + SOON
    while waiting(setup) < count:
        assert time.monotonic() < deadline, "nobody came to wait"


# Guards that a twin of the build lacks: function, what stands there, what stands there instead

WITHOUT_RECHECK = [("release_view", "d.reason IS NOT NULL  -- the view", "false  -- the view")]
WITHOUT_LOCK_AND_ISOLATION = [
    ("release_view", "current_setting('transaction_isolation') <> 'read committed'", "false"),
    ("decide", "IF p_lock THEN", "IF false THEN"),
]
WITHOUT_FLUSH = [
    (
        "release_view",
        "IF reason IS NULL AND pg_current_wal_flush_lsn() < flushed_to THEN",
        "IF false THEN",
    ),
]
