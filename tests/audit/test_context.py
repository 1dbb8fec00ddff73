"""What an entry says of its request, and what no request can make it say."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.urls import reverse

from audit import masking
from audit.context import client_address, context, request_id, user_agent
from audit.models import Entry
from staff.frame.callers import Caller
from staff.models import Session
from tests.conftest import Connection
from tests.world import Person, World
from tests.world.people import give_factors, give_password


def request(**headers: str) -> HttpRequest:
    return RequestFactory().get("/", headers=headers)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("192.0.2.9", "192.0.2.9"),
        ("2001:db8::1", "2001:db8::1"),
        ("::ffff:192.0.2.9", "192.0.2.9"),
        ("fe80::1%eth0", "fe80::1"),
        ("", None),
        ("unix:", None),
        ("192.0.2.9:80", None),
        ("999.1.1.1", None),
    ],
)
def test_an_address_or_none(sent: str, kept: str | None) -> None:
    asked = request()
    asked.META["REMOTE_ADDR"] = sent
    assert client_address(asked) == kept


def test_forwarded_headers_are_not_read_here() -> None:
    assert client_address(request(**{"X-Forwarded-For": "203.0.113.5"})) == "127.0.0.1"


def test_the_user_agent_is_clipped_and_forges_no_line() -> None:
    sent = "Mozilla\r\n\x1b[31m\u202eevil\x00" + "x" * 500
    kept = user_agent(request(**{"User-Agent": sent}))
    assert kept.startswith("Mozilla   [31m evil x")
    assert len(kept) == 200
    assert kept.isprintable()


def test_the_requests_number_is_ours() -> None:
    asked = request(**{"X-Correlation-Id": "x" * 300})
    number = request_id(asked)
    assert len(number) == 32
    assert request_id(asked) == number
    assert request_id(request()) != number
    assert context(asked)["cid"] == number


def test_nothing_stays_of_a_masked_value() -> None:
    assert masking.drop("three quiet otters dance") == ""


@pytest.fixture
def world(setup_connection: Connection) -> World:
    return World(setup_connection)


@pytest.fixture
def anna(world: World) -> Person:
    person = world.member("consultant", "manager")
    give_factors(world, person)
    return person


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_an_entry_of_a_page_names_who_whence_and_which_request(world: World, anna: Person) -> None:
    unusual = {"X-Forwarded-For": "not an address", "X-Correlation-Id": "y" * 300, "User-Agent": "T" * 900}
    client = Client(headers=unusual)
    assert give_password(client, anna).status_code == 302
    entry = Entry.objects.get()
    assert (entry.event, entry.member, entry.role) == ("sign_in", anna.number, "consultant,manager")
    assert (entry.actor_id, entry.session is not None) == (anna.id, True)
    assert (entry.remote_addr, entry.user_agent) == ("127.0.0.1", "T" * 200)
    assert entry.cid is not None
    assert len(entry.cid) == 32
    assert (entry.actor_email, entry.remote_port) == (None, None)


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_a_request_whose_address_is_none_is_no_error(world: World, anna: Person) -> None:
    client = Client(REMOTE_ADDR="")
    assert give_password(client, anna, "wrong, and long enough").status_code == 200
    entry = Entry.objects.get()
    assert (entry.remote_addr, entry.actor_id, entry.member) == (None, None, anna.number)


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_a_change_of_settings_is_recorded_by_the_allow_list(world: World, anna: Person) -> None:
    client = Client()
    give_password(client, anna)
    client.post(reverse("preferences"), {"theme": "dark"})
    entry = Entry.objects.order_by("-id")[0]
    assert (entry.event, entry.changes) == ("change", {"theme": ["auto", "dark"]})
    assert (entry.object_repr, entry.actor_email) == (anna.number, None)


@pytest.mark.django_db
def test_a_visitor_calls_without_a_digest() -> None:
    response = Client().get(reverse("sign_in"))
    assert Caller.of(response.wsgi_request).digest is None


#: Headers by which a client, or a proxy that adds nothing of its own, claims to be elsewhere.
CLAIMS = {
    "X-Forwarded-For": "203.0.113.5",
    "Forwarded": "for=203.0.113.5",
    "X-Real-IP": "203.0.113.5",
    "X-Client-IP": "203.0.113.5",
    "True-Client-IP": "203.0.113.5",
    "CF-Connecting-IP": "203.0.113.5",
}


@pytest.mark.django_db(transaction=True, databases="__all__")
@pytest.mark.parametrize(
    ("proxies", "peer", "forwarded", "kept"),
    [
        ([], "192.0.2.9", "203.0.113.5", "192.0.2.9"),  # no proxy is ours: nothing is believed
        (["10.0.0.0/8"], "192.0.2.9", "203.0.113.5", "192.0.2.9"),  # nor by another's word
        (["10.0.0.0/8"], "10.0.0.1", "203.0.113.5, 192.0.2.9", "192.0.2.9"),  # what ours has seen
        (["10.0.0.0/8"], "10.0.0.1", "203.0.113.5, 192.0.2.9, 10.0.0.2", "192.0.2.9"),
        (["10.0.0.0/8"], "10.0.0.1", "203.0.113.5, nonsense", None),
        (["2001:db8::/32"], "2001:db8::1", "203.0.113.5, 2001:db9::7", "2001:db9::7"),
    ],
)
def test_no_header_puts_a_claimed_address_into_an_entry(
    world: World, anna: Person, settings: Any, proxies: list[str], peer: str, forwarded: str, kept: str | None
) -> None:
    settings.TRUSTED_PROXIES = proxies
    client = Client(headers=CLAIMS | {"X-Forwarded-For": forwarded}, REMOTE_ADDR=peer)
    give_password(client, anna, "wrong, and long enough")
    assert give_password(client, anna).status_code == 302
    assert {entry.remote_addr for entry in Entry.objects.all()} == {kept}
    [session] = Session.objects.filter(member_id=anna.id)
    assert session.remote_addr == kept
