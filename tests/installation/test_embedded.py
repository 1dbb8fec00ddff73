"""The server of our own launching: private, recovered after a kill, gone with its parent."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from gatekeeper.demo.binaries import PostgresUnavailableError, find_binaries
from gatekeeper.demo.postgres import Server
from tests.world import SOON

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A durable server, started; its folder is closed to the server's user where we are root."""
    server = Server(tmp_path / "postgres")
    try:
        server.start()
        yield server
    finally:
        server.remove()


def query(server: Server, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(server.setup_url(), autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def test_it_is_private(server: Server) -> None:
    """No port, a socket folder for its user alone, a password asked for, values kept out of logs."""
    assert query(server, "SHOW listen_addresses") == [("",)]
    assert query(server, "SHOW data_checksums") == [("on",)]
    assert query(server, "SHOW log_error_verbosity") == [("terse",)]
    assert query(server, "SHOW log_min_error_statement") == [("panic",)]
    assert stat.S_IMODE(server.socket_dir.stat().st_mode) == 0o700
    assert {row[0] for row in query(server, "SELECT auth_method FROM pg_hba_file_rules")} == {"scram-sha-256"}
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(server.url("postgres", "wrong", "postgres"))


def test_errors_in_its_log_hold_no_statement(server: Server) -> None:
    with pytest.raises(psycopg.Error):
        query(server, "SELECT 1/0 AS canary_in_a_statement")
    assert "division by zero" in server.log.read_text()
    assert "canary_in_a_statement" not in server.log.read_text()


@pytest.mark.kill
def test_what_was_committed_survives_a_kill(server: Server) -> None:
    query(server, "CREATE TABLE kept AS SELECT 1 AS number")
    server.kill()
    assert not server.is_running
    # A number that lives again would keep PostgreSQL itself from starting.
    pid_file = server.cluster / "postmaster.pid"
    pid_file.write_text(pid_file.read_text().replace(pid_file.read_text().split("\n", 1)[0], "1", 1))
    server.start()
    assert query(server, "SELECT number FROM kept") == [(1,)]


def test_two_do_not_serve_one_cluster(server: Server, tmp_path: Path) -> None:
    with pytest.raises(PostgresUnavailableError, match="Another process"):
        Server(tmp_path / "postgres").start()
    assert query(server, "SELECT 1") == [(1,)]


@pytest.mark.parametrize("name", ["server.log", "lock", "socket", "cluster/PG_VERSION"])
def test_what_is_damaged_is_named_with_the_next_step(server: Server, name: str) -> None:
    server.stop()
    path = server.home / name
    if path.is_dir():
        path.rmdir()
        path.touch()
    elif name == "cluster/PG_VERSION":
        path.write_text("")
    else:
        path.unlink()
        path.mkdir()
    with pytest.raises(PostgresUnavailableError) as said:
        server.start()
    assert str(path) in str(said.value)
    assert "make demo-reset" in str(said.value)


def test_files_that_lack_or_are_empty_are_named(server: Server) -> None:
    server.stop()
    (server.home / "superuser.password").write_text("\n")
    with pytest.raises(PostgresUnavailableError, match=r"superuser\.password is damaged"):
        server.setup_url()
    (server.home / "superuser.password").unlink()
    with pytest.raises(PostgresUnavailableError, match=r"superuser\.password is damaged"):
        server.setup_url()
    (server.cluster / "PG_VERSION").unlink()
    with pytest.raises(PostgresUnavailableError, match="PG_VERSION"):
        server.start()


def test_a_server_that_does_not_start_says_its_log_and_the_next_step(server: Server) -> None:
    server.stop()
    (server.cluster / "global" / "pg_control").write_bytes(b"")
    with pytest.raises(PostgresUnavailableError, match="did not start") as said:
        server.start()
    assert "pg_control" in str(said.value)
    assert "make demo-reset" in str(said.value)


def stops(server: Server) -> bool:
    """Wait for a server that somebody else stops."""
    deadline = time.monotonic() + SOON
    while server.is_running and time.monotonic() < deadline:
        time.sleep(0.05)
    return not server.is_running


CHILD = """
import sys, time, pathlib
from gatekeeper.demo.postgres import Server
server = Server(pathlib.Path(sys.argv[1]), fast=True)
server.start()
sys.stdout.write("ready\\n"); sys.stdout.flush()
time.sleep(60)
"""


@pytest.mark.kill
def test_it_stops_cleanly_when_its_parent_is_killed(tmp_path: Path) -> None:
    server = Server(tmp_path / "postgres")
    try:
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(tmp_path / "postgres")], cwd=ROOT, stdout=subprocess.PIPE
        )
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        assert server.is_running
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        child.stdout.close()
        assert stops(server)
        assert "database system is shut down" in server.log.read_text()
        server.start()
        assert "not properly shut down" not in server.log.read_text()
    finally:
        server.remove()


def test_a_long_path_gets_a_short_socket(tmp_path: Path) -> None:
    server = Server(tmp_path / ("long" * 30) / "postgres", fast=True)
    try:
        server.start()
        assert query(server, "SELECT 1") == [(1,)]
        assert len(str(server.socket_dir)) < 100
    finally:
        server.remove()
    assert not server.home.exists()


def test_a_choice_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEKEEPER_POSTGRES", "mine")
    with pytest.raises(PostgresUnavailableError, match="GATEKEEPER_POSTGRES"):
        find_binaries()


def test_data_of_a_version_that_is_gone_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GATEKEEPER_POSTGRES", raising=False)
    with pytest.raises(PostgresUnavailableError, match="version 14"):
        find_binaries(major=14)
