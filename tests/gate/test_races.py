"""Closing in a race with reveals: when a closing has returned, no release starts.

'Late' is a release that was called after the closing's COMMIT had returned and still gave ciphertext.
A race counts only if a twin of the build, without the guard, loses it; RACE_ROUNDS raises the counts.
"""

from __future__ import annotations

import itertools
import os
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from django.conf import settings
from django.utils import timezone
from psycopg.types.json import Jsonb

from gatekeeper.installation import roles
from tests import environment
from tests.world import World, now, racing
from tests.world.racing import LEVELS, Opened, Stage

if TYPE_CHECKING:
    from tests.conftest import AsRole, Connection
    from tests.world import Person
    from tests.world.twins import Twins

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True, databases="__all__")]

ROUNDS = int(os.environ.get("RACE_ROUNDS", "6"))  # races for each closing and isolation level
TRIALS = ROUNDS + 2  # how often the twin is run until it is late
CLOSINGS_MEASURED = 2 * ROUNDS
REVEALERS = 3
BATCH = 3  # views that a session has recorded and not yet released


@pytest.fixture
def web(as_role: AsRole) -> Connection:
    return as_role(roles.WEB)


@pytest.fixture
def stage(setup_connection: Connection, web: Connection) -> Stage:
    return Stage(World(setup_connection), web)


@pytest.fixture
def crowd() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(20) as pool:
        yield pool


# How a gate is closed, each through the role and the function that the application uses


@dataclass(frozen=True)
class Hands:
    """The connections of whoever closes."""

    web: Connection
    feed: Connection


Close = Callable[[Hands, Stage, Opened], object]


def message(case: Opened, **facts: str) -> dict[str, object]:
    """What the helpdesk says of the case's ticket."""
    told: dict[str, object] = {
        "number": case.ticket,
        "kind": "support",
        "state": "open",
        "accounts": case.accounts,
        "assignee": case.consultant.number,
        "opened_by": "customer",
        "updated_at": now().isoformat(),
    }
    return told | facts


def deliver(hands: Hands, *messages: dict[str, object]) -> None:
    """One delivery of the helpdesk."""
    hands.feed.execute("SELECT gatekeeper.apply_tickets(%s::jsonb, 'helpdesk')", [Jsonb(list(messages))])


def change_member(
    hands: Hands, stage: Stage, number: str, fact: str = "suspended", value: object = True
) -> None:
    sql = "SELECT staff.change_member(%s::bytea, '{\"cid\": 1}', %s::text, %s::text, %s::jsonb)"
    values = [stage.officers_session.digest, number, fact, Jsonb(value)]
    assert racing.row(hands.web, sql, values)[0] in ("", "no_change")


def revoke(hands: Hands, stage: Stage, case: Opened) -> None:
    sql = "SELECT gatekeeper.end_grant(%s::bytea, '{\"cid\": 1}', %s::bigint)"
    assert racing.row(hands.web, sql, [stage.directors_session.digest, case.grants[0]]) == ("",)


def remove_row(hands: Hands, stage: Stage, case: Opened) -> None:
    """What guardian's remove_perm executes."""
    sql = """DELETE FROM gatekeeper_accountpermission p USING gatekeeper_account a
        WHERE a.id = p.content_object_id AND a.reference = %s AND p.user_id = %s"""
    hands.web.execute(sql, [case.accounts[0], case.consultant.id])


def withdraw_signature(hands: Hands, stage: Stage, signature: int) -> None:
    sql = "SELECT staff.withdraw_signature(%s::bytea, '{\"cid\": 1}', %s::bigint, 'revoked')"
    assert racing.row(hands.web, sql, [stage.officers_session.digest, signature]) == ("",)


def withdraw_the_approvers(hands: Hands, stage: Stage, case: Opened) -> None:
    sql = "SELECT id FROM staff_signature WHERE member_id = %s"
    withdraw_signature(hands, stage, racing.row(hands.web, sql, [case.approver.id])[0])


def propose_manager(hands: Hands, stage: Stage, member: Person, manager: Person) -> int:
    """An officer's proposal that a member reports to somebody else."""
    sql = "SELECT staff.change_member(%s::bytea, '{\"cid\": 1}', %s::text, 'manager', %s::jsonb)"
    values = [stage.officers_session.digest, member.number, Jsonb(manager.number)]
    assert racing.row(hands.web, sql, values) == ("proposed",)
    sql = "SELECT max(id) FROM staff_proposal WHERE subject_id = %s"
    return int(racing.row(hands.web, sql, [member.id])[0])


def confirm(hands: Hands, stage: Stage, proposal: int) -> None:
    sql = "SELECT staff.decide_proposal(%s::bytea, '{\"cid\": 1}', %s::bigint, true)"
    assert racing.row(hands.web, sql, [stage.seconds_session.digest, proposal]) == ("",)


def move(hands: Hands, stage: Stage, case: Opened) -> None:
    """The consultant reports to somebody else: one officer proposes it, another confirms."""
    confirm(hands, stage, propose_manager(hands, stage, case.consultant, stage.director))


def end_deputy(hands: Hands, stage: Stage, case: Opened) -> None:
    sql = "SELECT gatekeeper.end_deputy(%s::bytea, '{\"cid\": 1}', %s::bigint)"
    values = [stage.officers_session.digest, case.deputy]
    assert racing.row(hands.web, sql, values) == ("" if case.deputy else "no_change",)


CLOSINGS: dict[str, Close] = {
    "close the ticket": lambda h, s, c: deliver(h, message(c, state="solved")),
    "reassign": lambda h, s, c: deliver(h, message(c, assignee=s.colleague.number)),
    "revoke": revoke,
    "remove guardian's row": remove_row,
    "withdraw the signature": lambda h, s, c: withdraw_signature(h, s, c.signature),
    "suspend the member": lambda h, s, c: change_member(h, s, c.consultant.number),
    "suspend the approver": lambda h, s, c: change_member(h, s, c.approver.number),
    "the approver leaves": lambda h, s, c: change_member(h, s, c.approver.number, "left_on", "2020-02-01"),
    "the approver is no manager": lambda h, s, c: change_member(
        h, s, c.approver.number, "roles", ["consultant"]
    ),
    "withdraw the approver's agreement": withdraw_the_approvers,
    "another manager": move,
    "end the deputy": end_deputy,
    "suspend who named the deputy": lambda h, s, c: change_member(h, s, c.manager.number),
    "restrict": lambda h, s, c: h.feed.execute(
        "SELECT vault.restrict_account(%s, true, 'test')", [c.accounts[0]]
    ),
    "erase": lambda h, s, c: h.feed.execute("SELECT vault.erase_account(%s, 'test')", [c.accounts[0]]),
}


#: Those that close what a deputy approved.
BY_DEPUTY = {"end the deputy", "suspend who named the deputy"}


# The race


def begin(connection: Connection, level: str) -> None:
    """Begin a transaction whose snapshot is taken now."""
    connection.execute(f"BEGIN ISOLATION LEVEL {level}")
    connection.execute("SELECT 1")


class Race:
    """Sessions of one consultant that reveal, while somebody closes the gate."""

    def __init__(self, stage: Stage, hands: Hands, vaults: list[Connection], level: str) -> None:
        self.stage = stage
        self.hands = hands
        self.vaults = vaults
        self.level = level
        self.by_deputy = False

    def of(self, how: str) -> Close:
        """The closing of this name; what it closes is then approved by whom it is about."""
        self.by_deputy = how in BY_DEPUTY
        return CLOSINGS[how]

    def run(self, crowd: ThreadPoolExecutor, close: Close, *, after: int) -> int:
        """Close after that many releases; return how many were late, of all those called."""
        self.case = self.stage.opened(sessions=len(self.vaults), by_deputy=self.by_deputy)
        self.released = threading.Semaphore(0)
        self.over = threading.Event()
        revealing = [
            crowd.submit(self._reveal, vault, caller)
            for vault, caller in zip(self.vaults, self.case.callers, strict=True)
        ]
        for _ in range(after):
            self.released.acquire()
        close(self.hands, self.stage, self.case)
        closed_at = time.monotonic()
        self.over.set()
        calls = itertools.chain.from_iterable(one.result() for one in revealing)
        return sum(given for called_at, given in calls if called_at > closed_at)

    def _reveal(self, vault: Connection, caller: Any) -> list[tuple[float, bool]]:
        """Record a few views and release them, without a pause, until a record is refused."""
        calls: list[tuple[float, bool]] = []
        reason = None
        while reason is None:
            entries = []
            for _ in range(BATCH):
                entry, reason = racing.record(vault, self.case, caller)
                if reason is None:
                    entries.append(entry)
            for entry in entries:
                if self.level != LEVELS[0]:
                    begin(vault, self.level)
                called_at = time.monotonic()
                calls.append((called_at, given_in_the_end(vault, caller, entry)))
                self.released.release()
        assert self.over.is_set() or reason not in ("check_failed", "record_failed")
        return calls

    def straggle(self, close: Close) -> bool:
        """Record, let the gate close, then release, under a snapshot of before: was it given?"""
        case = self.stage.opened(sessions=2, by_deputy=self.by_deputy)
        # Once for nothing: a release whose own definition is new to its session writes WAL by reading it.
        racing.release(self.vaults[0], case.callers[1], 0)
        vault, caller = self.vaults[0], case.callers[0]
        entry, reason = racing.record(vault, case, caller)
        assert reason is None
        begin(vault, self.level)
        close(self.hands, self.stage, case)
        return given_in_the_end(vault, caller, entry)


def given_in_the_end(vault: Connection, caller: Any, entry: int) -> bool:
    """Release, and end the transaction if one was begun. A serialization failure gives nothing."""
    try:
        return racing.release(vault, caller, entry)[0]
    except psycopg.errors.SerializationFailure:
        return False
    finally:
        vault.rollback()


@pytest.fixture(params=LEVELS)
def level(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def race(stage: Stage, as_role: AsRole, level: str) -> Race:
    hands = Hands(as_role(roles.WEB), as_role(roles.FEED))
    return Race(stage, hands, [as_role(roles.VAULT) for _ in range(REVEALERS)], level)


@pytest.mark.parametrize("how", CLOSINGS)
def test_none_is_late(race: Race, crowd: ThreadPoolExecutor, how: str) -> None:
    """Neither among sessions that reveal without a pause, nor with a snapshot taken before."""
    close = race.of(how)
    assert not race.straggle(close)
    assert sum(race.run(crowd, close, after=1 + n % 7) for n in range(ROUNDS)) == 0


@pytest.mark.parametrize("level", LEVELS[1:], indirect=True)
def test_an_old_snapshot_is_refused_from_the_first_step(race: Race, level: str) -> None:
    """Record and release refuse any isolation but READ COMMITTED, and say so in the log."""
    case = race.stage.opened()
    vault, caller = race.vaults[0], case.callers[0]
    entry, _ = racing.record(vault, case, caller)
    vault.execute(f"SET default_transaction_isolation = '{level.lower()}'")
    assert racing.record(vault, case, caller)[1] == "check_failed"
    assert racing.release(vault, caller, entry) == (False, "check_failed")
    sql = "SELECT outcome FROM audit_entry WHERE reason = 'check_failed' ORDER BY id"
    assert race.stage.world.setup.execute(sql).fetchall() == [("refused",), ("withheld",)]


# The twins: what the guards are worth


@pytest.mark.parametrize("level", LEVELS[:1], indirect=True)
def test_without_the_recheck_every_closing_is_late(race: Race, twins: Twins) -> None:
    """All but erasing: there the values themselves are gone."""
    for guard in racing.WITHOUT_RECHECK:
        twins.without(*guard)
    assert {how for how in CLOSINGS if race.straggle(race.of(how))} == set(CLOSINGS) - {"erase"}


@pytest.mark.parametrize("level", LEVELS[1:], indirect=True)
def test_without_lock_and_isolation_check_every_closing_is_late(race: Race, twins: Twins) -> None:
    """The old snapshot still has what was withdrawn meanwhile, erased values included."""
    for guard in racing.WITHOUT_LOCK_AND_ISOLATION:
        twins.without(*guard)
    assert {how for how in CLOSINGS if race.straggle(race.of(how))} == set(CLOSINGS)


@pytest.mark.parametrize("level", LEVELS[:1], indirect=True)
def test_the_real_build_survives_longer_than_the_twin(
    race: Race, twins: Twins, crowd: ThreadPoolExecutor
) -> None:
    """As many races as the twin needs to be late, plus three standard deviations."""
    close = CLOSINGS["close the ticket"]
    for guard in racing.WITHOUT_RECHECK:
        twins.without(*guard)
    attempts = [races_until_late(race, crowd, close) for _ in range(TRIALS)]
    twins.restore()
    enough = int(statistics.mean(attempts) + 3 * statistics.stdev(attempts)) + 1
    assert sum(race.run(crowd, close, after=1 + n % 7) for n in range(enough)) == 0


def races_until_late(race: Race, crowd: ThreadPoolExecutor, close: Close) -> int:
    return next(n for n in itertools.count(1) if race.run(crowd, close, after=1 + n % 7))


# Two at once


def both(
    crowd: ThreadPoolExecutor,
    stage: Stage,
    locked: tuple[str, int | str],
    *acts: Callable[[], Any],
) -> Any:
    """Let all acts wait for one row, then go at the same moment; return their results."""
    table, row_id = locked
    key = "name" if isinstance(row_id, str) else "id"
    with psycopg.connect(environment.setup_url(environment.database_name())) as holder:
        holder.execute(f"SELECT FROM {table} WHERE {key} = %s FOR UPDATE", [row_id])
        going = [crowd.submit(act) for act in acts]
        racing.until_waiting(stage.world.setup, len(acts))
        holder.rollback()
    return [one.result() for one in going]


def pending(stage: Stage, case: Opened) -> int:
    return racing.ask(stage.web, case, case.accounts[0])


def test_two_managers_approve_at_once(stage: Stage, as_role: AsRole, crowd: ThreadPoolExecutor) -> None:
    """One effect; the second is told, and finds who was first."""
    first, second = as_role(roles.WEB), as_role(roles.WEB)
    for _ in range(ROUNDS):
        case = stage.prepared()
        request = pending(stage, case)
        results = both(
            crowd,
            stage,
            ("staff_member", case.consultant.id),
            lambda: racing.decide(first, case.boss, request, "approve"),  # noqa: B023 - run within the round
            lambda: racing.decide(second, stage.directors_session, request, "approve"),  # noqa: B023
        )
        assert sorted(str(reason) for reason, _ in results) == ["None", "already_decided"]
        who = [case.manager.id, stage.director.id][[reason for reason, _ in results].index(None)]
        sql = """SELECT r.state, r.decided_by_id, count(g.id) FROM gatekeeper_accessrequest r
            JOIN gatekeeper_grant g ON g.request_id = r.id WHERE r.id = %s GROUP BY r.id"""
        assert racing.row(stage.web, sql, [request]) == ("approved", who, 1)


def test_the_last_view_is_one_sessions(stage: Stage, as_role: AsRole, crowd: ThreadPoolExecutor) -> None:
    """Both find one view left; the grant counts, and the second is refused."""
    first, second = as_role(roles.VAULT), as_role(roles.VAULT)
    for _ in range(ROUNDS):
        case = stage.opened(sessions=2)
        stage.world.quietly("gatekeeper_grant", case.grants[0], views=499)
        results = both(
            crowd,
            stage,
            ("gatekeeper_grant", case.grants[0]),
            lambda: racing.record(first, case, case.callers[0]),  # noqa: B023
            lambda: racing.record(second, case, case.callers[1]),  # noqa: B023
        )
        assert sorted(str(reason) for _, reason in results) == ["None", "view_limit_reached"]
        views = racing.row(stage.web, "SELECT views FROM gatekeeper_grant WHERE id = %s", case.grants)
        assert views == (500,)


class LastUnit:
    """One session records a view with the day's last unit; another of the same member's comes meanwhile."""

    def __init__(self, stage: Stage, as_role: AsRole, crowd: ThreadPoolExecutor) -> None:
        self.stage, self.crowd = stage, crowd
        self.first, self.second = as_role(roles.VAULT), as_role(roles.VAULT)
        self.case = stage.opened(sessions=2, accounts=2)
        self.used(settings.LIMITS["accounts_per_day"] - 1)

    def used(self, accounts: int) -> None:
        """So many accounts were others' today."""
        self.stage.world.insert(
            "gatekeeper_dailybudget",
            member_id=self.case.consultant.id,
            day=timezone.localdate(),
            accounts=accounts,
            fields=accounts,
        )

    def run(self, meanwhile: Callable[[], object] = lambda: None) -> tuple[str | None, str | None]:
        """Why the first is refused, and why the second, which waits until the first has committed."""
        self.first.execute("BEGIN")
        _, one = racing.record(self.first, self.case, self.case.callers[0])
        waiting = self.crowd.submit(racing.record, self.second, self.case, self.case.callers[1], place=1)
        racing.until_waiting(self.stage.world.setup, 1)
        meanwhile()
        self.first.commit()
        return one, waiting.result()[1]


def test_the_days_last_unit_is_one_sessions(
    stage: Stage, as_role: AsRole, crowd: ThreadPoolExecutor, twins: Twins
) -> None:
    """Without the lock on the member both find one left."""
    assert LastUnit(stage, as_role, crowd).run() == (None, "daily_budget_reached")
    twins.without("decide", "IF p_lock THEN", "IF false THEN")
    assert LastUnit(stage, as_role, crowd).run() == (None, None)


def test_who_waited_over_midnight_is_judged_by_the_new_day(
    stage: Stage, as_role: AsRole, crowd: ThreadPoolExecutor
) -> None:
    race = LastUnit(stage, as_role, crowd)
    there = "SELECT extract(hour FROM now() AT TIME ZONE %s)"
    # Where it is another day already, or still: between these two it always is.
    [(hour,)] = stage.world.setup.execute(there, [settings.TIME_ZONE]).fetchall()
    other = "Pacific/Kiritimati" if hour >= 12 else "Etc/GMT+12"
    change = "UPDATE audit_limit SET value = %s WHERE name = 'time_zone'"
    try:
        assert race.run(lambda: stage.world.setup.execute(change, [other])) == (None, None)
    finally:
        stage.world.setup.execute(change, [settings.TIME_ZONE])


def test_approving_against_withdrawing(stage: Stage, as_role: AsRole, crowd: ThreadPoolExecutor) -> None:
    """One of them; the other finds it decided. What was withdrawn has no grant."""
    first, second = as_role(roles.WEB), as_role(roles.WEB)
    for _ in range(ROUNDS):
        case = stage.prepared()
        request = pending(stage, case)
        approved, withdrawn = both(
            crowd,
            stage,
            ("gatekeeper_accessrequest", request) if _ % 2 else ("staff_member", case.consultant.id),
            lambda: racing.decide(first, case.boss, request, "approve"),  # noqa: B023
            lambda: racing.decide(second, case.callers[0], request, "withdraw"),  # noqa: B023
        )
        assert {approved[0], withdrawn[0]} == {None, "already_decided"}
        state = racing.row(stage.web, "SELECT state FROM gatekeeper_accessrequest WHERE id = %s", [request])
        assert state == ("approved" if approved[1] else "withdrawn",)


def test_approving_against_closing(stage: Stage, as_role: AsRole, crowd: ThreadPoolExecutor) -> None:
    """Whichever comes first: no grant lives on a closed ticket, and no request waits for one."""
    first, hands = as_role(roles.WEB), Hands(as_role(roles.WEB), as_role(roles.FEED))
    for _ in range(ROUNDS):
        case = stage.prepared()
        request = pending(stage, case)
        ticket = racing.row(stage.web, "SELECT id FROM gatekeeper_ticket WHERE number = %s", [case.ticket])[0]
        (reason, grant), _closed = both(
            crowd,
            stage,
            ("gatekeeper_ticket", ticket),
            lambda: racing.decide(first, case.boss, request, "approve"),  # noqa: B023
            lambda: deliver(hands, message(case, state="solved")),  # noqa: B023
        )
        assert reason in (None, "ticket_closed", "already_decided")
        sql = "SELECT count(*) FROM gatekeeper_grant WHERE request_id = %s AND ended_at IS NULL"
        assert racing.row(stage.web, sql, [request]) == (0,)
        sql = "SELECT state FROM gatekeeper_accessrequest WHERE id = %s"
        assert racing.row(stage.web, sql, [request]) == ("approved" if grant else "lapsed",)


def test_approving_as_a_deputy_against_ending_it(
    stage: Stage, as_role: AsRole, crowd: ThreadPoolExecutor
) -> None:
    """Whichever comes first: no grant of a deputy's lives whose time was ended."""
    for how in sorted(BY_DEPUTY):
        first, hands = as_role(roles.WEB), Hands(as_role(roles.WEB), as_role(roles.FEED))
        for _ in range(ROUNDS):
            case = stage.prepared(by_deputy=True)
            request = pending(stage, case)
            (reason, _grant), _closed = both(
                crowd,
                stage,
                ("gatekeeper_deputy", case.deputy),
                lambda: racing.decide(first, case.approves, request, "approve"),  # noqa: B023
                lambda: CLOSINGS[how](hands, stage, case),  # noqa: B023
            )
            assert reason in (None, "role_missing")
            assert live_of(stage, request) == 0


def test_approving_against_another_manager(stage: Stage, as_role: AsRole, crowd: ThreadPoolExecutor) -> None:
    """The one between the approver and the consultant comes to report to somebody else."""
    first, hands = as_role(roles.WEB), Hands(as_role(roles.WEB), as_role(roles.FEED))
    for _ in range(ROUNDS):
        case = stage.prepared()
        request = pending(stage, case)
        proposal = propose_manager(hands, stage, case.manager, stage.hire("manager")[0])
        (reason, _grant), _confirmed = both(
            crowd,
            stage,
            ("audit_limit", "time_zone"),
            lambda: racing.decide(first, stage.directors_session, request, "approve"),  # noqa: B023
            lambda: confirm(hands, stage, proposal),  # noqa: B023
        )
        assert reason in (None, "role_missing")
        assert live_of(stage, request) == 0


def approved_meanwhile(stage: Stage, as_role: AsRole, crowd: ThreadPoolExecutor, how: str) -> int:
    """Approve while what the approver's word rests on has gone, and is not committed; how many live then?"""
    first, hands = as_role(roles.WEB), Hands(as_role(roles.WEB), as_role(roles.FEED))
    case = stage.prepared(by_deputy=how in BY_DEPUTY)
    request = pending(stage, case)
    if how in BY_DEPUTY:
        approves, close = case.approves, CLOSINGS[how]
    else:
        proposal = propose_manager(hands, stage, case.manager, stage.hire("manager")[0])
        approves, close = stage.directors_session, lambda h, s, c: confirm(h, s, proposal)
    hands.web.execute("BEGIN")
    close(hands, stage, case)
    approving = crowd.submit(racing.decide, first, approves, request, "approve")
    while not (approving.done() or racing.waiting(stage.world.setup)):
        pass
    hands.web.execute("COMMIT")
    assert approving.result()[0] in (None, "role_missing")
    return live_of(stage, request)


WAITS_FOR = ("end the deputy", "suspend who named the deputy", "another manager")


@pytest.mark.parametrize("how", WAITS_FOR)
def test_an_approval_waits_for_what_its_approver_rests_on(
    stage: Stage, as_role: AsRole, crowd: ThreadPoolExecutor, how: str
) -> None:
    assert approved_meanwhile(stage, as_role, crowd, how) == 0


@pytest.mark.parametrize("how", WAITS_FOR)
def test_without_the_lock_it_outlives_it(
    stage: Stage, as_role: AsRole, crowd: ThreadPoolExecutor, twins: Twins, how: str
) -> None:
    twins.without("lock_authority", "IF p_approver IS NOT NULL THEN", "IF p_approver > 0 THEN RETURN;")
    assert approved_meanwhile(stage, as_role, crowd, how) == 1


def test_opening_against_what_ends_the_approvers_word(
    stage: Stage, as_role: AsRole, crowd: ThreadPoolExecutor
) -> None:
    """A window that is being opened is seen: its end is judged when it is written."""
    first, hands = as_role(roles.WEB), Hands(as_role(roles.WEB), as_role(roles.FEED))
    for how in ("withdraw the approver's agreement", "the approver leaves", "end the deputy"):
        for _ in range(ROUNDS):
            case = stage.prepared(by_deputy=how in BY_DEPUTY)
            request = pending(stage, case)
            case.grants.append(racing.approve(stage.web, case.approves, request))
            opened, _closed = both(
                crowd,
                stage,
                ("gatekeeper_grant", case.grants[0]),
                lambda: racing.open_window(first, case, case.grants[0]),  # noqa: B023
                lambda: CLOSINGS[how](hands, stage, case),  # noqa: B023
            )
            assert opened in (None, "grant_ended")
            assert live_of(stage, request) == 0


def live_of(stage: Stage, request: int) -> int:
    sql = "SELECT count(*) FROM gatekeeper_grant WHERE request_id = %s AND ended_at IS NULL"
    return int(racing.row(stage.web, sql, [request])[0])


def test_a_window_is_opened_once(stage: Stage, as_role: AsRole, crowd: ThreadPoolExecutor) -> None:
    """Two clicks, and a reveal that opens: one window, one entry that says so."""
    first, second = as_role(roles.WEB), as_role(roles.WEB)
    for _ in range(ROUNDS):
        case = stage.prepared()
        grant = racing.approve(stage.web, case.boss, pending(stage, case))
        results = both(
            crowd,
            stage,
            ("gatekeeper_grant", grant),
            lambda: racing.open_window(first, case, grant),  # noqa: B023
            lambda: racing.open_window(second, case, grant),  # noqa: B023
        )
        assert results == [None, None]
        sql = """SELECT g.openings, count(e.id) FROM gatekeeper_grant g
            JOIN audit_entry e ON e.grant_id = g.id AND e.event = 'start' WHERE g.id = %s GROUP BY g.id"""
        assert racing.row(stage.web, sql, [grant]) == (1, 1)


# Locks: nobody waits for ever, and the closing does not starve


def deadlocks() -> int:
    """What PostgreSQL has counted in this database, with the statistics of all who have left."""
    url = environment.setup_url(environment.database_name())
    with psycopg.connect(url, autocommit=True) as setup:
        sql = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        return int(racing.row(setup, sql, [])[0])


def test_nothing_deadlocks(stage: Stage, as_role: AsRole, crowd: ThreadPoolExecutor) -> None:
    """Every closing at once, on two grants of one consultant, while their sessions reveal."""
    before = deadlocks()
    vaults = [as_role(roles.VAULT) for _ in range(REVEALERS)]
    hands = [Hands(as_role(roles.WEB), as_role(roles.FEED)) for _ in CLOSINGS]
    for _ in range(2 * ROUNDS):
        case = stage.opened(sessions=len(vaults), accounts=2, by_deputy=_ % 2 == 1)
        start = threading.Barrier(len(CLOSINGS) + len(vaults))
        going = [
            crowd.submit(reveal_until_refused, start, vault, case, caller, n % 2)
            for n, (vault, caller) in enumerate(zip(vaults, case.callers, strict=True))
        ]
        going += [
            crowd.submit(act_with, start, close, hand, stage, case)
            for close, hand in zip(CLOSINGS.values(), hands, strict=True)
        ]
        for one in going:
            assert one.result() != "check_failed"  # as which a function hides a deadlock
        live = "SELECT count(*) FROM gatekeeper_grant WHERE id = ANY (%s) AND ended_at IS NULL"
        assert racing.row(stage.web, live, [case.grants]) == (0,)
    for connection in (*vaults, *(one for hand in hands for one in (hand.web, hand.feed))):
        connection.close()
    assert deadlocks() == before


def test_who_ends_many_does_not_deadlock(stage: Stage, as_role: AsRole, crowd: ThreadPoolExecutor) -> None:
    """One delivery closes many tickets, whose grants came in another order; meanwhile their approver
    is suspended, and tidying ends what is over."""
    before = deadlocks()
    hands = [Hands(as_role(roles.WEB), as_role(roles.FEED)) for _ in range(3)]
    for _ in range(2 * ROUNDS):
        manager = stage.hire("manager", stage.director)
        cases = [stage.prepared(under=manager) for _ in range(6)]
        for case in reversed(cases):
            case.grants.append(racing.approve(stage.web, case.boss, pending(stage, case)))
        ended = [case.grants[0] for case in cases]
        stage.world.setup.execute(
            "UPDATE gatekeeper_grant SET open_before = now() WHERE id = ANY (%s)", [ended]
        )
        start = threading.Barrier(len(hands))
        messages = [message(case, state="solved") for case in cases]
        acts: list[Close] = [
            lambda h, s, c: deliver(h, *messages),  # noqa: B023 - run within the round
            lambda h, s, c: change_member(h, s, manager[0].number),  # noqa: B023
            lambda h, s, c: h.web.execute("SELECT gatekeeper.tidy()"),
        ]
        going = [
            crowd.submit(act_with, start, act, hand, stage, cases[0])
            for act, hand in zip(acts, hands, strict=True)
        ]
        for one in going:
            one.result()
    for connection in (one for hand in hands for one in (hand.web, hand.feed)):
        connection.close()
    assert deadlocks() == before


def import_meets_a_closing(stage: Stage, as_role: AsRole, crowd: ThreadPoolExecutor) -> bool:
    """An import takes two members' role, and somebody ends their accesses in the order of the accesses,
    which is not the order of the lines. Whether both came through."""
    earlier, later = stage.opened(), stage.opened()
    importer, closer = as_role(roles.PEOPLE), as_role(roles.MIGRATOR)
    sql = """SELECT jsonb_agg(jsonb_build_object('number', m.number, 'name', m.name, 'email', m.email,
            'roles', '[]'::jsonb, 'manager', x.number, 'starts_on', m.starts_on) ORDER BY m.id DESC)
        FROM staff_member m JOIN staff_member x ON x.id = m.manager_id WHERE m.id = ANY (%s)"""
    [lines] = racing.row(stage.world.setup, sql, [[earlier.consultant.id, later.consultant.id]])
    lock = "SELECT FROM gatekeeper_grant WHERE id = %s FOR NO KEY UPDATE"
    closer.execute("SET ROLE gatekeeper_owner")
    closer.execute("BEGIN")
    closer.execute(lock, earlier.grants)
    importing = crowd.submit(importer.execute, "SELECT staff.apply_members(%s, 'tests')", [Jsonb(lines)])
    racing.until_waiting(stage.world.setup, 1)
    try:
        closer.execute(lock, later.grants)
        closer.execute("COMMIT")
        importing.result()
    except psycopg.errors.DeadlockDetected:
        closer.rollback()
        return False
    return True


def test_an_import_has_locked_what_ends_before_it_changes_anybody(
    stage: Stage, as_role: AsRole, crowd: ThreadPoolExecutor, twins: Twins
) -> None:
    assert import_meets_a_closing(stage, as_role, crowd)
    twins.without("apply_members", "INSERT INTO staff.member_news (news, members) VALUES ('change', known);")
    assert not import_meets_a_closing(stage, as_role, crowd)


def reveal_until_refused(
    start: threading.Barrier, vault: Connection, case: Opened, caller: Any, place: int
) -> str | None:
    start.wait()
    while True:
        entry, reason = racing.record(vault, case, caller, place=place)
        if reason is None:
            _, reason = racing.release(vault, caller, entry)
        if reason is not None:
            return reason


def act_with(start: threading.Barrier, close: Close, hands: Hands, stage: Stage, case: Opened) -> None:
    start.wait()
    close(hands, stage, case)


def test_closing_while_sixteen_reveal(stage: Stage, as_role: AsRole, crowd: ThreadPoolExecutor) -> None:
    """How long it takes is the bench's to say (`--gate`)."""
    hands = Hands(as_role(roles.WEB), as_role(roles.FEED))
    race = Race(stage, hands, [as_role(roles.VAULT) for _ in range(16)], LEVELS[0])

    def close(hands: Hands, stage: Stage, case: Opened) -> None:
        deliver(hands, message(case, state="solved"))

    assert sum(race.run(crowd, close, after=16) for _ in range(CLOSINGS_MEASURED)) == 0
