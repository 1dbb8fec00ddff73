"""A pooler before the database is refused with a sentence: tried with PgBouncer itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from django.db import connections
from django.utils import translation

from gatekeeper.demo.binaries import Account
from gatekeeper.installation import checks, roles
from gatekeeper.installation.connections import leads_through_pooler
from gatekeeper.pages import health, surroundings
from tests import environment
from tests.world import SOON
from tests.world.serving import web_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True, databases="__all__")]

PROGRAM = "/usr/sbin/pgbouncer"
ROOT = Path(__file__).resolve().parents[2]
CONFIGURATION = """\
[databases]
* = host={server}
[pgbouncer]
listen_addr =
listen_port = 6432
unix_socket_dir = {folder}
auth_type = scram-sha-256
auth_file = {folder}/users
pool_mode = {mode}
ignore_startup_parameters = options
logfile = {folder}/log
"""
SENTENCE = "The connection 'default' leads through a connection pooler, such as PgBouncer."


@pytest.fixture(params=["transaction", "session"])
def pooler(request: Any, db_exists: None) -> Iterator[str]:
    """PgBouncer before the suite's server; the folder of its socket."""
    if not Path(PROGRAM).exists():
        pytest.fail("The package pgbouncer is missing: apt-get install pgbouncer")
    folder = Path(tempfile.mkdtemp(prefix="gatekeeper-pooler-", dir="/tmp"))  # a short path
    [server] = parse_qs(urlsplit(os.environ[environment.SETUP]).query)["host"]
    account = Account.choose(Path(server).parent / "cluster")
    users = [f'"{role}" "{environment.password(role)}"' for role in roles.LOGIN]
    (folder / "users").write_text("\n".join(users) + "\n")
    (folder / "ini").write_text(CONFIGURATION.format(server=server, folder=folder, mode=request.param))
    for path in (folder, *folder.iterdir()):
        os.chown(path, account.uid, account.gid)
    process = subprocess.Popen(  # our own arguments
        [PROGRAM, "-q", folder / "ini"], stderr=subprocess.DEVNULL, **account.switch()
    )
    try:
        deadline = time.monotonic() + SOON
        while not (folder / ".s.PGSQL.6432").exists() and time.monotonic() < deadline:
            assert process.poll() is None, (folder / "log").read_text()
            time.sleep(0.02)
        yield str(folder)
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder)


@pytest.fixture
def behind(pooler: str) -> Iterator[None]:
    """Django's aliases lead through it."""
    usual = {alias: dict(connections[alias].settings_dict) for alias in ("default", "vault")}
    for alias in usual:
        connections[alias].settings_dict.update(HOST=pooler, PORT="6432")
    with translation.override("en"):
        yield
    for alias, given in usual.items():
        connections[alias].close()
        connections[alias].settings_dict.update(HOST=given["HOST"], PORT=given["PORT"])


def test_the_checks_refuse_a_pooler(behind: None) -> None:
    found = checks.straight_to_postgresql(databases=["default", "vault", "migrator"])
    assert [(one.id, one.msg) for one in found] == [
        ("gatekeeper.E006", SENTENCE),
        ("gatekeeper.E006", SENTENCE.replace("default", "vault")),
    ]
    row = surroundings.pooler()
    assert (row.state, row.cause) == ("to_fix", "default, vault")
    assert surroundings.pooler in health._CHECKS


def test_straight_to_postgresql_all_is_well() -> None:
    aliases = ["default", "vault", "migrator", "sealer"]
    assert [leads_through_pooler(alias) for alias in aliases] == [False] * 4
    assert checks.straight_to_postgresql(databases=aliases) == []
    assert checks.straight_to_postgresql(databases=None) == []
    assert surroundings.pooler().state == "ok"


def test_a_database_that_does_not_answer_is_an_error_of_the_check() -> None:
    given = connections["default"].settings_dict
    usual, given["PORT"] = given["PORT"], "1"
    try:
        [found] = checks.straight_to_postgresql(databases=["default"])
        with pytest.raises(psycopg.OperationalError):
            leads_through_pooler("default")
    finally:
        given["PORT"] = usual
    assert found.id == "gatekeeper.E006"
    assert "cannot be made" in found.msg


# The start


def start(query: str) -> subprocess.CompletedProcess[str]:
    """A web process as far as its application, with its databases at another place."""
    urls = {
        f"GATEKEEPER_DATABASE_URL_{name}": environment.role_url(role).partition("?")[0] + query
        for name, role in roles.LINKS.items()
        if name in roles.SERVING
    }
    return subprocess.run(
        [sys.executable, "-c", "import gatekeeper.wsgi"],
        cwd=ROOT,
        env=web_environment() | urls,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_web_process_does_not_start_behind_a_pooler(pooler: str) -> None:
    ended = start(f"?host={pooler}&port=6432")
    assert ended.returncode != 0
    assert SENTENCE in ended.stderr
    assert environment.password(roles.WEB) not in ended.stderr


def test_a_web_process_starts_straight_before_the_database_or_before_none(db_exists: None) -> None:
    straight = "?" + urlsplit(os.environ[environment.SETUP]).query
    for query in (straight, "?host=/nowhere"):
        ended = start(query)
        assert ended.returncode == 0, ended.stderr
