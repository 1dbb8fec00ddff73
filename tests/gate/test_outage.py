"""No entry, no data: the log cannot be written, hangs, or cannot be trusted."""

from __future__ import annotations

import contextlib
import select
import socket
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from django.core.management import call_command
from django.db import connections, transaction
from django.test.utils import CaptureQueriesContext

from audit.models import Entry
from gatekeeper.gate import answers, decision
from gatekeeper.installation import roles
from tests import environment
from tests.world import VALUES, now, racing, raw
from tests.world.scene import Scene, newest

if TYPE_CHECKING:
    from tests.conftest import AsRole, Connection

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

FIELD = "contact.name"
SHOWN = {FIELD: VALUES[FIELD]}


@pytest.fixture
def scene(setup_connection: Connection) -> Iterator[Scene]:
    """An open gate; the vault's connection, which a test may have bent, is its own."""
    connections["vault"].close()
    scene = Scene(setup_connection)
    scene.opened()
    yield scene
    connections["vault"].close()


def shown(scene: Scene) -> object:
    """The values shown, or the refusal."""
    answer = scene.reveal(FIELD)
    return answer.values if isinstance(answer, answers.Reveal) else answer


# The record hangs


def test_the_vault_waits_five_seconds_at_most(scene: Scene, as_role: AsRole) -> None:
    """Set by the alias, and by the role for whoever connects otherwise."""
    for name in ("lock_timeout", "statement_timeout"):
        with connections["vault"].cursor() as cursor:
            cursor.execute(f"SHOW {name}")
            assert cursor.fetchone() == ("5s",)
        assert as_role(roles.VAULT).execute(f"SHOW {name}".encode()).fetchone() == ("5s",)


def wait_at_most(name: str, bound: str) -> None:
    """The same bound, shorter, so that a test is."""
    with connections["vault"].cursor() as cursor:
        cursor.execute(f"SET {name} = '{bound}'")


@pytest.fixture
def holder(db_exists: None) -> Iterator[Connection]:
    """Somebody who holds locks, in a transaction."""
    with psycopg.connect(environment.setup_url(environment.database_name())) as connection:
        yield connection
        connection.rollback()


@pytest.mark.parametrize("bound", ["lock_timeout", "statement_timeout"])
def test_a_log_that_hangs_refuses(scene: Scene, holder: Connection, bound: str) -> None:
    """Nobody can write an entry: the page says so after a bounded wait, and shows nothing."""
    wait_at_most(bound, "200ms")
    holder.execute("LOCK TABLE audit_entry IN EXCLUSIVE MODE")
    before = Entry.objects.count()
    assert shown(scene) == answers.Refusal("record_failed")
    holder.rollback()
    wait_at_most(bound, "5s")
    assert Entry.objects.count() == before
    assert shown(scene) == SHOWN


def test_a_release_that_hangs_is_withheld(scene: Scene, holder: Connection, as_role: AsRole) -> None:
    """Recorded, then a row that the release needs is locked: nothing comes, and the log says so."""
    vault = as_role(roles.VAULT)
    recorded = raw.recorded(vault, scene)
    holder.execute("SELECT FROM gatekeeper_grant WHERE id = %s FOR UPDATE", [scene.grant])
    vault.execute("SET lock_timeout = '200ms'")
    released = raw.release(vault, scene, recorded)
    assert (released.reason, released.ciphertexts) == ("check_failed", None)
    entry = newest("view")
    assert (entry.outcome, entry.reason, entry.answers) == ("withheld", "check_failed", recorded)


def test_a_release_beyond_its_time_gives_nothing(scene: Scene, holder: Connection, as_role: AsRole) -> None:
    vault = as_role(roles.VAULT)
    recorded = raw.recorded(vault, scene)
    holder.execute("SELECT FROM gatekeeper_grant WHERE id = %s FOR UPDATE", [scene.grant])
    vault.execute("SET statement_timeout = '200ms'")
    with pytest.raises(psycopg.errors.QueryCanceled):
        raw.release(vault, scene, recorded)


# The connection is lost


def test_a_backend_that_is_terminated_refuses(scene: Scene, holder: Connection) -> None:
    """In the middle of a record: nothing is shown, nothing is in the log, and the next one works."""
    holder.execute("LOCK TABLE audit_entry IN EXCLUSIVE MODE")
    before = Entry.objects.count()
    with ThreadPoolExecutor(1) as other:
        ending = other.submit(terminate_waiting, scene.world.setup)
        assert shown(scene) == answers.Refusal("record_failed")
        ending.result()
    holder.rollback()
    assert Entry.objects.count() == before
    assert shown(scene) == SHOWN


def terminate_waiting(setup: Connection) -> None:
    racing.until_waiting(setup, 1)
    setup.execute(
        """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock'"""
    )


class Proxy:
    """Stands before the server's socket, and swallows the answer to a statement: it was committed,
    and nobody hears of it."""

    DONE = b"Z\x00\x00\x00\x05I"  # ready for the next query, outside a transaction

    def __init__(self, folder: str, server: str) -> None:
        self.swallow: bytes | None = None  # a word of the statement
        self._server = server
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(f"{folder}/.s.PGSQL.5432")
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # closed
                return
            threading.Thread(target=self._relay, args=[client], daemon=True).start()

    def _relay(self, client: socket.socket) -> None:
        cutting = False
        # One side may be gone before the other: then so is the relay.
        gone = contextlib.suppress(BrokenPipeError, ConnectionResetError)
        with gone, client, socket.socket(socket.AF_UNIX) as server:
            server.connect(f"{self._server}/.s.PGSQL.5432")
            while True:
                for ready in select.select([client, server], [], [])[0]:
                    data = ready.recv(65536)
                    if ready is client:
                        cutting |= self.swallow is not None and self.swallow in data
                        server.sendall(data)
                    elif not cutting:
                        client.sendall(data)
                    if not data or (cutting and data.endswith(self.DONE)):
                        return

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch, scene: Scene) -> Iterator[Proxy]:
    """The vault's alias leads through a proxy."""
    usual = parse_qs(urlsplit(environment.setup_url()).query)["host"][0]
    with tempfile.TemporaryDirectory() as folder:
        proxy = Proxy(folder, usual)
        monkeypatch.setitem(connections["vault"].settings_dict, "HOST", folder)
        connections["vault"].close()
        yield proxy
        connections["vault"].close()
        proxy.close()


def test_a_connection_lost_at_commit_shows_nothing(scene: Scene, proxy: Proxy) -> None:
    """The server has committed, the answer never came. The entry says more than was seen, never less."""
    proxy.swallow = b"vault.reveal"
    assert shown(scene) == answers.Refusal("record_failed")
    assert newest("view").outcome == "allowed"
    proxy.swallow = None
    assert shown(scene) == SHOWN


def test_a_kept_connection_that_the_server_has_ended_is_seen_and_made_anew(scene: Scene) -> None:
    """Without a question to the server while nothing waits on the socket: the end must be seen there."""
    for alias in ("default", "vault"):
        kept: Any = connections[alias]
        kept.ensure_connection()
        first = kept.connection.info.backend_pid
        with CaptureQueriesContext(kept) as asked:
            assert kept.is_usable()
        assert not asked.captured_queries
        scene.world.setup.execute("SELECT pg_terminate_backend(%s, 5000)", [first])
        assert not kept.is_usable()
        kept.health_check_enabled, kept.health_check_done = True, False  # as at the beginning of a request
        with kept.cursor() as cursor:
            cursor.execute("SELECT 1")
        assert kept.connection.info.backend_pid != first


# The caller's transaction


@pytest.mark.parametrize("alias", ["default", "vault"])
def test_the_gate_refuses_to_run_inside_a_transaction(scene: Scene, alias: str) -> None:
    """The record would not be committed before the release; a row locked outside would hang both."""
    with transaction.atomic(using=alias), pytest.raises(decision.InsideTransactionError):
        scene.reveal(FIELD)
    assert shown(scene) == SHOWN


# The clock


def test_a_clock_set_back_shuts_until_it_is_accepted(scene: Scene) -> None:
    """Every reveal, not only the first: the refusals themselves bear the clock's time."""
    assert shown(scene) == SHOWN
    scene.world.quietly("audit_entry", newest("view").pk, timestamp=now() + timedelta(days=30))
    for _ in range(3):
        assert scene.reason(FIELD) == "clock_behind"
        entry = newest("view")
        assert (entry.outcome, entry.reason) == ("refused", "clock_behind")
    assert scene.evaluate().reason == "clock_behind"

    call_command("accept_clock", yes=True, verbosity=0)
    entry = newest("change")
    assert entry.source.startswith("accept_clock (")
    assert entry.details is not None
    assert list(entry.details) == ["clock_accepted"]
    assert shown(scene) == SHOWN

    scene.world.quietly("audit_entry", newest("view").pk, timestamp=now() + timedelta(days=1))
    assert scene.reason(FIELD) == "clock_behind"


def test_seconds_of_difference_are_no_clock_set_back(scene: Scene) -> None:
    assert shown(scene) == SHOWN
    scene.world.quietly("audit_entry", newest("view").pk, timestamp=now() + timedelta(seconds=4))
    assert shown(scene) == SHOWN


# A condition that cannot be evaluated


@pytest.fixture
def missing_limit(setup_connection: Connection) -> Iterator[str]:
    """Takes away a limit that the conditions need."""
    setup_connection.execute("DELETE FROM audit_limit WHERE name = 'session_hours'")
    yield "session_hours"
    call_command("apply_settings", verbosity=0)


def test_what_cannot_be_judged_has_failed(scene: Scene, missing_limit: str) -> None:
    """Refused, and recorded as such; the page that only looks says the same."""
    assert scene.reason(FIELD) == "check_failed"
    entry = newest("view")
    assert (entry.outcome, entry.reason, entry.grant_id) == ("refused", "check_failed", scene.grant)
    looked = scene.evaluate()
    assert (looked.reason, set(looked.codes.values())) == ("check_failed", {"check_failed"})
