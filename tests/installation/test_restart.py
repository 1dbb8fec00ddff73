"""The database goes away and comes back: meanwhile 503 and when to ask again, then one quick connection."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.urls import reverse
from standardwebhooks import Webhook

from gatekeeper.demo.parent import die_with_parent
from gatekeeper.installation import roles
from tests import environment
from tests.world import World
from tests.world.cluster import Cluster
from tests.world.people import give_factors, sign_in
from tests.world.racing import Opened, Stage
from tests.world.serving import HIDDEN
from tests.world.tokens import fresh_token

if TYPE_CHECKING:
    from collections.abc import Iterator
    from http.client import HTTPMessage
    from pathlib import Path

    from pytest_django import DjangoDbBlocker

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True, databases="__all__")]
THREADS = 8
#: Far more than any of these answers takes, however busy the machine is.
PATIENCE = 90
TOKEN = "b" * 32


@dataclass(frozen=True)
class Answer:
    status: int
    headers: HTTPMessage
    text: str


@dataclass
class Site:
    """gunicorn with one process of a few threads, as its unit starts it, and somebody signed in there."""

    address: str
    key: str
    case: Opened

    def ask(self, method: str, path: str, body: str = "", **headers: str) -> Answer:
        with closing(Unix(self.address)) as connection:
            connection.request(method, path, body.encode(), {"Host": "localhost"} | headers)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read().decode())

    def page(self, name: str = "home", **headers: str) -> Answer:
        return self.ask("GET", reverse(name), Cookie=self.cookies, **headers)

    def reveal(self) -> Answer:
        """Through the vault's connection."""
        form = {
            "grant": self.case.grants[0],
            "fields": "contact.name",
            "csrfmiddlewaretoken": fresh_token(TOKEN),
        }
        kind = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": self.cookies}
        return self.ask("POST", reverse("reveal", args=[self.case.accounts[0]]), urlencode(form), **kind)

    def shows(self, answer: Answer) -> bool:
        return f'<span class="revealed"><bdi>{self.case.accounts[0]}</bdi></span>' in answer.text

    def heartbeat(self) -> Answer:
        """The helpdesk's sign of life, in a message of its own."""
        body, moment, number = "{}", datetime.now(UTC), secrets.token_hex(12)
        return self.ask(
            "POST",
            reverse("api_heartbeat"),
            body,
            **{
                "Content-Type": "application/json",
                "webhook-id": f"msg_{number}",
                "webhook-timestamp": str(int(moment.timestamp())),
                "webhook-signature": Webhook(settings.TICKETS_SECRET).sign(f"msg_{number}", moment, body),
            },
        )

    @property
    def cookies(self) -> str:
        return f"{settings.SESSION_COOKIE_NAME}={self.key}; {settings.CSRF_COOKIE_NAME}={TOKEN}"

    def everything(self) -> list[Answer]:
        """Pages, reveals and messages on all threads at once, so that each has its connections."""
        asks = [self.page, self.reveal, self.heartbeat] * (2 * THREADS)
        with ThreadPoolExecutor(2 * THREADS) as pool:
            return [one.result() for one in [pool.submit(ask) for ask in asks]]


class Unix(HTTPConnection):
    """HTTP over gunicorn's socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=PATIENCE)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(self.path)


@contextmanager
def serving(cluster: Cluster, folder: Path) -> Iterator[str]:
    """gunicorn on a socket; it does not outlive the test."""
    addresses = {
        f"GATEKEEPER_DATABASE_URL_{alias}": cluster.server.url(role, environment.password(role), cluster.name)
        for alias, role in roles.LINKS.items()
        if alias in roles.SERVING
    }
    variables = {name: value for name, value in os.environ.items() if name not in HIDDEN} | addresses
    address = str(folder / "web.sock")
    command = [
        *(sys.executable, "-m", "gunicorn", "gatekeeper.wsgi", "--bind", f"unix:{address}"),
        *("--worker-class", "gthread", "--workers", "1", "--threads", str(THREADS), "--no-control-socket"),
    ]
    with (folder / "web.log").open("wb") as log:
        process = subprocess.Popen(
            command, env=variables, stderr=log, preexec_fn=die_with_parent(signal.SIGTERM)
        )
        try:
            wait_for(process, folder / "web.log")
            yield address
        finally:
            process.terminate()
            process.wait(PATIENCE)


def wait_for(process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while "Booting worker" not in log.read_text():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture(scope="module")
def cluster(
    tmp_path_factory: pytest.TempPathFactory, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp("restart") / "postgres")
    try:
        with django_db_blocker.unblock():
            cluster.make()
        yield cluster
    finally:
        cluster.server.remove()


@pytest.fixture(scope="module")
def site(
    cluster: Cluster, tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker
) -> Iterator[Site]:
    with (
        django_db_blocker.unblock(),
        cluster.setup() as setup,
        cluster.as_role(roles.WEB) as web,
        cluster.behind_django(),
    ):
        case = Stage(World(setup), web).opened()
        give_factors(World(setup), case.consultant)
        key = sign_in(World(setup), case.consultant).cookies[settings.SESSION_COOKIE_NAME].value
    with serving(cluster, tmp_path_factory.mktemp("web")) as address:
        yield Site(address, key, case)


def shown_and_recorded(cluster: Cluster) -> int:
    with cluster.setup() as setup:
        [(count,)] = setup.execute(
            "SELECT count(*) FROM audit_entry WHERE event = 'view' AND outcome = 'allowed'"
        ).fetchall()
        return int(count)


def test_after_a_restart_the_very_next_requests_are_answered(cluster: Cluster, site: Site) -> None:
    """Every thread's connections are dead, and nobody has asked meanwhile."""
    assert {answer.status for answer in site.everything()} == {200}
    for _ in range(2):
        cluster.kill_and_restart()
        before = shown_and_recorded(cluster)
        answers = [site.reveal(), *site.everything()]
        assert [answer.status for answer in answers] == [200] * len(answers)
        assert sum(map(site.shows, answers)) == shown_and_recorded(cluster) - before == 1 + 2 * THREADS


def test_while_it_is_away_each_answer_says_so_and_when_to_ask_again(cluster: Cluster, site: Site) -> None:
    assert {answer.status for answer in site.everything()} == {200}
    cluster.server.stop()
    for language, words in (("pl", "Baza danych"), ("en", "The database")):
        for name in ("home", "sign_in"):
            answer = site.page(name, **{"Accept-Language": language})
            assert (answer.status, answer.headers["Retry-After"]) == (503, "10")
            assert words in answer.text
            assert answer.headers["Content-Language"] == language
            assert answer.headers["Cache-Control"] == "no-store"
            assert "Set-Cookie" not in answer.headers
    revealed = site.reveal()
    assert (revealed.status, revealed.headers["Retry-After"], site.shows(revealed)) == (503, "10", False)
    told = site.heartbeat()
    assert (told.status, told.headers["Retry-After"]) == (503, "10")
    assert list(json.loads(told.text)) == ["reason"]
    # All threads at once: nobody waits for a connection that will not come.
    assert {answer.status for answer in site.everything()} == {503}
    cluster.server.start()
    assert {answer.status for answer in site.everything()} == {200}
