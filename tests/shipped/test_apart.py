"""'Messages by a process of their own' of its README, carried out word for word, behind nginx."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
from datetime import UTC, datetime
from http.client import HTTPConnection
from typing import TYPE_CHECKING

import pytest
from standardwebhooks import Webhook

from gatekeeper.installation import roles
from tests.shipped.company import ACCOUNT, SAMPLES, TICKET
from tests.shipped.installation import Installation
from tests.shipped.processes import STAND_INS
from tests.shipped.visitor import HOST, Visitor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.shipped,
    pytest.mark.skipif(os.geteuid() != 0, reason="README installs as root"),
    pytest.mark.skipif(
        "CI" not in os.environ and not shutil.which("nginx"),
        reason="The package nginx-light is missing: apt-get install nginx-light",
    ),
]

PAGES, API = "gatekeeper-web", "gatekeeper-api"


@pytest.fixture(scope="module")
def site() -> Iterator[Installation]:
    """Made by README's block and started; then changed by its other one, and started again."""
    made = Installation(bind="unix")
    try:
        made.make()
        made.apart()
        made.start("apart")
        yield made
    finally:
        made.remove()


def line(kind: str, key: str, value: str) -> str:
    """One of the samples, as its sender has it."""
    lines = (SAMPLES / f"{kind}.jsonl").read_text(encoding="utf-8").splitlines()
    return next(each for each in lines if json.loads(each)[key] == value)


def headers(secret: str, body: str) -> dict[str, str]:
    number, now = f"msg_{secrets.token_hex(8)}", datetime.now(UTC)
    return {
        "Content-Type": "application/json",
        "webhook-id": number,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(number, now, body),
    }


def send(site: Installation, method: str, path: str, body: str, *, of: str) -> tuple[int, dict[str, object]]:
    """A message, signed, as its sender would send it: to nginx. Out: the answer."""
    signed = headers(site.settings()[f"GATEKEEPER_{of}_SECRET"], body)
    answer = Visitor(site).ask(method, path, body, **signed)
    return answer.status, json.loads(answer.text)


class _BySocket(HTTPConnection):
    """To a process itself, past nginx."""

    def __init__(self, path: Path) -> None:
        super().__init__(HOST, timeout=60)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self._path))


def ask(site: Installation, which: str, method: str, path: str, body: str = "") -> int:
    """A signed message, or a page, asked of one process; out: the status."""
    folder = site.root / "run" / site.processes.unit(which).folder
    connection = _BySocket(next(folder.glob("*.sock")))
    forwarded = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https"}
    signed = headers(site.settings()["GATEKEEPER_TICKETS_SECRET"], body)
    connection.request(method, path, body, forwarded | signed)
    return connection.getresponse().status


def test_both_run_each_at_its_own_socket(site: Installation) -> None:
    """Both read GUNICORN_CMD_ARGS of web.env, which names the pages' socket: --bind of the unit beats it."""
    assert site.processes.running() == {*site.enabled("apart"), "nginx"}
    assert {PAGES, API} <= site.processes.running()
    assert "/run/gatekeeper/web.sock" in site.settings()["GUNICORN_CMD_ARGS"]
    found = {path.relative_to(site.root / "run"): path.owner() for path in site.root.glob("run/*/*.sock")}
    assert {str(path): owner for path, owner in found.items()} == {
        "gatekeeper/web.sock": STAND_INS[PAGES.removesuffix("-web")],
        "gatekeeper-api/api.sock": STAND_INS[API],
    }


def test_messages_arrive_through_nginx(site: Installation) -> None:
    """An account, a ticket and a heartbeat, each signed by its sender."""
    account = line("accounts", "reference", ACCOUNT)
    status, said = send(site, "PUT", f"/api/accounts/{ACCOUNT}", account, of="ACCOUNTS")
    assert (status, said["outcome"]) == (200, "new")
    ticket = line("tickets", "number", TICKET)
    status, said = send(site, "POST", "/api/tickets", ticket, of="TICKETS")
    assert (status, said["outcome"]) == (200, "new")
    status, said = send(site, "POST", "/api/tickets/heartbeat", "{}", of="TICKETS")
    assert (status, said["outcome"]) == (200, "heard")
    assert site.sql("SELECT number FROM gatekeeper_ticket") == TICKET
    assert site.sql(f"SELECT count(*) FROM gatekeeper_account WHERE reference = '{ACCOUNT}'") == "1"
    assert Visitor(site).ask("POST", "/api/tickets/heartbeat", "{}").status == 401


def test_each_process_answers_its_own_addresses_alone(site: Installation) -> None:
    """Whatever nginx were to send it."""
    messages = [
        ("POST", "/api/tickets"),
        ("POST", "/api/tickets/heartbeat"),
        ("PUT", f"/api/accounts/{ACCOUNT}"),
    ]
    for method, path in messages:
        assert ask(site, PAGES, method, path, "{}") == 404, path
    assert ask(site, API, "POST", "/api/tickets/heartbeat", "{}") == 200
    for path in ("/", "/sign-in/", f"/accounts/{ACCOUNT}"):
        assert ask(site, API, "GET", path) == 404, path
    assert ask(site, PAGES, "GET", "/sign-in/") == 200


def test_neither_can_be_the_others_roles(site: Installation) -> None:
    found = {user: site.welcome(user, roles.LOGIN) for user in ("gatekeeper", "gatekeeper-api")}
    assert found == {
        "gatekeeper": {roles.WEB, roles.SIGNIN, roles.VAULT},
        "gatekeeper-api": {roles.WEB, roles.FEED},
    }
