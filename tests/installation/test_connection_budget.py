"""How many connections there may be: the sum, the limits, and what a process of its own needs and answers."""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from django.conf import settings
from django.test import Client, override_settings
from django.utils import translation
from standardwebhooks import Webhook

from audit.seal import stored
from gatekeeper.installation import checks, cluster, connection_budget, roles
from gatekeeper.installation.settings_table import BY_NAME
from gatekeeper.pages import cluster_health
from tests import readme
from tests.world.serving import serving, web_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.world.log import Log
    from tests.world.scene import Scene

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True, databases="__all__")]

ROOT = Path(__file__).resolve().parents[2]
DEFAULT = connection_budget.read(BY_NAME["PROCESSES"].default or "")
USUAL = 100  # PostgreSQL's own max_connections
RESERVED = 3


def test_the_default_fits_into_an_ordinary_server() -> None:
    assert connection_budget.wanted(DEFAULT, RESERVED) <= USUAL
    assert readme.stands("connections") == readme.connections(), "run: python -m tests.readme"


def test_each_thread_has_one_connection_of_each_link() -> None:
    [only] = DEFAULT
    beside = connection_budget.need([])
    for name, role in roles.LINKS.items():
        threads = only.workers * only.threads if name in roles.SERVING else 0
        threads += only.workers if name == "WEB" else 0  # that which sends mail
        assert connection_budget.need(DEFAULT)[role] == beside[role] + threads, role


def test_one_role_at_its_limit_leaves_the_others_what_they_need() -> None:
    needed, limits = connection_budget.need(DEFAULT), connection_budget.limits(DEFAULT)
    for role, limit in limits.items():
        others = sum(needed.values()) - needed[role]
        assert needed[role] < limit
        assert limit + others + RESERVED <= connection_budget.wanted(DEFAULT, RESERVED), role


def test_processes_add_up() -> None:
    one, other = connection_budget.read("pages:2x8, api:1x4")
    both = connection_budget.need([one, other])
    assert both[roles.WEB] == connection_budget.BESIDE["WEB"] + 16 + 2 + 4
    assert both[roles.SIGNIN] == connection_budget.BESIDE["SIGNIN"] + 16
    assert both[roles.FEED] == connection_budget.BESIDE["FEED"] + 4
    assert connection_budget.need([one, one])[roles.SIGNIN] == connection_budget.BESIDE["SIGNIN"] + 32
    assert str(one) == "pages:2x8"
    assert connection_budget.read_serves("api+pages") == connection_budget.ALL


@pytest.mark.parametrize("text", ["", "pages", "pages:0x8", "pages:2x100", "pages+pages:1x1", "log:1x1"])
def test_what_names_no_processes_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(text.split(':')[0])}"):
        connection_budget.read(text)


# Against the server


@pytest.fixture
def limited(log: Log) -> Iterator[Log]:
    """A server of its own, whose roles have the limits of an installation."""
    with translation.override("en"):
        limit(log)
        yield log
    roles.create_roles(log.setup, {})


def limit(log: Log, **other: int) -> None:
    """As bootstrap limits them."""
    roles.create_roles(log.setup, {}, connection_budget.limits(settings.PROCESSES) | other)


def test_the_server_is_asked_for_its_room(limited: Log) -> None:
    assert cluster_health.connections().state == "ok", cluster_health.connections()
    limit(limited, gatekeeper_feed=7)
    found = cluster_health.connections()
    assert (found.state, found.command) == ("to_fix", cluster_health.MAKE)
    assert "gatekeeper_feed" in found.cause
    assert "Not limited as they should be: gatekeeper_feed." in [
        one.msg for one in checks.roles_as_made(databases=["default"])
    ]


@pytest.mark.usefixtures("limited")
@override_settings(PROCESSES=connection_budget.read("pages+api:8x16"))
def test_more_threads_than_the_server_has_room_for() -> None:
    found = cluster.connections(stored.raw("default"))
    assert found.is_small
    assert cluster_health.connections().command == f"ALTER SYSTEM SET max_connections = {found.wanted};"


def test_a_role_that_takes_all_it_gets_is_named_and_the_others_go_on(limited: Log) -> None:
    most = connection_budget.limits(settings.PROCESSES)[roles.PEOPLE]
    with ExitStack() as taken:
        for _ in range(most):
            taken.enter_context(closing(limited.as_role(roles.PEOPLE)))
        with pytest.raises(psycopg.OperationalError, match="too many connections for role"):
            limited.as_role(roles.PEOPLE)
        found = cluster_health.connections()
        assert (found.state, found.cause) == ("to_fix", "No place left for gatekeeper_people.")
        with closing(limited.as_role(roles.WEB)) as other:
            assert other.execute("SELECT 1").fetchone() == (1,)


# A process for each


def variables(serves: str) -> dict[str, str]:
    """What the process gets that serves this: its own links alone."""
    own = {
        f"GATEKEEPER_DATABASE_URL_{link}"
        for link in connection_budget.links(connection_budget.read_serves(serves))
    }
    given = {
        name: value
        for name, value in web_environment().items()
        if name in own or not name.startswith("GATEKEEPER_DATABASE_URL_")
    }
    return given | {"GATEKEEPER_SERVES": serves}


def ask(port: int, method: str, path: str, body: str = "", **headers: str) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", port, timeout=90)
    connection.request(method, path, body, {"Host": "localhost"} | headers)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def signed(secret: str, body: str) -> dict[str, str]:
    number, now = f"msg_{secrets.token_hex(8)}", datetime.now(UTC)
    return {
        "Content-Type": "application/json",
        "webhook-id": number,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(number, now, body),
    }


def test_the_interface_alone_takes_messages_and_shows_no_page(scene: Scene) -> None:
    with serving("gatekeeper.wsgi", variables("api")) as port:
        for path in ("/", "/sign-in/", "/static/gatekeeper/gatekeeper.css", "/accounts/MOC-40001"):
            assert ask(port, "GET", path)[0] == 404, path
        status, said = ask(
            port, "POST", "/api/tickets/heartbeat", "{}", **signed(settings.TICKETS_SECRET, "{}")
        )
        assert (status, json.loads(said)) == (200, {"outcome": "heard"})
        body = json.dumps({"reference": "MOC-40001"})
        status, said = ask(
            port, "DELETE", "/api/accounts/MOC-40001", body, **signed(settings.ACCOUNTS_SECRET, body)
        )
        assert (status, json.loads(said)["outcome"]) == (200, "erased")


def test_pages_alone_take_no_message() -> None:
    with serving("gatekeeper.wsgi", variables("pages")) as port:
        assert ask(port, "GET", "/sign-in/")[0] == 200
        headers = signed(settings.TICKETS_SECRET, "{}")
        assert ask(port, "POST", "/api/tickets/heartbeat", "{}", **headers)[0] == 404


def test_by_default_a_process_answers_both(client: Client) -> None:
    assert settings.SERVES == connection_budget.ALL
    assert client.post("/api/tickets/heartbeat", "{}", "application/json").status_code == 401
    assert client.get("/sign-in/").status_code == 200


def start(given: dict[str, str], module: str = "gatekeeper.wsgi") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", f"import {module}"],
        cwd=ROOT,
        env=given,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(("serves", "foreign"), [("pages", "FEED"), ("api", "SIGNIN"), ("api", "VAULT")])
def test_a_process_refuses_the_link_of_another(serves: str, foreign: str) -> None:
    name = f"GATEKEEPER_DATABASE_URL_{foreign}"
    ended = start(variables(serves) | {name: os.environ[name]})
    assert ended.returncode != 0
    assert f"{name}: these belong to commands, or to what another process serves." in ended.stderr


@pytest.mark.parametrize(("serves", "own"), [("pages", "SIGNIN"), ("pages", "VAULT"), ("api", "FEED")])
def test_a_process_does_not_start_without_a_link_of_its_own(serves: str, own: str) -> None:
    name = f"GATEKEEPER_DATABASE_URL_{own}"
    ended = start({key: value for key, value in variables(serves).items() if key != name})
    assert ended.returncode != 0
    assert f"{name} (or {name}_FILE) is missing." in ended.stderr


def test_a_process_is_one_of_those_that_are_counted() -> None:
    ended = start(variables("api"), "gatekeeper.installation.gunicorn")
    assert "GATEKEEPER_SERVES names a process that GATEKEEPER_PROCESSES does not." in ended.stderr
    named = variables("api") | {"GATEKEEPER_PROCESSES": "pages:2x8, api:1x4"}
    assert start(named, "gatekeeper.installation.gunicorn").returncode == 0


def test_gunicorn_does_not_start_with_other_threads_than_are_counted() -> None:
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "gunicorn", "--config", "python:gatekeeper.installation.gunicorn"),
            *("--bind", "127.0.0.1:0", "--threads", "9"),
        ],
        cwd=ROOT,
        env=variables("pages+api"),
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )
    assert ended.returncode == 1
    assert "GATEKEEPER_PROCESSES says pages+api:2x8, gunicorn was told 2x9" in ended.stderr


def test_sign_ins_connection_is_given_back_and_the_others_are_kept() -> None:
    script = (
        "import gatekeeper.wsgi; from django.conf import settings as s; print({a: d.get('CONN_MAX_AGE', 0)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", f"{script} for a, d in s.DATABASES.items()}})"],
        cwd=ROOT,
        env=variables("pages+api"),
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout.strip() == str({"default": None, "signin": 0, "feed": None, "vault": None})
