"""What holds the sealing up is named: process, role, since when, how to end it; nobody locks it out."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest
from django.conf import settings
from django.utils import translation

from audit.seal import alarms, delays
from audit.seal.checkpoints import Signer
from gatekeeper.installation import roles
from gatekeeper.pages import log_health

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatekeeper.frame.health_row import Health
    from tests.conftest import Connection
    from tests.world.log import Log

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

OTHERS = [role for role in roles.LOGIN if role != roles.SEALER]
OLD_LOCK = 1734702699


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    with translation.override("en"):
        yield


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has to wait for the half minute."""
    monkeypatch.setattr(delays, "PATIENCE", timedelta())


def row() -> Health:
    return log_health.sealer()


def begun(connection: Connection) -> int:
    """A transaction that has begun to write; its process."""
    connection.execute("BEGIN")
    connection.execute("SELECT pg_current_xact_id()")
    return connection.info.backend_pid


def is_sealed(log: Log, entry: int) -> bool:
    return log.setup.execute("SELECT FROM audit_leaf WHERE entry = %s", [entry]).fetchone() is not None


def signer() -> Signer:
    return Signer(settings.LOG_ORIGIN, settings.LOG_KEY)


@pytest.mark.parametrize("role", OTHERS)
def test_a_transaction_that_stays_open_is_named_until_it_ends(log: Log, at_once: None, role: str) -> None:
    log.sealed(1)
    assert row().state == "ok", row()
    with log.as_role(role) as holder:
        process = begun(holder)
        waiting = log.write()
        log.sealer().seal()
        assert not is_sealed(log, waiting)
        found = row()
        assert found.state == "to_fix"
        assert f"Process {process} of {role} has been in a transaction since 20" in found.cause
        assert "By now for 0:" in found.cause
        assert found.command == f"SELECT pg_terminate_backend({process});"
        log.setup.execute(found.command.encode())
        with pytest.raises(psycopg.OperationalError):
            holder.execute("SELECT 1")
    log.sealer().seal()
    assert row().state == "ok", row()
    assert is_sealed(log, waiting)


def test_in_a_transaction_as_short_as_ours_nobody_is_named(log: Log) -> None:
    log.sealed(1)
    with log.as_role(roles.WEB) as holder:
        begun(holder)
        assert row().state == "ok", row()
        assert timedelta(minutes=1) > delays.PATIENCE


def test_where_an_entry_waits_whoever_may_be_the_cause_is_named(log: Log) -> None:
    """Since when is unknown where the owner may not know: roles of an older version."""
    log.sealed(1)
    with log.as_role(roles.WEB) as holder:
        process = begun(holder)
        log.write()
        log.tamper("UPDATE audit_entry SET timestamp = timestamp - interval '61 seconds'")
        log.setup.execute("REVOKE pg_read_all_stats FROM gatekeeper_owner")
        try:
            found = row()
        finally:
            log.setup.execute("GRANT pg_read_all_stats TO gatekeeper_owner")
    assert "An entry has waited for its seal" in found.cause
    assert f"Process {process} of gatekeeper_web has been in a transaction since ?" in found.cause


@pytest.mark.parametrize("role", OTHERS)
def test_nobody_else_can_take_the_sealers_lock(log: Log, role: str) -> None:
    """Whatever a role may lock, entries get their seal meanwhile."""
    log.sealed(1)
    with log.as_role(role) as holder:
        holder.execute("SELECT pg_advisory_lock(%s)", [OLD_LOCK])
        refused = 0
        for mode in ("ACCESS SHARE", "ROW SHARE", "SHARE ROW EXCLUSIVE", "ACCESS EXCLUSIVE"):
            for table in ("audit_era", "audit_leaf", "audit_node", "audit_checkpoint"):
                try:
                    holder.execute("BEGIN")
                    holder.execute(f"LOCK TABLE public.{table} IN {mode} MODE".encode())
                except psycopg.errors.InsufficientPrivilege:
                    refused += 1
                    holder.execute("ROLLBACK")
                    continue
                log.write()
                with log.as_role(roles.SEALER) as impatient:
                    impatient.execute("SET lock_timeout = '60s'")
                    assert log.sealer_on(impatient, signer()).seal() > 0, (mode, table)
                holder.execute("ROLLBACK")
        assert refused >= 8  # both of the modes that would hinder, on each of the four


def test_for_whom_the_sealer_waits_is_named(log: Log, at_once: None) -> None:
    log.sealed(1)
    first, second = log.as_role(roles.SEALER), log.as_role(roles.SEALER)
    with closing(first), closing(second):
        first.execute("BEGIN")
        first.execute("SELECT audit.lock_seal()")
        second.pgconn.send_query(b"SELECT audit.lock_seal()")
        while not log.setup.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone():
            pass
        found = row()
        process = first.info.backend_pid
        assert f"The sealer has waited for process {process} of gatekeeper_sealer since" in found.cause
        assert f"SELECT pg_terminate_backend({process});" in found.command
        log.setup.execute(found.command.splitlines()[0].encode())
        log.sealer().seal()
        assert row().state == "ok", row()


def test_whoever_holds_very_many_locks_is_named(log: Log, at_once: None) -> None:
    log.sealed(1)
    with log.as_role(roles.FEED) as holder:
        holder.execute("SELECT pg_advisory_lock(n) FROM generate_series(1, 1001) n")
        process = holder.info.backend_pid
        assert f"Process {process} of gatekeeper_feed holds more than 1000 locks." in row().cause
    assert row().state == "ok"


def test_the_sealer_says_so_as_well(log: Log, at_once: None) -> None:
    log.sealed(1)
    with log.as_role(roles.WEB) as holder:
        process = begun(holder)
        assert any(f"Process {process} of gatekeeper_web" in word for word in alarms.sealing("sealer").sealer)


def test_no_statement_of_anybody_is_told(log: Log) -> None:
    columns = log.setup.execute("SELECT * FROM audit.sealing_delays() LIMIT 0").description or []
    assert [column.name for column in columns] == ["kind", "process", "role", "since", "named"]
