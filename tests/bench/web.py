"""The rows of pages: an account with a reveal over HTTP, whole and in place, ours and a plain twin's.

Both behind gunicorn as `make demo` starts it (gthread, two workers of eight threads), on the same
database server, asked by the same clients in turns.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from http.client import HTTPConnection
from statistics import median
from typing import Final
from urllib.parse import urlencode

import psycopg
from django.conf import settings

from gatekeeper.demo.postgres import Server
from tests.bench.ground import Desk
from tests.bench.measuring import Row, rates, ratio
from tests.bench.rows import FIELDS
from tests.world import VALUES, World, people
from tests.world.serving import PROJECT, serving, web_environment
from tests.world.tokens import fresh_token

PLAIN = "plain"  # the twin's database, and the role that owns it


def page_rows(
    server: Server, world: World, desks: Sequence[Desk], *, rounds: int, seconds: float
) -> list[Row]:
    """Reveals a second, a client a desk: with the whole page, and in place."""
    with ExitStack() as stack:
        ours = stack.enter_context(serving("gatekeeper.wsgi", web_environment()))
        twins = _plain_environment(server, world)
        keys = _furnish(twins, len(desks))
        theirs = stack.enter_context(serving("tests.bench.plain.wsgi", twins))
        signed = [(desk, cookies(world, desk)) for desk in desks]
        theirs_signed = [
            (desk, ("sessionid", key, "csrftoken")) for desk, key in zip(desks, keys, strict=True)
        ]
        found = {}
        for kind, more in KINDS.items():
            gangs: dict[str, list[Callable[[], object]]] = {
                "ours": [_asks(ours, desk, *cookies, **more) for desk, cookies in signed],
                "plain": [_asks(theirs, desk, *cookies, **more) for desk, cookies in theirs_signed],
            }
            gangs["plain"][0]()
            _must_log(server)
            found[kind] = rates(gangs, rounds=rounds, seconds=seconds)
    clients = f"against plain Django, requests a second, {len(desks)} clients"
    return [
        _row(f"account page with a reveal over HTTP {clients}", 2.2, found["page"]),
        _row(f"reveal in place over HTTP {clients}", 2.5, found["part"]),
    ]


#: With the whole page, and by the field alone.
KINDS: Final[dict[str, dict[str, str]]] = {"page": {}, "part": {"HX-Request": "true"}}


def _row(title: str, least: float, found: dict[str, list[float]]) -> Row:
    middle, low, high = ratio(found, "ours", "plain")
    return Row(
        title,
        f"at least {least} times",
        f"{middle:.2f} ({low:.2f}–{high:.2f})",
        middle,
        least=least,
        note=f"{median(found['ours']):.0f}/s against {median(found['plain']):.0f}/s",
    )


def _asks(port: int, desk: Desk, name: str, key: str, csrf: str, **more: str) -> Callable[[], None]:
    """What one client does: a POST on its own kept connection; an answer that shows no value is an error."""
    token = secrets.token_hex(16)
    fields = urlencode({"grant": desk.grant, "fields": FIELDS}, doseq=True)
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Cookie": f"{name}={key}; {csrf}={token}",
        "Accept-Language": "en",
        **more,
    }
    kept: list[HTTPConnection] = []

    def act() -> None:
        if not kept:
            kept.append(HTTPConnection("localhost", port, timeout=30))
        body = f"csrfmiddlewaretoken={fresh_token(token)}&{fields}"
        kept[0].request("POST", f"/accounts/{desk.account}/reveal", body, headers)
        answer = kept[0].getresponse()
        page = answer.read().decode()
        if answer.status != 200 or str(VALUES[FIELDS[0]]) not in page:
            raise RuntimeError(f"{name}: {answer.status}")

    return act


def _must_log(server: Server) -> None:
    """The twin's page has been asked for: without its access entry the two could not be compared."""
    with psycopg.connect(server.setup_url(PLAIN)) as plain:
        [(found,)] = plain.execute("SELECT count(*) FROM auditlog_logentry WHERE action = 3").fetchall()
    if not found:
        raise RuntimeError("the plain page writes no access entry")


def cookies(world: World, desk: Desk) -> tuple[str, str, str]:
    """Sign a desk's consultant in, through the pages; the names of both cookies, and the key."""
    people.give_factors(world, desk.person)
    client = people.sign_in(world, desk.person)
    name = settings.SESSION_COOKIE_NAME
    return name, client.cookies[name].value, settings.CSRF_COOKIE_NAME


def _plain_environment(server: Server, world: World) -> dict[str, str]:
    """A role and a database for the twin on the same server."""
    password = secrets.token_hex(16)
    world.setup.execute(f"CREATE ROLE {PLAIN} LOGIN PASSWORD '{password}'")
    world.setup.execute(f"CREATE DATABASE {PLAIN} OWNER {PLAIN} TEMPLATE template0 ENCODING 'UTF8'")
    hidden = {name: value for name, value in os.environ.items() if not name.startswith("GATEKEEPER_")}
    return hidden | {
        "DJANGO_SETTINGS_MODULE": "tests.bench.plain.settings",
        "PLAIN_DATABASE_URL": server.url(PLAIN, password, PLAIN),
        "PLAIN_SECRET_KEY": secrets.token_hex(32),
    }


def _furnish(variables: dict[str, str], count: int) -> list[str]:
    """Fill the twin's database; the keys of its sessions."""
    command = [sys.executable, "-m", "tests.bench.plain.furnish", str(count), json.dumps(VALUES)]
    told = subprocess.run(command, cwd=PROJECT, env=variables, check=True, stdout=subprocess.PIPE, text=True)
    return told.stdout.split()
