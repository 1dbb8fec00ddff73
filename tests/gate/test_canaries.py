"""Canaries: a unique value in every field; after a walk through every door each hit has its entry before it.

Every canary holds one marker, which is looked for plain, reversed, in base64 and in hexadecimal; letters
and digits alone, it is its own URL encoding.
"""

from __future__ import annotations

import base64
import io
import logging
import re
import secrets
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core import mail
from django.http import HttpRequest
from django.test import Client, override_settings
from django.test.client import ClientHandler
from django.urls import reverse
from psycopg import sql

from audit.installation import SCHEMAS
from gatekeeper.access import account_data
from gatekeeper.gate import answers, decision
from gatekeeper.gate.cipher import AccountCipher, Json
from gatekeeper.serving.redaction import RedactingFormatter
from staff.frame import background
from tests import environment
from tests import world as worlds
from tests.conftest import Connection
from tests.world import VALUES, World
from tests.world.doors import ACTORS, DOORS, House, expected
from tests.world.scene import REFERENCE, newest

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

OTHER = "MOC-40002"
PEOPLE = 30
MARKER = f"kanarek{secrets.token_hex(6)}"
CANARY = re.compile(MARKER + "[0-9]{4}")


def disguises() -> list[str]:
    """Every form of the marker but the plain one."""
    shifted = (base64.b64encode(b"x" * shift + MARKER.encode()).decode() for shift in range(3))
    # The characters at both ends mix with their neighbours.
    return [MARKER[::-1], MARKER.encode().hex(), *(text[4:-4] for text in shifted)]


HIDDEN = [form.encode() for form in disguises()]
ALL = [MARKER.encode(), *HIDDEN]


def holds(data: bytes, forms: list[bytes] = ALL) -> bool:
    return any(form in data for form in forms)


@dataclass
class Aviary:
    """Which canary sits in which field; and which were seen by whom."""

    homes: dict[str, tuple[str, str]] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)

    def new(self, account: str, name: str) -> str:
        canary = f"{MARKER}{len(self.homes):04d}"
        self.homes[canary] = (account, name)
        return canary

    def values(self, account: str) -> dict[str, Json]:
        values: dict[str, Json] = {name: self.new(account, name) for name in VALUES}
        values["activity.settings"] = {"theme": self.new(account, "activity.settings")}
        values["contact.email"] = f"{values['contact.email']}@klient.example"
        return values

    def participants(self, world: World, account: str) -> None:
        """Replace the records of participants by canaries."""
        world.participants(account, PEOPLE)
        id_, key = world.setup.execute(
            "SELECT v.account_id, v.wrapped_key FROM vault.account v JOIN gatekeeper_account a"
            " ON a.id = v.account_id WHERE a.reference = %s",
            [account],
        ).fetchall()[0]
        cipher = AccountCipher.unwrap(account, key)
        for number in range(1, PEOPLE + 1):
            name = f"participants.{number}"
            email = f"{self.new(account, name)}@gosc.example"
            record: dict[str, Json] = {"name": self.new(account, name), "email": email}
            world.setup.execute(
                "UPDATE vault.participant SET ciphertext = %s, email_index = %s"
                " WHERE account_id = %s AND number = %s",
                [cipher.encrypt(name, record), cipher.index(email), id_, number],
            )


def sent(response: Any) -> bytes:
    """The body; what is streamed is read here, and still goes to the browser."""
    if response.streaming:
        response.streaming_content = [b"".join(response.streaming_content)]
        [whole] = parts = list(response.streaming_content)
        response.streaming_content = parts
        return bytes(whole)
    return bytes(response.content)


class Watched(ClientHandler):
    """Looks at each response before the browser gets it, and at the log from a connection of its own."""

    def __init__(self, aviary: Aviary, log: psycopg.Connection[Any], member: str) -> None:
        super().__init__(enforce_csrf_checks=False)
        self.aviary, self.log, self.member = aviary, log, member

    def get_response(self, request: HttpRequest) -> Any:
        before = self._newest()
        response: Any = super().get_response(request)
        told = b"".join([sent(response), str(response.headers).encode(), str(response.cookies).encode()])
        assert not holds(told, HIDDEN), request.path
        for canary in set(CANARY.findall(told.decode("utf-8", "replace"))):
            self._judge(canary, request, before)
        return response

    def _newest(self) -> int:
        row = self.log.execute("SELECT coalesce(max(id), 0) FROM audit_entry").fetchone()
        assert row is not None
        return int(row[0])

    def _judge(self, canary: str, request: HttpRequest, before: int) -> None:
        account, name = self.aviary.homes[canary]
        if name == REASON:  # what the requester typed is for those who decide
            assert request.path.startswith(("/requests/", "/inbox/")), request.path
            return
        kind, _, number = name.partition(".")
        people = kind == "participants"
        entry = self.log.execute(
            "SELECT count(*) FROM audit_entry e WHERE id > %s AND outcome = 'allowed'"
            " AND event IN ('view', 'search') AND member = %s AND account = %s AND %s = ANY (fields)"
            " AND (%s::int IS NULL OR %s::int = ANY (records))"
            " AND NOT EXISTS (SELECT FROM audit_entry w WHERE w.answers = e.id)",
            [before, self.member, account, kind if people else name, *[int(number) if people else None] * 2],
        ).fetchone()
        assert entry == (1,), (request.path, name)
        self.aviary.seen.add(canary)


REASON = "typed reason"


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What the process writes to standard error, as its own formatter writes it."""
    stream = io.StringIO()
    for handler in logging.getLogger().handlers:
        if isinstance(handler.formatter, RedactingFormatter):
            monkeypatch.setattr(handler, "stream", stream)
    return stream


@pytest.fixture
def aviary(monkeypatch: pytest.MonkeyPatch) -> Aviary:
    aviary = Aviary()
    for name, value in aviary.values(REFERENCE).items():
        monkeypatch.setitem(worlds.VALUES, name, value)
    return aviary


@pytest.fixture
def house(aviary: Aviary, setup_connection: Connection) -> House:
    house = House(setup_connection)
    house.world.account(OTHER, aviary.values(OTHER))
    house.world.setup.execute("DELETE FROM vault.participant")
    for account in (REFERENCE, OTHER):
        aviary.participants(house.world, account)
    house.world.ticket("ZD-10005", assignee=house.anna)
    house.ask(ticket="ZD-10005", text=aviary.new(REFERENCE, REASON))
    house.world.ticket("ZD-10006", assignee=house.anna)
    every = [name.partition(".")[0] for name in VALUES] + ["participants"]
    house.opened(ticket="ZD-10006", categories=sorted(set(every)))
    return house


@pytest.fixture
def log(setup_connection: Connection) -> Iterator[psycopg.Connection[Any]]:
    """Another's eyes on the log: what is seen here is committed."""
    with psycopg.connect(environment.setup_url(environment.database_name()), autocommit=True) as other:
        yield other


def watched(house: House, aviary: Aviary, log: psycopg.Connection[Any], actor: str) -> Client:
    client = house.client(actor)
    client.handler = Watched(aviary, log, "" if actor == "anonymous" else house.person(actor).number)
    return client


def walk(house: House, clients: dict[str, Client]) -> None:
    """Every page, by everybody."""
    for door in DOORS:
        for actor, client in clients.items():
            if expected(door)["GET"][actor] != "405":
                client.get(house.address(door))


def reveal_all(house: House, client: Client) -> None:
    """Each field, each page of participants, and one found by e-mail."""
    for name in VALUES:
        client.post(reverse("reveal", args=[REFERENCE]), {"grant": house.grant, "fields": [name]})
    client.post(reverse("reveal", args=[REFERENCE]), {"grant": house.grant, "category": "contact"})
    for page in (1, 2):
        client.post(reverse("participants", args=[REFERENCE]), {"grant": house.grant, "page": page})


def send_all(house: House, clients: dict[str, Client]) -> None:
    """Every form, by everybody: what is done last is what ends sessions and grants."""
    for door in sorted(DOORS, key=lambda one: one in ("end_grant", "sign_out", "invitation")):
        for actor, client in clients.items():
            if expected(door)["POST"][actor] != "405":
                client.post(house.address(door), house.form(door, actor))


def tables(setup: Connection) -> list[str]:
    """The tables with a row that holds a canary."""
    named = setup.execute(
        "SELECT schemaname, tablename FROM pg_tables"
        " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    ).fetchall()
    assert {"public", "vault"} <= {schema for schema, _ in named} <= {"public", *SCHEMAS}
    found = []
    for schema, table in named:
        rows = setup.execute(sql.SQL("SELECT x::text FROM {} x").format(sql.Identifier(schema, table)))
        if any(holds(text.encode()) for (text,) in rows):
            found.append(f"{schema}.{table}")
    return found


def files(folder: Path) -> list[str]:
    """The files with a canary in them."""
    return [str(one) for one in folder.rglob("*") if one.is_file() and holds(one.read_bytes())]


@pytest.mark.slow
def test_no_canary_is_seen_without_an_entry_or_stays_anywhere(
    house: House,
    aviary: Aviary,
    log: psycopg.Connection[Any],
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    told: io.StringIO,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    clients = {actor: watched(house, aviary, log, actor) for actor in ACTORS}
    anna = clients["consultant with a claim"]
    with override_settings(EMAIL_HOST="mail.firma.example"):
        walk(house, clients)
        assert aviary.seen == set()
        reveal_all(house, anna)
        # Seen once is not shown again: the pages of everybody, after it.
        revealed = set(aviary.seen)
        aviary.seen.clear()
        walk(house, clients)
        assert aviary.seen == set()
        search_by_email(house, aviary, anna)
        send_all(house, clients)
    mine = {
        canary
        for canary, (account, name) in aviary.homes.items()
        if (account, name != REASON) == (REFERENCE, True)
    }
    # The settings' canary replaced another, which is nowhere.
    assert {aviary.homes[one] for one in mine} == {aviary.homes[one] for one in revealed}

    background.finish()
    assert mail.outbox
    assert not any(holds(str(message.message()).encode()) for message in mail.outbox)
    assert caplog.records
    assert not any(holds(record.getMessage().encode()) for record in caplog.records)
    assert "Forbidden" in told.getvalue()
    assert not holds("".join([told.getvalue(), *capfd.readouterr()]).encode())
    assert files(tmp_path) == []
    assert tables(house.world.setup) == []


def search_by_email(house: House, aviary: Aviary, client: Client) -> None:
    """Found by exact e-mail under an open grant; a stranger's e-mail is shown to its searcher alone."""
    sent = next(c for c, home in aviary.homes.items() if home == (REFERENCE, "participants.30"))
    form = {"grant": house.grant, "q": f"{sent}@gosc.example"}
    text = client.post(reverse("participants", args=[REFERENCE]), form).content.decode()
    assert f"{REFERENCE}-P30" in text
    assert newest("search").records == [30]


def test_the_databases_files_hold_no_canary(
    house: House, aviary: Aviary, log: psycopg.Connection[Any]
) -> None:
    reveal_all(house, watched(house, aviary, log, "consultant with a claim"))
    assert aviary.seen
    house.world.setup.execute("CHECKPOINT")
    row = house.world.setup.execute("SHOW data_directory").fetchone()
    assert row is not None
    assert files(Path(row[0])) == []


# What breaks while a value is in hand


def broken(*_args: Any, **_kwargs: Any) -> Any:
    raise ValueError(f"cannot show {VALUES['contact.name']}")


def break_page(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(account_data, "section", broken)


def break_cipher(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(AccountCipher, "decrypt", broken)


@pytest.mark.parametrize("breakage", [break_page, break_cipher])
@pytest.mark.parametrize("debug", [False, True])
def test_an_error_tells_no_value(
    house: House,
    monkeypatch: pytest.MonkeyPatch,
    told: io.StringIO,
    breakage: Callable[[pytest.MonkeyPatch], None],
    debug: bool,
) -> None:
    client = house.client("consultant with a claim")
    breakage(monkeypatch)
    form = {"grant": house.grant, "fields": ["contact.name"]}
    with override_settings(DEBUG=debug, ADMINS=["admin@firma.example"]):
        response = client.post(reverse("reveal", args=[REFERENCE]), form)
    assert response.status_code == 500
    assert not holds(response.content)
    assert "ValueError" in told.getvalue()
    assert not holds(told.getvalue().encode())
    assert not any(holds(str(message.message()).encode()) for message in mail.outbox)
    assert newest("view").outcome == "allowed"


# The search finds what it looks for


@pytest.mark.parametrize(
    "form",
    [MARKER, *disguises(), base64.b64encode(f"<p>{MARKER}</p>".encode()).decode()],
    # Named by place: the marker is random, and each worker has its own.
    ids=range(2 + len(disguises())),
)
def test_a_planted_canary_is_found(house: House, tmp_path: Path, form: str) -> None:
    assert tables(house.world.setup) == []
    house.world.insert("gatekeeper_feed", name="x", contact_at="2020-01-01")
    house.world.setup.execute("UPDATE staff_member SET name = %s WHERE id = %s", [form, house.carl.id])
    assert tables(house.world.setup) == ["public.staff_member"]
    (tmp_path / "file").write_text(form)
    assert files(tmp_path) == [str(tmp_path / "file")]


def test_a_canary_in_bytes_is_found(house: House) -> None:
    statement = "UPDATE gatekeeper_accessrequest SET reason_text = %s"
    house.world.setup.execute(statement, [MARKER.encode()])
    assert tables(house.world.setup) == ["public.gatekeeper_accessrequest"]


def test_a_value_shown_without_an_entry_is_found(
    house: House, aviary: Aviary, log: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = watched(house, aviary, log, "consultant with a claim")
    value = str(VALUES["contact.name"])
    monkeypatch.setattr(decision, "reveal", lambda *_a, **_k: answers.Reveal(0, {"contact.name": value}, {}))
    form = {"grant": house.grant, "fields": ["contact.name"]}
    with pytest.raises(AssertionError, match=r"contact\.name"):
        client.post(reverse("reveal", args=[REFERENCE]), form)
