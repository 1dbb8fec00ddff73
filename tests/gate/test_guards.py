"""Each guard is worth its line: with it the attack fails, on a twin without it the same attack succeeds."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import NamedTuple

import psycopg
import pytest
from psycopg import IsolationLevel
from psycopg.types.json import Jsonb

from gatekeeper.installation import roles
from tests import environment
from tests.conftest import AsRole, Connection
from tests.world import SOON, now
from tests.world.raw import Released, record, recorded, release
from tests.world.scene import REFERENCE, TICKET, Scene
from tests.world.twins import Twins

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

#: Why an attack was refused; None when it got what it wanted.
Attack = Callable[[Scene, AsRole], str | None]

PINNED = "SET search_path TO 'pg_catalog', 'pg_temp'"
LOCK_TICKET = "SELECT x.* INTO t FROM public.gatekeeper_ticket x WHERE x.id = ticket_id FOR NO KEY UPDATE;"
LOCK_GRANT = "SELECT x.* INTO g FROM public.gatekeeper_grant x WHERE x.id = g.id FOR NO KEY UPDATE;"
ANOTHER_TRANSACTION = """e.xid = pg_current_xact_id() OR pg_xact_status(e.xid) IS DISTINCT FROM 'committed'
            OR pg_visible_in_snapshot(e.xid, known) IS NOT TRUE"""
BY_XMIN = "(SELECT x.xmin FROM public.audit_entry x WHERE x.id = p_entry)::text = pg_current_xact_id()::text"
ISOLATION = "current_setting('transaction_isolation') <> 'read committed'"


class Removal(NamedTuple):
    """One place in one function."""

    function: str
    guard: str
    instead: str = ""


NO_LOCKS = Removal("decide", "IF p_lock THEN", "IF false THEN")
ANY_ISOLATION = Removal("release_view", f"WHEN {ISOLATION} THEN", "WHEN false THEN")


@pytest.fixture
def scene(setup_connection: Connection, transactional_db: None) -> Scene:
    made = Scene(setup_connection)
    made.opened()
    return made


def vault_role(scene: Scene, as_role: AsRole) -> Connection:
    """A connection that has released before: the first call tidies pages of PostgreSQL's catalogue, and
    what one's own open transaction writes nobody flushes."""
    vault = as_role(roles.VAULT)
    release(vault, scene, None)
    return vault


# The attacks; each may be run again


def use_a_grant_without_guardians_row(scene: Scene, _as_role: AsRole) -> str | None:
    with scene.world.setup.transaction():
        scene.world.setup.execute("SET LOCAL session_replication_role = replica")
        scene.world.setup.execute("DELETE FROM gatekeeper_accountpermission")
    return scene.reason() or None


def release_in_the_records_transaction(scene: Scene, as_role: AsRole) -> str | None:
    vault = vault_role(scene, as_role)
    with vault.transaction(force_rollback=True):
        entry = recorded(vault, scene)
        scene.world.contact()  # another's commit takes this record to the disk: the wait ends
        return release(vault, scene, entry).reason


def release_behind_a_savepoint(scene: Scene, as_role: AsRole) -> str | None:
    """The plaintext comes out, and no record is left."""
    vault = vault_role(scene, as_role)
    with vault.transaction(force_rollback=True):
        vault.execute("SELECT pg_current_xact_id()")
        with vault.transaction():
            entry = recorded(vault, scene)
        scene.world.contact()
        return release(vault, scene, entry).reason


def outlast_the_window_in_an_old_transaction(scene: Scene, as_role: AsRole) -> str | None:
    scene.world.quietly("gatekeeper_grant", scene.grant, window_ends_at=now() + timedelta(hours=1))
    vault = vault_role(scene, as_role)
    entry = recorded(vault, scene)
    with vault.transaction():
        vault.execute("SELECT now()")
        scene.world.setup.execute("UPDATE gatekeeper_grant SET window_ends_at = clock_timestamp()")
        return release(vault, scene, entry).reason


def see_the_ticket_as_it_was(level: IsolationLevel) -> Attack:
    def attack(scene: Scene, as_role: AsRole) -> str | None:
        scene.world.quietly("gatekeeper_ticket", scene.ticket, state="open")
        vault = vault_role(scene, as_role)
        entry = recorded(vault, scene)
        vault.isolation_level = level
        with vault.transaction():
            vault.execute("SELECT pg_current_snapshot()")
            scene.world.quietly("gatekeeper_ticket", scene.ticket, state="solved")
            return release(vault, scene, entry).reason

    return attack


@contextmanager
def temporary_objects_allowed(scene: Scene, role: str) -> Iterator[None]:
    database = environment.database_name()
    scene.world.setup.execute(f"GRANT TEMPORARY ON DATABASE {database} TO {role}".encode())
    try:
        yield
    finally:
        scene.world.setup.execute(f"REVOKE TEMPORARY ON DATABASE {database} FROM {role}".encode())


def run_code_of_ones_own_as_the_owner(scene: Scene, as_role: AsRole) -> str | None:
    """A type named `text` in pg_temp, whose check is a function that reads the vault."""
    with temporary_objects_allowed(scene, roles.VAULT):
        vault = as_role(roles.VAULT)
        vault.execute(b"""
            CREATE TEMPORARY TABLE spoils (taken bytea);
            GRANT ALL ON pg_temp.spoils TO PUBLIC;
            CREATE FUNCTION pg_temp.steal(pg_catalog.text) RETURNS boolean LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO pg_temp.spoils SELECT unnest(ciphertexts) FROM vault.account;
                RETURN true;
            EXCEPTION WHEN insufficient_privilege THEN
                RETURN true;
            END $$;
            CREATE DOMAIN pg_temp.text AS pg_catalog.text CHECK (pg_temp.steal(VALUE));
        """)
        record(vault, scene)
        taken = vault.execute("SELECT count(*) FROM spoils").fetchone()
    return "nothing taken" if taken == (0,) else None


def shadow_the_ticket(scene: Scene, as_role: AsRole) -> str | None:
    scene.world.quietly("gatekeeper_ticket", scene.ticket, state="solved")
    with temporary_objects_allowed(scene, roles.WEB):
        web = as_role(roles.WEB)
        web.execute("CREATE TEMPORARY TABLE gatekeeper_ticket AS SELECT * FROM public.gatekeeper_ticket")
        web.execute("UPDATE pg_temp.gatekeeper_ticket SET state = 'open'")
        web.execute("GRANT SELECT ON pg_temp.gatekeeper_ticket TO PUBLIC")
        [(reason,)] = web.execute(
            "SELECT reason FROM gatekeeper.gate(%s, %s, NULL, %s, NULL)",
            [scene.caller.digest, REFERENCE, scene.grant],
        ).fetchall()
    return str(reason) if reason else None


GUARDS: dict[str, tuple[Attack, str, list[Removal]]] = {
    "guardian's row": (
        use_a_grant_without_guardians_row,
        "approval_missing",
        [Removal("approval_code", "OR (g.ended_at IS NULL AND p_listed IS NOT TRUE)")],
    ),
    "the record's transaction is another": (
        release_in_the_records_transaction,
        "record_failed",
        [Removal("release_view", ANOTHER_TRANSACTION, "false")],
    ),
    "told by the top level's number, not by xmin": (
        release_behind_a_savepoint,
        "record_failed",
        [Removal("release_view", ANOTHER_TRANSACTION, BY_XMIN)],
    ),
    "clock_timestamp, not now": (
        outlast_the_window_in_an_old_transaction,
        "grant_expired",
        [Removal("decide", "at := clock_timestamp();", "at := now();")],
    ),
    "locks and isolation, repeatable read": (
        see_the_ticket_as_it_was(IsolationLevel.REPEATABLE_READ),
        "check_failed",
        [NO_LOCKS, ANY_ISOLATION],
    ),
    "locks and isolation, serializable": (
        see_the_ticket_as_it_was(IsolationLevel.SERIALIZABLE),
        "check_failed",
        [NO_LOCKS, ANY_ISOLATION],
    ),
    "pg_temp comes last": (
        run_code_of_ones_own_as_the_owner,
        "nothing taken",
        [Removal("record_view", PINNED, "SET search_path TO 'pg_catalog'")],
    ),
}


@pytest.mark.parametrize(("attack", "refusal", "removals"), GUARDS.values(), ids=GUARDS)
def test_the_attack_succeeds_only_without_the_guard(
    scene: Scene, as_role: AsRole, twins: Twins, attack: Attack, refusal: str, removals: list[Removal]
) -> None:
    assert attack(scene, as_role) == refusal
    for removal in removals:
        twins.without(*removal)
    assert attack(scene, as_role) is None
    twins.restore()
    assert attack(scene, as_role) == refusal


@pytest.mark.parametrize("level", [IsolationLevel.REPEATABLE_READ, IsolationLevel.SERIALIZABLE])
@pytest.mark.parametrize("removal", [NO_LOCKS, ANY_ISOLATION], ids=["the isolation check", "the locks"])
def test_of_locks_and_isolation_check_one_is_enough(
    scene: Scene, as_role: AsRole, twins: Twins, removal: Removal, level: IsolationLevel
) -> None:
    twins.without(*removal)
    assert see_the_ticket_as_it_was(level)(scene, as_role) == "check_failed"


def unqualified(twins: Twins, path: str) -> None:
    """The gate as one writes it who trusts the search path; it is its caller's."""
    twins.change(
        "decide", lambda text: text.replace("FROM public.gatekeeper_ticket", "FROM gatekeeper_ticket")
    )
    twins.without("gate", PINNED, path)


def test_unqualified_names_are_safe_only_with_pg_temp_last(
    scene: Scene, as_role: AsRole, twins: Twins
) -> None:
    assert shadow_the_ticket(scene, as_role) == "ticket_closed"
    unqualified(twins, "SET search_path TO 'public', 'pg_temp'")
    assert shadow_the_ticket(scene, as_role) == "ticket_closed"
    twins.restore()
    unqualified(twins, "SET search_path TO 'public'")
    assert shadow_the_ticket(scene, as_role) is None


# The order of locks


def wait_until_blocked(
    setup: Connection, waiting: Connection, by: Connection, call: Future[Released]
) -> None:
    """Return when `waiting` waits for a lock that `by` holds."""
    asked = "SELECT %s = ANY (pg_blocking_pids(%s))"
    while setup.execute(asked, [by.info.backend_pid, waiting.info.backend_pid]).fetchone() != (True,):
        assert not call.done(), call.result()


def close_during_a_release(scene: Scene, as_role: AsRole) -> tuple[bool, str | None]:
    """A closing that has the ticket and then takes the grant, against a release that wants both.

    Return whether the closing went through, and what the release said.
    """
    vault, closer = as_role(roles.VAULT), as_role(roles.MIGRATOR)
    entry = recorded(vault, scene)
    closer.execute("SET ROLE gatekeeper_owner")
    with ThreadPoolExecutor(1) as pool:
        try:
            with closer.transaction():
                closer.execute(
                    "SELECT FROM gatekeeper_ticket WHERE id = %s FOR NO KEY UPDATE", [scene.ticket]
                )
                call = pool.submit(release, vault, scene, entry)
                wait_until_blocked(scene.world.setup, vault, closer, call)
                closer.execute("UPDATE gatekeeper_ticket SET state = 'solved' WHERE id = %s", [scene.ticket])
                facts = Jsonb({"source": "tests", "ticket": TICKET, "details": {}})
                closer.execute("SELECT audit.write_entry('change', 'allowed', %s)", [facts])
            closed = True
        except psycopg.errors.DeadlockDetected:
            closed = False
        return closed, call.result(timeout=SOON).reason


def test_a_release_that_meets_a_closing_waits_and_refuses(scene: Scene, as_role: AsRole) -> None:
    assert close_during_a_release(scene, as_role) == (True, "ticket_closed")


def test_in_another_order_of_locks_release_and_closing_deadlock(
    scene: Scene, as_role: AsRole, twins: Twins
) -> None:
    twins.change("decide", lambda text: _swapped(text, LOCK_TICKET, LOCK_GRANT))
    closed, reason = close_during_a_release(scene, as_role)
    assert not closed or reason == "check_failed"


def _swapped(text: str, one: str, other: str) -> str:
    assert (text.count(one), text.count(other)) == (1, 1)
    return text.replace(one, "\0").replace(other, one).replace("\0", other)


def test_without_locks_a_release_does_not_wait_for_a_closing(
    scene: Scene, as_role: AsRole, twins: Twins
) -> None:
    twins.without(*NO_LOCKS)
    with pytest.raises(AssertionError, match="Released"):
        close_during_a_release(scene, as_role)


# The wait until the record is on disk


@contextmanager
def nobody_writes_the_wal(setup: Connection) -> Iterator[None]:
    """Stop the WAL writer: what was committed asynchronously stays in memory, unless another commits."""
    [(pid,)] = setup.execute("SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'").fetchall()
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def release_before_the_flush(scene: Scene, as_role: AsRole) -> bool:
    """Whether values came while the record's COMMIT was not yet on disk."""
    vault = as_role(roles.VAULT)
    vault.execute("SET synchronous_commit = off")
    with nobody_writes_the_wal(scene.world.setup):
        entry = recorded(vault, scene)
        [(committed,)] = vault.execute("SELECT pg_current_wal_insert_lsn()").fetchall()
        [(given, flushed)] = vault.execute(
            "SELECT r.ciphertexts IS NOT NULL, pg_current_wal_flush_lsn() >= %s::pg_lsn"
            " FROM vault.release_view(%s, '{\"cid\": 1}', %s) r",
            [committed, scene.caller.digest, entry],
        ).fetchall()
    return bool(given and not flushed)


def test_nothing_is_released_before_its_record_is_on_disk(
    scene: Scene, as_role: AsRole, twins: Twins
) -> None:
    attempts = range(20)  # another worker's commit flushes for all
    assert not any(release_before_the_flush(scene, as_role) for _ in attempts)
    twins.change(
        "release_view", lambda text: text.replace("pg_current_wal_flush_lsn() < flushed_to", "false")
    )
    assert any(release_before_the_flush(scene, as_role) for _ in attempts)
