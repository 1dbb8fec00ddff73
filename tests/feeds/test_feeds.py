"""The signed feeds over HTTP: what is taken, what is refused, and what shuts a ticket."""

from __future__ import annotations

import base64
import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.db import connections

from audit.models import Entry
from gatekeeper.feeds import store, tickets, webhooks
from gatekeeper.models import Account, Delivery, Feed, Ticket
from tests.world.messages import (
    ACCOUNT,
    ERASURE,
    HEARTBEAT,
    REFERENCE,
    TICKETS,
    account,
    said,
    secret,
    send,
    signed,
    ticket,
)

if TYPE_CHECKING:
    from django.http import HttpResponse


pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


ADDRESSES = [
    ("POST", TICKETS, ticket()),
    ("POST", HEARTBEAT, {}),
    ("PUT", ACCOUNT, account()),
    ("DELETE", ACCOUNT, ERASURE),
]


class TestSignature:
    @pytest.mark.parametrize(("method", "address", "body"), ADDRESSES)
    def test_good(self, method: str, address: str, body: object) -> None:
        assert send(method, address, body).status_code == HTTPStatus.OK

    @pytest.mark.parametrize(("method", "address", "body"), ADDRESSES)
    @pytest.mark.parametrize(
        "wrong",
        [
            {"webhook-signature": ""},
            {"webhook-signature": "v1,"},
            {"webhook-signature": "v1"},
            {"webhook-signature": "v1,ü"},
            {"webhook-signature": "v1," + base64.b64encode(bytes(32)).decode()},
            {"webhook-signature": "v2," + base64.b64encode(bytes(32)).decode()},
            {"webhook-id": ""},
            {"webhook-id": "another"},
            {"webhook-id": "with.dot"},
            {"webhook-id": "x" * 129},
            {"webhook-timestamp": ""},
            {"webhook-timestamp": "nan"},
            {"webhook-timestamp": "1e9"},
            {"webhook-timestamp": "0"},
            {"webhook-timestamp": "9" * 12},
        ],
    )
    def test_wrong_headers(self, method: str, address: str, body: object, wrong: dict[str, str]) -> None:
        assert send(method, address, body, headers=wrong).status_code == HTTPStatus.UNAUTHORIZED
        self.nothing_happened()

    @pytest.mark.parametrize(("method", "address", "body"), ADDRESSES)
    def test_wrong_secret_body_or_age(self, method: str, address: str, body: object) -> None:
        other = settings.TICKETS_SECRET if "accounts" in address else settings.ACCOUNTS_SECRET
        assert send(method, address, body, key=other).status_code == HTTPStatus.UNAUTHORIZED
        for age in (301, -302):
            assert send(method, address, body, age=age).status_code == HTTPStatus.UNAUTHORIZED
        headers = signed(b"{ }", secret(address), webhook_id="msg", sent_at=int(time.time()))
        assert send(method, address, body, headers=headers).status_code == HTTPStatus.UNAUTHORIZED
        self.nothing_happened()

    @pytest.mark.parametrize(("method", "address", "_body"), ADDRESSES)
    def test_too_long(self, method: str, address: str, _body: object) -> None:
        body = b" " * (webhooks.LONGEST + 1)
        assert send(method, address, body).status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE

    @pytest.mark.parametrize("address", [TICKETS, HEARTBEAT, ACCOUNT])
    def test_other_methods(self, address: str) -> None:
        known = {known for known, at, _ in ADDRESSES if at == address}
        # HEAD says of every address that it is there, before any view is asked.
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} - known:
            assert send(method, address, b"").status_code == HTTPStatus.METHOD_NOT_ALLOWED

    def test_neighbouring_addresses_do_not_take_each_others_messages(self) -> None:
        """A signature covers neither method nor address: the bodies must not pass for one another."""
        assert send("POST", HEARTBEAT, ticket()).status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert send("POST", TICKETS, {}).status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert send("DELETE", ACCOUNT, account()).status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert send("DELETE", ACCOUNT, b"").status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert send("PUT", ACCOUNT, ERASURE).status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert (
            send("DELETE", "/api/accounts/MOC-48214", ERASURE).status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        )
        assert (
            send("PUT", "/api/accounts/MOC-48214", account()).status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        )
        assert not Account.objects.exists()
        assert not Feed.objects.filter(contact_at__isnull=False).exists()

    def nothing_happened(self) -> None:
        for model in (Account, Ticket, Feed, Delivery, Entry):
            assert not model._default_manager.using("migrator").exists()  # the pages read no delivery


class TestTickets:
    def test_applied_and_heard(self) -> None:
        assert said(send("POST", TICKETS, ticket())) == (200, "new")
        assert Ticket.objects.get().state == "open"
        assert Feed.objects.get().name == "tickets"
        of_ticket, of_feed = Entry.objects.order_by("id")
        assert (of_ticket.ticket, of_ticket.source) == ("ZD-1", "helpdesk")
        assert (of_feed.event, of_feed.source) == ("change", "helpdesk")
        newer = ticket(state="solved", updated_at=datetime.now(UTC).isoformat())
        assert said(send("POST", TICKETS, newer)) == (200, "changed")
        assert said(send("POST", TICKETS, ticket())) == (200, "older")
        assert Ticket.objects.get().state == "solved"

    def test_replay_has_no_effect(self) -> None:
        first = ticket()
        assert said(send("POST", TICKETS, first, webhook_id="once")) == (200, "new")
        contact = Feed.objects.get().contact_at
        tickets.block_named(b'{"number": "ZD-1"}', None, "test")
        assert said(send("POST", TICKETS, first, webhook_id="once")) == (200, "replayed")
        assert Ticket.objects.get().state == "unusable"
        assert Feed.objects.get().contact_at == contact

    def test_another_message_under_an_identifier_that_was_taken_shuts_its_ticket(self) -> None:
        other = (422, "webhook-id: another message came under it")
        assert said(send("POST", TICKETS, ticket(), webhook_id="once")) == (200, "new")
        later = (datetime.now(UTC) + timedelta(seconds=5)).isoformat()
        solved = ticket(state="solved", updated_at=later)
        assert said(send("POST", TICKETS, solved, webhook_id="once")) == other
        assert Ticket.objects.get().state == "unusable"
        # A heartbeat is another message as well, and is not heard.
        contact = Feed.objects.get().contact_at
        assert said(send("POST", HEARTBEAT, {}, webhook_id="once")) == other
        assert Feed.objects.get().contact_at == contact

    def test_what_came_before_bodies_were_kept_is_a_replay(self) -> None:
        first = ticket()
        send("POST", TICKETS, first, webhook_id="once")
        with connections["migrator"].cursor() as cursor:
            cursor.execute("UPDATE gatekeeper_delivery SET digest = ''")
        assert said(send("POST", TICKETS, first, webhook_id="once")) == (200, "replayed")

    def test_same_delivery_at_once(self) -> None:
        body = ticket()

        def post(_: int) -> str:
            try:
                return said(send("POST", TICKETS, body, webhook_id="at-once"))[1]
            finally:
                connections.close_all()

        with ThreadPoolExecutor(4) as pool:
            assert sorted(pool.map(post, range(4))) == ["new", "replayed", "replayed", "replayed"]

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"accounts": ["MOC-1"]}, "accounts: not of its form"),
            ({"subject": "My card is 4111 1111 1111 1111"}, "line: a field that is not known"),
            ({"updated_at": "yesterday"}, "updated_at: not a time with a zone"),
            ({"updated_at": "2199-01-01T00:00:00Z"}, "updated_at: in the future"),
            ({"state": None}, "state: not a text"),
        ],
    )
    def test_unusable_message_shuts_a_known_ticket(self, changes: dict[str, Any], reason: str) -> None:
        send("POST", TICKETS, ticket())
        contact = Feed.objects.get().contact_at
        assert said(send("POST", TICKETS, ticket() | changes)) == (422, reason)
        assert Ticket.objects.get().state == "unusable"
        assert Feed.objects.get().contact_at == contact
        # An older message does not open it again, a newer usable one does.
        old = ticket(updated_at=(datetime.now(UTC) - timedelta(hours=2)).isoformat())
        assert said(send("POST", TICKETS, old)) == (200, "older")
        new = ticket(updated_at=(datetime.now(UTC) + timedelta(seconds=5)).isoformat())
        assert said(send("POST", TICKETS, new)) == (200, "changed")
        assert Ticket.objects.get().state == "open"

    @pytest.mark.parametrize(
        "body", [b'{"number": "ZD-1", ', b'{"number": "ZD-1", "number": "ZD-1"}', b'["number": "ZD-1"]']
    )
    def test_even_when_it_is_no_json(self, body: bytes) -> None:
        send("POST", TICKETS, ticket())
        assert send("POST", TICKETS, body).status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert Ticket.objects.get().state == "unusable"

    def test_unusable_message_about_an_unknown_ticket(self) -> None:
        assert send("POST", TICKETS, ticket(state=None)).status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert not Ticket.objects.exists()

    def test_forged_unusable_message_shuts_nothing(self) -> None:
        send("POST", TICKETS, ticket())
        assert send("POST", TICKETS, ticket(state=None), key=settings.ACCOUNTS_SECRET).status_code == 401
        assert Ticket.objects.get().state == "open"

    def test_heartbeat(self) -> None:
        before = datetime.now(UTC)
        assert said(send("POST", HEARTBEAT, {})) == (200, "heard")
        assert said(send("POST", HEARTBEAT, b"")) == (200, "heard")
        assert Feed.objects.filter(contact_at__gt=before).exists()
        entry = Entry.objects.get()  # that the helpdesk is alive is one when it turns
        assert (entry.event, entry.source) == ("change", "helpdesk")
        assert entry.details is not None
        assert (entry.details["feed"], entry.details["contact"]) == ("tickets", [None, "fresh"])


class TestAccounts:
    def test_put(self) -> None:
        assert said(send("PUT", ACCOUNT, account())) == (200, "new")
        stored = Account.objects.get()
        assert stored.exported_at
        assert abs(stored.exported_at - datetime.now(UTC)) < timedelta(minutes=5)
        entry = Entry.objects.get()
        assert (entry.event, entry.source, entry.account) == ("import", "platform", REFERENCE)
        told = {"new": 1, "changed": 0, "participants": 0, "support": 0, "restricted": 0}
        assert entry.details == {"what": "accounts", "stored": told}

    def test_order(self) -> None:
        def stamped(minutes: int, **changes: Any) -> dict[str, Any]:
            moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
            return account(exported_at=moment.isoformat(), **changes)

        assert said(send("PUT", ACCOUNT, stamped(5))) == (200, "new")
        assert said(send("PUT", ACCOUNT, stamped(4, plan="free"))) == (200, "older")
        assert said(send("PUT", ACCOUNT, stamped(5))) == (200, "same")
        assert said(send("PUT", ACCOUNT, stamped(5, plan="free")))[0] == HTTPStatus.CONFLICT
        assert said(send("PUT", ACCOUNT, stamped(6, plan="free"))) == (200, "changed")
        # Without a time of its own, the time of sending counts.
        assert said(send("PUT", ACCOUNT, account(plan="start"))) == (200, "changed")
        assert said(send("PUT", ACCOUNT, account(plan="pro"), age=60)) == (200, "older")
        assert Account.objects.get().plan == "start"

    def test_refused_delivery_may_be_sent_again(self) -> None:
        send("PUT", ACCOUNT, account(exported_at="2026-01-01T00:00:00Z"))
        other = account(exported_at="2026-01-01T00:00:00Z", plan="free")
        for _ in range(2):
            assert said(send("PUT", ACCOUNT, other, webhook_id="again"))[0] == HTTPStatus.CONFLICT
        assert not Delivery.objects.using("migrator").filter(webhook_id="again").exists()

    def test_erased_at_once_and_for_ever(self) -> None:
        send("PUT", ACCOUNT, account())
        assert said(send("DELETE", ACCOUNT, ERASURE)) == (200, "erased")
        assert Account.objects.get().erased_at
        status, reason = said(send("PUT", ACCOUNT, account()))
        assert (status, reason) == (410, "reference: erased, and barred for ever")
        assert said(send("DELETE", ACCOUNT, ERASURE)) == (200, "already")

    def test_unknown_account_is_barred(self) -> None:
        assert said(send("DELETE", ACCOUNT, ERASURE)) == (200, "barred")
        assert said(send("PUT", ACCOUNT, account()))[0] == HTTPStatus.GONE

    def test_replay(self) -> None:
        assert said(send("PUT", ACCOUNT, account(), webhook_id="put")) == (200, "new")
        assert said(send("PUT", ACCOUNT, account(), webhook_id="put")) == (200, "replayed")
        # Another account's data under it are not taken, and close what they can only have meant to close.
        until = account(restricted_at=datetime.now(UTC).isoformat())
        other = (422, "webhook-id: another message came under it")
        answer = send("PUT", ACCOUNT, until, webhook_id="put")
        assert (answer.status_code, json.loads(answer.content)["reason"]) == other
        assert Account.objects.get().restricted_at
        # The two feeds' identifiers are apart.
        assert said(send("POST", TICKETS, ticket(), webhook_id="put")) == (200, "new")

    @pytest.mark.parametrize("reference", ["MOC-1", "nonsense", "MOC-48213%0A"])
    def test_reference_of_another_form(self, reference: str) -> None:
        address = f"/api/accounts/{reference}"
        for method, body in (("DELETE", {"reference": reference}), ("PUT", account(reference=reference))):
            assert send(method, address, body).status_code in (HTTPStatus.UNPROCESSABLE_ENTITY, 404)
        assert not Account.objects.exists()

    def test_vault_that_fails_leaves_the_identifier_free(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def busy(_: object, _source: str) -> dict[str, str]:
            raise store.StoreBusyError

        with monkeypatch.context() as patched:
            patched.setattr(store, "store_accounts", busy)
            answer = send("PUT", ACCOUNT, account(), webhook_id="retried")
            assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
        assert said(send("PUT", ACCOUNT, account(), webhook_id="retried")) == (200, "new")


CANARY = "Kanarienvogel"


@pytest.mark.parametrize(
    ("method", "address", "body"),
    [
        ("POST", TICKETS, ticket(subject=CANARY)),
        ("POST", TICKETS, ticket(**{CANARY: 1})),
        ("POST", TICKETS, ticket(kind=CANARY)),
        ("POST", HEARTBEAT, {CANARY: CANARY}),
        ("PUT", ACCOUNT, account(restricted_at=CANARY)),
        ("PUT", ACCOUNT, account(consent={CANARY: CANARY})),
        ("PUT", ACCOUNT, account(**{f"{CANARY}_consent": CANARY})),
        ("DELETE", ACCOUNT, {"reference": CANARY}),
    ],
)
def test_answers_repeat_nothing(
    method: str, address: str, body: object, caplog: pytest.LogCaptureFixture
) -> None:
    answer = send(method, address, body)
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    silent(answer, caplog)


@pytest.mark.parametrize(
    "changes",
    [
        {"contact": {"name": "Jan", "email": CANARY}},
        {"contact": {CANARY: CANARY}},
        {"activity": {"settings": {CANARY: [CANARY]}}},
        {"plan": CANARY},
        {CANARY: CANARY},
    ],
)
def test_what_is_dropped_is_not_repeated(changes: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    answer = send("PUT", ACCOUNT, account(**changes))
    assert len(json.loads(answer.content)["dropped"]) == 1
    silent(answer, caplog)


def silent(answer: HttpResponse, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing that came in stands in what is said of it."""
    assert answer.headers["Content-Type"] == "application/json"
    assert not re.search(CANARY, answer.content.decode(), re.IGNORECASE)
    assert CANARY not in caplog.text
    assert not answer.cookies
