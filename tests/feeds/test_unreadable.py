"""Authentic messages that cannot be used: what they name is shut, what cannot be told is an alarm."""

from __future__ import annotations

import gzip
import itertools
import json
import socket
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Any, Final

import pytest
from django.conf import settings
from django.core.management import call_command
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from audit import references
from audit.models import Entry
from gatekeeper.feeds import doubts, tickets, webhooks
from gatekeeper.feeds.mentions import MOST, Mentions, mentioned
from gatekeeper.frame.health_row import Health
from gatekeeper.gate import decision
from gatekeeper.models import Account, Feed, Grant, Ticket
from gatekeeper.pages import health
from tests.world.messages import HEARTBEAT, TICKETS, said, send, signed
from tests.world.scene import REFERENCE
from tests.world.serving import serving, web_environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.world.scene import Scene

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

NUMBER: Final = "ZD-9001"
CLOSING: Final[dict[str, Any]] = {
    "number": NUMBER,
    "kind": "support",
    "accounts": ["MOC-48213"],
    "state": "closed",
    "assignee": "jörg@firma.example",
    "updated_at": "2026-01-01T00:00:00Z",
}
TEXT: Final = json.dumps(CLOSING, ensure_ascii=False)
ESCAPED: Final = TEXT.replace(NUMBER, "ZD\\u002d9001")
LONG: Final = "x" * 300_000
SURROGATE: Final = TEXT.replace("jörg", "\\ud83d")


def letters(text: str) -> str:
    """Each letter as JSON may write it."""
    return "".join(f"\\u{ord(letter):04X}" for letter in text)


#: Messages that close the ticket as they stand, or shut it because they cannot be used.
NAMING: Final[dict[str, bytes]] = {
    "as usual": TEXT.encode(),
    "with a byte order mark": TEXT.encode("utf-8-sig"),
    "UTF-16": TEXT.encode("utf-16"),
    "UTF-16 without a mark": TEXT.encode("utf-16-le"),
    "UTF-16, the other way round": TEXT.encode("utf-16-be"),
    "UTF-32": TEXT.encode("utf-32"),
    "Latin-1": TEXT.encode("latin-1"),
    "Windows' Polish": TEXT.replace("jörg", "józef").encode("cp1250"),
    "Shift JIS": TEXT.replace("jörg", "太郎").encode("shift_jis"),
    "the number escaped": ESCAPED.encode(),
    "each letter escaped": TEXT.replace("number", letters("number"))
    .replace(NUMBER, letters(NUMBER))
    .encode(),
    "the number escaped, in UTF-16": ESCAPED.encode("utf-16"),
    "the number escaped, of what is no JSON": ESCAPED[:-1].encode(),
    "300 kB, the number first": json.dumps(CLOSING | {"subject": LONG}).encode(),
    "300 kB, the number last": json.dumps({"subject": LONG} | CLOSING).encode(),
    "300 kB in UTF-32": json.dumps({"subject": LONG} | CLOSING).encode("utf-32"),
    "as long as can be": json.dumps({"subject": "x" * (webhooks.LONGEST - 300)} | CLOSING).encode(),
    "compressed": gzip.compress(TEXT.encode()),
    "compressed, and long": gzip.compress(json.dumps({"subject": LONG} | CLOSING).encode()),
    "a field twice": TEXT.replace("{", '{"number": "ZD-9002", ', 1).encode(),
    "nested deeply": (TEXT[:-1] + ', "x": ' + "[" * 100_000).encode(),
    "nested deeply, and closed again": (TEXT[:-1] + ', "x": ' + "[" * 50_000 + "]" * 50_000 + "}").encode(),
    "a NUL": TEXT.replace("jörg", "\\u0000").encode(),
    "a NUL as it is": TEXT.replace("jörg", "\0").encode(),
    "half an emoji": SURROGATE.encode(),
    "half an emoji as bytes": TEXT.replace("jörg", "\ud83d").encode("utf-8", "surrogatepass"),
    "cut short": TEXT.encode()[:60],
    "a number of 5000 digits": (TEXT[:-1] + ', "x": ' + "9" * 5000 + "}").encode(),
    "infinity": (TEXT[:-1] + ', "x": Infinity}').encode(),
    "in lower case": TEXT.replace(NUMBER, "zd-9001").encode(),
    "inside something else": json.dumps({"ticket": CLOSING}).encode(),
}
#: Messages of which nobody can tell what they are about.
TELLING_NOTHING: Final[dict[str, bytes]] = {
    "nothing": b"",
    "an empty object": b"{}",
    "a list": b"[]",
    "another system's number": TEXT.replace(NUMBER, "INC-9001").encode(),
    "a number of a number": TEXT.replace(f'"{NUMBER}"', "9001").encode(),
    "EBCDIC": TEXT.replace("ö", "o").encode("cp500"),
    "noise": bytes(range(256)) * 20,
    "compressed noise": b"\x1f\x8b" + bytes(range(256)),
    "too many numbers": b"".join(b'{"number": "ZD-%d"}' % n for n in range(MOST + 1)),
    "its own number unreadable, others named": b'{"number": null, "related": {"number": "ZD-9001"}}',
}


@pytest.fixture
def opened(scene: Scene) -> Scene:
    """The ticket is open and an access under it as well; the feed is fresh."""
    scene.world.contact()
    scene.opened()
    scene.world.change("gatekeeper_ticket", scene.ticket, number=NUMBER, updated_at="2025-12-31T00:00:00Z")
    assert Grant.objects.filter(ended_at=None).exists()
    return scene


def state() -> str:
    return Ticket.objects.get(number=NUMBER).state


def doubted() -> bool:
    return Feed.objects.filter(name="tickets", doubted_at__isnull=False).exists()


def row() -> Health:
    return next(row for row in health.rows() if row.id == "gatekeeper.feed")


@pytest.mark.parametrize("kind", NAMING)
def test_what_a_message_names_is_shut(opened: Scene, kind: str) -> None:
    answer = send("POST", TICKETS, NAMING[kind])
    assert answer.status_code in (HTTPStatus.OK, HTTPStatus.UNPROCESSABLE_ENTITY)
    assert state() in ("closed", "unusable")
    assert not Grant.objects.filter(ended_at=None).exists()
    assert not doubted(), "it is known what was meant"
    assert row().state == "ok"


@pytest.mark.parametrize("kind", ["UTF-16", "300 kB, the number last", "cut short"])
def test_and_at_the_heartbeats_address(opened: Scene, kind: str) -> None:
    """A signature covers no address: a closing that was led to the other one closes all the same."""
    assert send("POST", HEARTBEAT, NAMING[kind]).status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert state() == "unusable"


@pytest.mark.parametrize("kind", TELLING_NOTHING)
def test_what_cannot_be_told_is_an_alarm(opened: Scene, kind: str) -> None:
    assert row().state == "ok"
    status, _reason = said(send("POST", TICKETS, TELLING_NOTHING[kind]))
    assert status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert doubted()
    red = row()
    assert (red.state, red.command) == ("to_fix", "python manage.py import_tickets --complete FILE")
    entry = Entry.objects.filter(event="change", ticket="").latest("id")
    assert entry.details == {"feed": "tickets", "doubt": [None, "unreadable"]}


def test_a_doubt_shuts_the_gate_at_its_age_whatever_is_heard_meanwhile(opened: Scene) -> None:
    send("POST", TICKETS, b"")

    def reason() -> str | None:
        return decision.evaluate(opened.caller, account=REFERENCE).codes["ticket"]

    assert reason() == "passed", "one customer's message does not shut the company out"
    age = timedelta(minutes=settings.LIMITS["ticket_feed_max_age_minutes"])
    feed = opened.world.setup.execute("SELECT doubted_at FROM gatekeeper_feed").fetchone()
    assert feed
    opened.world.setup.execute("UPDATE gatekeeper_feed SET doubted_at = %s", [feed[0] - age])
    assert said(send("POST", HEARTBEAT, {}))[0] == HTTPStatus.OK
    assert reason() == "ticket_feed_stale"
    # A list that began before the message does not settle it; one that began after it does.
    doubts.settle(doubts.HELPDESK, feed[0] - timedelta(microseconds=1), "test")
    assert reason() == "passed", "the doubts that are left are younger than the list"
    assert doubted()
    doubts.settle(doubts.HELPDESK, datetime.now(UTC), "test")
    assert not doubted()
    assert row().state == "ok"


def test_what_others_wrote_into_a_text_names_nothing(opened: Scene) -> None:
    quoted = CLOSING | {
        "number": "ZD-1",
        "subject": f'look: {{"number": "{NUMBER}"}}',
        "x": f'"number":"{NUMBER}',
    }
    for raw in (json.dumps(quoted), json.dumps(quoted).replace('\\"', "\\u0022")):
        assert send("POST", TICKETS, raw.encode()).status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert state() == "open"
    assert not doubted()


def test_unauthentic_is_nothing_at_all(opened: Scene) -> None:
    for raw in (*NAMING.values(), *TELLING_NOTHING.values()):
        answer = send("POST", TICKETS, raw, key=settings.ACCOUNTS_SECRET)
        assert answer.status_code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.LENGTH_REQUIRED)
    assert state() == "open"
    assert not doubted()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-32-be"])
def test_a_name_is_found_wherever_it_stands(encoding: str) -> None:
    """Also where two windows or two chunks meet in the middle of it."""
    width = len("x".encode(encoding))
    name = '"number": "ZD\\u002d9001"'
    for end in (64 * 1024, 128 * 1024):
        for before in range(len(name) + 2):
            raw = f"{'x' * (end // width - before)}{name}{'x' * 70_000}".encode(encoding)
            assert mentioned(raw, tickets.KEY, references.TICKET) == [NUMBER]
            chunks = Mentions(tickets.KEY, references.TICKET)
            for start in range(0, len(raw), 50_001):
                chunks.take(raw[start : start + 50_001])
            assert chunks.found == [NUMBER]


def test_a_value_of_bytes_that_are_no_text_is_a_mention_all_the_same() -> None:
    """A restriction closes whatever stands there; in which code page it stood cannot be told."""
    assert mentioned(b'{"restricted_at": "2026-08-06\xccx"}', "restricted_at", r'[^"\\]{1,80}')


@given(body=st.binary(max_size=400) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")))
@hypothesis_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_body_is_an_error_of_ours(body: bytes) -> None:
    for address in (TICKETS, HEARTBEAT):
        status = send("POST", address, body, webhook_id=f"any_{next(_ids)}").status_code
        assert status in (HTTPStatus.OK, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.CONFLICT)


_ids = itertools.count(1)


# The platform's

ACCOUNT: Final = f"/api/accounts/{REFERENCE}"
PLATFORMS: Final = {
    "reference": REFERENCE,
    "exported_at": "2026-06-01T00:00:00Z",
    "restricted_at": "2026-06-01T00:00:00Z",
    "contact": {"name": "Jörg", "email": "joerg@firma.example"},
}


def platform() -> Health:
    return next(row for row in health.rows() if row.id == "gatekeeper.platform")


@pytest.mark.parametrize(
    "raw",
    [
        json.dumps(PLATFORMS)[:-1].encode("utf-16"),
        json.dumps({"notes": LONG} | PLATFORMS).encode(),
        gzip.compress(json.dumps(PLATFORMS).encode()),
    ],
    ids=["UTF-16", "300 kB", "compressed"],
)
def test_account_that_cannot_be_read_is_restricted(opened: Scene, raw: bytes) -> None:
    answer = send("PUT", ACCOUNT, raw)
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert Account.objects.get(reference=REFERENCE).restricted_at is not None
    assert platform().state == "ok", "it is known whose it was"


def test_erasure_that_cannot_be_read_restricts_what_it_names(opened: Scene) -> None:
    raw = json.dumps({"reference": REFERENCE}).encode("utf-16")
    assert send("DELETE", ACCOUNT, raw).status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    found = Account.objects.get(reference=REFERENCE)
    assert (found.restricted_at is not None, found.erased_at) == (True, None)


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_message_of_the_platform_that_names_nothing_is_an_alarm_and_shuts_nobody_out(
    opened: Scene, method: str, tmp_path: Path
) -> None:
    assert platform().state == "ok"
    assert send(method, ACCOUNT, b"noise").status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert platform().state == "to_fix"
    assert row().state == "ok"
    assert decision.evaluate(opened.caller, account=REFERENCE).codes["ticket"] == "passed"
    (tmp_path / "accounts.jsonl").write_text(json.dumps(PLATFORMS | {"restricted_at": None}) + "\n")
    call_command("import_accounts", str(tmp_path / "accounts.jsonl"))
    assert platform().state == "ok"


# Through a real server, for the transport


@contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as found:
        yield found


def post(port: int, body: bytes, *headers: str, sent: bytes | None = None) -> tuple[int, str]:
    """POST a signed body as these bytes; status, and outcome or reason."""
    said_of_it = signed(
        body, settings.TICKETS_SECRET, webhook_id=f"raw_{next(_ids)}", sent_at=int(time.time())
    )
    lines = [
        f"POST {TICKETS} HTTP/1.1",
        "Host: localhost",
        "Connection: close",
        *(f"{name}: {value}" for name, value in said_of_it.items()),
        *headers,
    ]
    with connected(port) as server:
        try:
            server.sendall("\r\n".join([*lines, "", ""]).encode() + (body if sent is None else sent))
            server.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it has answered already, and reads no more
        answer = HTTPResponse(server)
        answer.begin()
        content = answer.read()
    told = json.loads(content) if answer.getheader("Content-Type") == "application/json" else {}
    return answer.status, str(told.get("outcome") or told.get("reason"))


def chunked(body: bytes, size: int) -> bytes:
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


@pytest.fixture(scope="module")
def port(django_db_setup: None) -> Iterator[int]:
    """The application behind gunicorn, with this worker's database."""
    with serving("gatekeeper.wsgi", web_environment()) as found:
        yield found


CHUNKED: Final = "Transfer-Encoding: chunked"


def test_chunked_messages_are_read(opened: Scene, port: int) -> None:
    body = TEXT.encode()
    for size in (1, 7, 100_000):
        opened.world.change(
            "gatekeeper_ticket", opened.ticket, state="open", updated_at="2025-12-31T00:00:00Z"
        )
        assert post(port, body, CHUNKED, sent=chunked(body, size)) == (200, "changed")
        assert state() == "closed"


@pytest.mark.parametrize("kind", ["UTF-16", "300 kB, the number last", "as long as can be", "compressed"])
@pytest.mark.parametrize("in_chunks", [True, False])
def test_and_shut_what_they_name(opened: Scene, port: int, kind: str, in_chunks: bool) -> None:
    body = NAMING[kind]
    told = ([CHUNKED], chunked(body, 8000)) if in_chunks else ([f"Content-Length: {len(body)}"], body)
    status, _reason = post(port, body, *told[0], sent=told[1])
    assert status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert state() == "unusable"


def test_body_of_no_known_length(opened: Scene, port: int) -> None:
    """By HTTP such a message has no body: what follows was never sent. The sender hears what is wanting."""
    assert post(port, TEXT.encode()) == (411, "body: neither Content-Length nor chunked")
    assert post(port, b"", "Content-Length: 0")[0] == HTTPStatus.UNPROCESSABLE_ENTITY
    assert state() == "open"


@pytest.mark.parametrize(
    ("headers", "sent", "status"),
    [
        ([CHUNKED], b"zz\r\n{}\r\n0\r\n\r\n", HTTPStatus.BAD_REQUEST),
        ([CHUNKED], b"-1\r\n{}\r\n0\r\n\r\n", HTTPStatus.BAD_REQUEST),
        ([CHUNKED], b"2\r\n{}", HTTPStatus.BAD_REQUEST),
        ([CHUNKED], chunked(b"{}", 1)[:-2], HTTPStatus.BAD_REQUEST),
        (["Content-Length: 500"], b"{}", HTTPStatus.UNAUTHORIZED),
        (["Content-Length: x"], b"{}", HTTPStatus.BAD_REQUEST),
        ([f"Content-Length: {webhooks.LONGEST + 1}"], b"", HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
        ([CHUNKED], chunked(b" " * (webhooks.LONGEST + 1), 60_000), HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    ],
    ids=[
        "no size",
        "negative",
        "breaks off",
        "no end",
        "shorter than told",
        "no length",
        "too long",
        "grows too long",
    ],
)
def test_broken_transport_is_no_error_of_ours(
    opened: Scene, port: int, headers: list[str], sent: bytes, status: int
) -> None:
    found, _reason = post(port, TEXT.encode(), *headers, sent=sent)
    assert found == status
    assert state() == "open"
    assert not doubted()
