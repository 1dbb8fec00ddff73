"""The client's address behind proxies: every form in which they write it is read or left unknown, none is
guessed, and whoever is unknown shares no lock with anybody."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import translation

from audit.context import client_address
from audit.models import Entry
from gatekeeper.installation import proxies
from gatekeeper.installation.environment import Environment
from gatekeeper.pages import surroundings
from gatekeeper.serving.middleware import TrustedProxyMiddleware
from staff.models import AttemptCount
from tests.world import World
from tests.world.guesses import WRONG, attempt, failed_before
from tests.world.people import PASSWORD, give_factors
from tests.world.scene import enter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpRequest

    from gatekeeper.frame.health_row import Health
    from tests.conftest import Connection

DATABASE = pytest.mark.django_db(transaction=True, databases="__all__")
PROXY = "10.0.0.1"
CLIENT, CLIENT6 = "203.0.113.9", "2001:db8::1"
X, F = proxies.X_FORWARDED_FOR, proxies.FORWARDED


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    """Whatever a test before has left as the thread's language."""
    with translation.override("en"):
        yield


def through(settings: Any, header: str, peer: str = PROXY, **meta: str) -> HttpRequest:
    """Behind the middleware, with one trusted network and the socket's peer."""
    settings.TRUSTED_PROXIES = ["10.0.0.0/8", "fd00::/8", "unix"]
    settings.FORWARDED_HEADER = header
    request = RequestFactory().get("/", REMOTE_ADDR=peer, **meta)  # type: ignore[arg-type]  # META
    TrustedProxyMiddleware(lambda _: HttpResponse())(request)
    return request


def seen(settings: Any, header: str, text: str, peer: str = PROXY) -> str | None:
    return client_address(through(settings, header, peer, **{proxies.HEADERS[header]: text}))


# What proxies write


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (CLIENT, CLIENT),  # nginx, HAProxy, Traefik, AWS
        (f"{CLIENT}:4711", CLIENT),  # Azure's gateway; AWS where it keeps the port
        (f" {CLIENT} ", CLIENT),
        (f'"{CLIENT}"', CLIENT),
        (CLIENT6, CLIENT6),
        ("2001:DB8:0:0:0:0:0:1", CLIENT6),
        (f"[{CLIENT6}]", CLIENT6),
        (f"[{CLIENT6}]:4711", CLIENT6),  # Azure
        (f'"[{CLIENT6}]:4711"', CLIENT6),
        (f"[{CLIENT6}]:_port", CLIENT6),
        ("fe80::1%eth0", "fe80::1"),
        ("[fe80::1%25eth0]:80", "fe80::1"),
        (f"::ffff:{CLIENT}", CLIENT),
        (f"[::ffff:{CLIENT}]:80", CLIENT),
        # Several: the client wrote the first, our proxies the last.
        (f"198.51.100.1, {CLIENT}", CLIENT),
        (f"198.51.100.1,{CLIENT}:80,10.1.1.1:443", CLIENT),
        (f"198.51.100.1, {CLIENT}, fd00::7, ::ffff:10.1.1.1", CLIENT),
        (f"{CLIENT},,", CLIENT),  # empty elements count for nothing
        (f", {CLIENT} , ,10.1.1.1", CLIENT),
        ("10.1.1.1, 10.2.2.2", "10.1.1.1"),  # somebody inside
        # Nobody can be told, and whoever stands before may be invented.
        ("", None),
        (",", None),
        ("unknown", None),
        ("_hidden", None),
        ("_SEVKISEK", None),
        (f"{CLIENT}, unknown", None),
        (f"{CLIENT}, unknown, 10.1.1.1", None),
        (f"{CLIENT}, nonsense", None),
        ("203.0.113.999", None),
        ("203.0.113.09", None),
        ("203.0.113", None),
        ("0.0.0.0", None),  # noqa: S104
        ("::", None),
        (f"{CLIENT}:", None),
        (f"{CLIENT}:port", None),
        (f"{CLIENT}:123456", None),
        (f"[{CLIENT}]:80", None),
        (f"[{CLIENT6}", None),
        (f"[{CLIENT6}]80", None),
        ("2001:db8:0:0:0:0:0:1:4711", None),
        (f"{CLIENT} {CLIENT}", None),
        (f"for={CLIENT}", None),
        ("proxy.test", None),
        ("２０３.0.113.9", None),  # noqa: RUF001
        ("1" * 10_000, None),
    ],
)
def test_x_forwarded_for(settings: Any, text: str, address: str | None) -> None:
    assert seen(settings, X, text) == address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (f"for={CLIENT}", CLIENT),
        (f"For={CLIENT};Proto=https;By=203.0.113.43", CLIENT),
        (f'for="{CLIENT}:4711"', CLIENT),
        (f"for={CLIENT}:4711", CLIENT),  # should be quoted, and says nothing else
        (f'for="[{CLIENT6}]:4711";proto=https', CLIENT6),
        (f'for="[{CLIENT6}]"', CLIENT6),
        (f"for=[{CLIENT6}]", CLIENT6),
        (f"proto=https;for={CLIENT};host=gate.test", CLIENT),
        (f'for="\\{CLIENT}"', CLIENT),
        (f"for={CLIENT};", CLIENT),
        (f"for=198.51.100.1, for={CLIENT}", CLIENT),
        (f"for={CLIENT}, for=10.1.1.1", CLIENT),
        (f'for="10.1.1.1, for={CLIENT}', CLIENT),  # a quote that the client left open
        (f"for={CLIENT}, , for=10.1.1.1,", CLIENT),
        ("for=_hidden", None),
        ("for=unknown", None),
        ('for="_gazonk"', None),
        ("for=_hidden, for=_SEVKISEK", None),
        (f"for={CLIENT}, for=unknown", None),
        ("proto=https", None),
        (f"for={CLIENT};for=198.51.100.1", None),
        (f"for= {CLIENT}", None),
        (f"for={CLIENT};proto", None),
        (f'for="{CLIENT}', None),
        (CLIENT, None),
        ("", None),
        ('for=""', None),
    ],
)
def test_forwarded(settings: Any, text: str, address: str | None) -> None:
    assert seen(settings, F, text) == address


@pytest.mark.parametrize(("header", "address"), [(X, CLIENT), (F, "198.51.100.1")])
def test_one_header_is_believed_and_the_other_is_not_read(settings: Any, header: str, address: str) -> None:
    both = {"HTTP_X_FORWARDED_FOR": CLIENT, "HTTP_FORWARDED": "for=198.51.100.1"}
    assert client_address(through(settings, header, **both)) == address
    alone = {proxies.HEADERS[F if header == X else X]: CLIENT}
    assert client_address(through(settings, header, **alone)) is None


@pytest.mark.parametrize("peer", ["198.51.100.7", "::ffff:198.51.100.7", "2001:db8::7"])
@pytest.mark.parametrize(("header", "text"), [(X, CLIENT), (F, f"for={CLIENT};proto=https")])
def test_from_a_stranger_nothing_is_believed(settings: Any, peer: str, header: str, text: str) -> None:
    meta = {proxies.HEADERS[header]: text, "HTTP_X_FORWARDED_PROTO": "https", "HTTP_X_FORWARDED_HOST": "x"}
    request = through(settings, header, peer, **meta)
    assert client_address(request) == peer.removeprefix("::ffff:")
    assert not request.is_secure()
    assert not [name for name in request.META if "FORWARDED" in name]


@pytest.mark.parametrize("peer", ["", "10.9.9.9", "::ffff:10.9.9.9", "fd00::1"])
def test_a_trusted_peer_may_be_a_socket_or_an_address(settings: Any, peer: str) -> None:
    assert seen(settings, X, CLIENT, peer) == CLIENT


def test_the_socket_is_trusted_only_when_it_is_named() -> None:
    meta = {"REMOTE_ADDR": "", "HTTP_X_FORWARDED_FOR": CLIENT}
    for names, address in ((["unix"], CLIENT), (["UNIX"], CLIENT), (["10.0.0.0/8"], ""), ([], "")):
        found = proxies.origin(meta, trusted=proxies.Trusted.read(names), header=X)
        assert found.address == address


def test_the_scheme_is_the_one_of_the_element_that_names_the_client(settings: Any) -> None:
    for text, secure in (
        (f"for={CLIENT};proto=https, for=10.1.1.1;proto=http", True),
        (f"for={CLIENT};proto=http, for=10.1.1.1;proto=https", False),
        (f"for={CLIENT}", False),
    ):
        meta = {"HTTP_FORWARDED": text, "HTTP_X_FORWARDED_PROTO": "https" if not secure else "http"}
        assert through(settings, F, **meta).is_secure() == secure
    meta = {"HTTP_X_FORWARDED_FOR": "unknown", "HTTP_X_FORWARDED_PROTO": "https"}
    assert through(settings, X, **meta).is_secure()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TRUSTED_PROXIES", "proxy.secret.test"),
        ("TRUSTED_PROXIES", "10.0.0.1/8secret"),
        ("TRUSTED_PROXIES", "10.0.0.1/8"),
        ("FORWARDED_HEADER", "X-Secret"),
    ],
)
def test_a_setting_that_cannot_be_used_stops_the_start(name: str, value: str) -> None:
    environment = Environment({"GATEKEEPER_MODE": "test", f"GATEKEEPER_{name}": value})
    with pytest.raises(ImproperlyConfigured, match=f"GATEKEEPER_{name}") as refusal:
        (environment.trusted_proxies if name == "TRUSTED_PROXIES" else environment.forwarded_header)()
    assert "secret" not in str(refusal.value).lower()


# A real server on a socket


@contextmanager
def gunicorn(folder: Path, application: str) -> Iterator[str]:
    """gunicorn with an application of this folder, on a Unix socket."""
    address = folder / "web.sock"
    command = [sys.executable, "-m", "gunicorn", application, "--bind", f"unix:{address}", "--chdir", folder]
    with subprocess.Popen(  # our own arguments
        [*map(str, command), "--no-control-socket"], stderr=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stderr is not None
            assert any("Listening at" in line for line in server.stderr)
            yield str(address)
        finally:
            server.terminate()
            server.communicate()


def test_gunicorn_on_a_unix_socket_gives_no_address_and_all_lines_of_a_header(
    tmp_path: Path, settings: Any
) -> None:
    """What the middleware is given there, from the server that we name."""
    (tmp_path / "echo.py").write_text(
        "import json\n"
        "def application(environ, start):\n"
        "    start('200 OK', [('Content-Type', 'application/json')])\n"
        "    return [json.dumps([environ['REMOTE_ADDR'], environ['HTTP_X_FORWARDED_FOR']]).encode()]\n"
    )
    with gunicorn(tmp_path, "echo:application") as address:
        connection = HTTPConnection("localhost")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(address)
        connection.putrequest("GET", "/")
        connection.putheader("X-Forwarded-For", "198.51.100.1")
        connection.putheader("X-Forwarded-For", CLIENT)
        connection.endheaders()
        peer, text = json.loads(connection.getresponse().read())
    assert peer == ""
    assert seen(settings, X, text, peer) == CLIENT


# The lock


@pytest.fixture
def world(setup_connection: Connection) -> World:
    return World(setup_connection)


@DATABASE
def test_strangers_without_an_address_shut_out_nobody_else(world: World) -> None:
    anna = world.member("consultant", email="anna@firma.example")
    give_factors(world, anna)
    for number in range(101):
        assert attempt(f"member{number}@firma.example", WRONG, "").status_code == 200
    assert attempt("anna@firma.example", PASSWORD, "").status_code == 302
    assert {entry.remote_addr for entry in Entry.objects.all()} == {None}


@DATABASE
def test_an_account_is_still_shut_after_too_many_from_nowhere(world: World) -> None:
    anna = world.member("consultant", email="anna@firma.example")
    give_factors(world, anna)
    failed_before(world, "anna@firma.example", None, 59)
    assert attempt("anna@firma.example", PASSWORD, "").status_code == 302
    assert AttemptCount.objects.count() == 1  # a success forgets nothing that may be a stranger's
    attempt("anna@firma.example", WRONG, "")
    assert attempt("anna@firma.example", PASSWORD, "").status_code == 429
    assert attempt("bert@firma.example", WRONG, "").status_code == 200


@DATABASE
def test_attempts_from_nowhere_are_one_row(world: World) -> None:
    for _ in range(3):
        attempt("anna@firma.example", WRONG, "")
    assert AttemptCount.objects.get().attempts == 3


@DATABASE
def test_this_machine_by_ipv6_is_a_known_address(world: World) -> None:
    for _ in range(10):
        attempt("anna@firma.example", WRONG, "::1")
    assert attempt("anna@firma.example", WRONG, "::1").status_code == 429


# The page of checks


def row(settings: Any, peer: str, **meta: str) -> Health:
    return surroundings.client(through(settings, X, peer, **meta))


def test_the_row_says_where_it_sees_you_and_what_is_wrong(settings: Any) -> None:
    named = {"HTTP_X_FORWARDED_FOR": CLIENT}
    assert row(settings, PROXY, **named).state == "ok"
    assert CLIENT in row(settings, PROXY, **named).sentence
    assert row(settings, "198.51.100.7").state == "ok"
    for found, cause in (
        (row(settings, "198.51.100.7", **named), "198.51.100.7 names a client in X-Forwarded-For"),
        (row(settings, PROXY), "names no client"),
        (row(settings, PROXY, HTTP_X_FORWARDED_FOR="unknown"), "is not an address"),
    ):
        assert found.state == "to_fix"
        assert cause in found.cause
        assert found.next_step
    assert row(settings, "127.0.0.1").state == "ok"  # as in the demo
    settings.IN_PRODUCTION = True
    assert row(settings, "127.0.0.1").state == "to_fix"


def test_a_socket_that_is_not_trusted_is_said(settings: Any) -> None:
    settings.TRUSTED_PROXIES = []
    request = RequestFactory().get("/", REMOTE_ADDR="")
    TrustedProxyMiddleware(lambda _: HttpResponse())(request)
    assert "GATEKEEPER_TRUSTED_PROXIES=unix" in surroundings.client(request).next_step


def test_a_proxy_that_is_not_trusted_is_named_instead_of_a_redirect_for_ever(settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    by_https = {"HTTP_X_FORWARDED_PROTO": "https", "HTTP_X_FORWARDED_FOR": CLIENT}

    def answer(peer: str, trusted: list[str], **meta: Any) -> HttpResponse:
        settings.TRUSTED_PROXIES = trusted
        request = RequestFactory().get("/", REMOTE_ADDR=peer, **meta)
        return TrustedProxyMiddleware(lambda _: HttpResponse("further"))(request)

    for peer, named in (("", "unix"), ("127.0.0.1", "127.0.0.1")):
        said = answer(peer, [], **by_https)
        assert said.status_code == 503
        assert f"GATEKEEPER_TRUSTED_PROXIES={named}" in said.content.decode()
        assert answer(peer, [named], **by_https).content == b"further"
        silent = answer(peer, [named], HTTP_X_FORWARDED_FOR=CLIENT)  # trusted, and forgets to say it
        assert silent.status_code == 503
        assert "X-Forwarded-Proto" in silent.content.decode()
        by_http = answer(peer, [named], HTTP_X_FORWARDED_FOR=CLIENT, HTTP_X_FORWARDED_PROTO="http")
        assert by_http.content == b"further"
        assert answer(peer, [named]).content == b"further"  # nobody between
        # Without HTTPS before us the redirect is right.
        assert answer(peer, [], HTTP_X_FORWARDED_FOR=CLIENT).content == b"further"


@DATABASE
@pytest.mark.parametrize("language", ["en", "pl"])
def test_the_page_shows_the_address(world: World, language: str) -> None:
    world.version()
    ola = world.member("administrator", language=language)
    world.signature(ola)
    client: Client = enter(world, ola)
    page = client.get(reverse("checks"), REMOTE_ADDR=CLIENT).content.decode()
    assert (
        f"{'Ten serwer widzi Cię pod adresem' if language == 'pl' else 'This server sees you at'} {CLIENT}."
        in page
    )
