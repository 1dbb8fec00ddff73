"""The row of a flood: a colleague's page while strangers try passwords, behind gunicorn as it is shipped.

Each attempt comes from another address of the loopback network, for another e-mail: no lock after failures
takes it away. Whoever was answered tries again at once; whoever was refused, after a second, which is
sooner than they were told. Who does not wait at all floods every address alike, which is for the web
server in front to stop.
"""

from __future__ import annotations

import multiprocessing
import secrets
import threading
import time
from collections import Counter
from contextlib import contextmanager
from http.client import HTTPConnection
from statistics import median, quantiles
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from django.conf import settings

from tests.bench.measuring import Row, ratio
from tests.bench.web import cookies
from tests.world.serving import serving, web_environment
from tests.world.tokens import fresh_token

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.synchronize import Event

    from tests.bench.ground import Desk
    from tests.world import World

STRANGERS: Final = 32
CALLS: Final = 100
PAUSE: Final = 1.0
WARM: Final = 2.0  # seconds until all are at it


def flood_row(world: World, desk: Desk, *, rounds: int) -> Row:
    """p95 of the account's page without strangers and with them, in turns."""
    found: dict[str, list[float]] = {"quiet": [], "flood": []}
    tried: Counter[int] = Counter()
    with serving("gatekeeper.wsgi", web_environment()) as port:
        act = _page(port, desk, cookies(world, desk))
        _p95(act)
        for _ in range(rounds):
            found["quiet"].append(_p95(act))
            with _strangers(port, tried):
                found["flood"].append(_p95(act))
    if not (tried.keys() == {200, 429} and tried[200]):
        raise RuntimeError(f"the strangers were answered {dict(tried)}")
    middle, low, high = ratio(found, "flood", "quiet")
    return Row(
        f"a page while {STRANGERS} strangers try passwords against the same page without them, p95",
        "at most 3 times",
        f"{middle:.2f} ({low:.2f}–{high:.2f})",
        middle,
        most=3,
        note=f"p95 {median(found['flood']):.1f} ms against {median(found['quiet']):.1f} ms;"
        f" {tried[200]} hashed, {tried[429]} refused",
    )


def _p95(act: Callable[[], None]) -> float:
    times = []
    for _ in range(CALLS):
        began = time.perf_counter()
        act()
        times.append((time.perf_counter() - began) * 1000)
    return quantiles(times, n=20)[-1]


def _page(port: int, desk: Desk, signed_in: tuple[str, str, str]) -> Callable[[], None]:
    """The colleague looks at their account, on a kept connection."""
    name, key, _csrf = signed_in
    headers = {"Cookie": f"{name}={key}", "Accept-Language": "en"}
    kept = HTTPConnection("localhost", port, timeout=120)

    def act() -> None:
        kept.request("GET", f"/accounts/{desk.account}", headers=headers)
        answer = kept.getresponse()
        if desk.account not in answer.read().decode() or answer.status != 200:
            raise RuntimeError(f"the page: {answer.status}")

    return act


@contextmanager
def _strangers(port: int, tried: Counter[int]) -> Iterator[None]:
    """Strangers at work, in a process of their own; how they were answered is added to `tried`."""
    fork = multiprocessing.get_context("fork")
    stop, (ours, theirs) = fork.Event(), fork.Pipe()
    child = fork.Process(target=_try_passwords, args=(port, stop, theirs), daemon=True)
    child.start()
    time.sleep(WARM)
    try:
        yield
    finally:
        stop.set()
        tried.update(ours.recv())
        child.join()


def _try_passwords(port: int, stop: Event, said: Connection) -> None:
    answers: list[int] = []

    def stranger() -> None:
        while not stop.is_set():
            answers.append(_attempt(port))
            if answers[-1] == 429:
                stop.wait(PAUSE)

    threads = [threading.Thread(target=stranger) for _ in range(STRANGERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    said.send(Counter(answers))


def _attempt(port: int) -> int:
    """The status of an answer to a wrong password. Whoever makes a token up has one that counts."""
    token, address = secrets.token_hex(16), ".".join(str(secrets.randbelow(250) + 1) for _ in range(3))
    connection = HTTPConnection("127.0.0.1", port, timeout=120, source_address=(f"127.{address}", 0))
    form = {
        "email": f"{token}@firma.example",
        "password": "not the password at all",
        "csrfmiddlewaretoken": fresh_token(token),
    }
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Cookie": f"{settings.CSRF_COOKIE_NAME}={token}",
    }
    connection.request("POST", "/sign-in/", urlencode(form), headers)
    status = connection.getresponse().status
    connection.close()
    return status
