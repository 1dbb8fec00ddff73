"""HEAD, and a browser's prefetch, record nothing and download nothing, at any address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client

from audit.models import Entry
from tests.world.doors import ACTORS, DOORS, House, check_headers
from tests.world.schemas import OURS

if TYPE_CHECKING:
    from tests.conftest import Connection

pytestmark = [pytest.mark.doors, pytest.mark.django_db(transaction=True, databases="__all__")]

PREFETCH_HEADERS = (
    {"Sec-Purpose": "prefetch"},
    {"Sec-Purpose": "prefetch;prerender"},
    {"Sec-Purpose": "prefetch;anonymous-client-ip"},
    {"Purpose": "prefetch"},
    {"Purpose": "Prefetch"},
    {"X-Purpose": "preview"},
    {"X-Purpose": "prefetch"},
    {"X-Moz": "prefetch"},
)
TABLES = f"SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN {OURS} ORDER BY 1, 2"


def state(setup: Connection) -> dict[str, Any]:
    """Every row that there is, by table, as a digest."""
    digest = "SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {}.{} t"
    return {
        f"{schema}.{table}": setup.execute(digest.format(schema, table).encode()).fetchone()
        for schema, table in setup.execute(TABLES).fetchall()
    }


@pytest.fixture
def house(setup_connection: Connection) -> House:
    return House(setup_connection)


def test_head_of_every_address_by_everybody_changes_no_row(
    house: House, setup_connection: Connection
) -> None:
    clients = [house.client(actor) for actor in ACTORS]
    before = state(setup_connection)
    for door in DOORS:
        for client in clients:
            answer = client.head(house.address(door))
            assert (answer.status_code, answer.content, answer.cookies) == (200, b"", {}), door
            check_headers(answer)
    assert state(setup_connection) == before


def test_a_fetch_ahead_of_every_address_by_everybody_changes_no_row(
    house: House, setup_connection: Connection
) -> None:
    clients = [house.client(actor) for actor in ACTORS]
    before = state(setup_connection)
    for place, door in enumerate(DOORS):
        for client in clients:
            answer = client.get(house.address(door), headers=PREFETCH_HEADERS[place % len(PREFETCH_HEADERS)])
            assert (answer.status_code, answer.content, answer.cookies) == (503, b"", {}), door
            check_headers(answer)
    assert state(setup_connection) == before


@pytest.mark.parametrize("headers", PREFETCH_HEADERS)
def test_every_way_to_say_it_is_understood(house: House, headers: dict[str, str]) -> None:
    reviewer = house.client("reviewer")
    count = Entry.objects.count()
    assert reviewer.get(house.address("entry"), headers=headers).status_code == 503
    assert Entry.objects.count() == count


def test_the_same_address_asked_for_is_an_entry(house: House) -> None:
    """Or the tests above would find nothing where there is nothing to find."""
    for actor, door in (("reviewer", "entries"), ("reviewer", "entry"), ("consultant without", "nda_file")):
        count = Entry.objects.count()
        assert house.client(actor).get(house.address(door)).status_code == 200
        assert Entry.objects.count() > count


def test_a_header_that_says_something_else_stops_nothing(house: House) -> None:
    client = house.client("reviewer")
    for headers in ({"Sec-Purpose": ""}, {"Purpose": "click"}, {"X-Moz": "livebookmarks"}):
        assert client.get(house.address("profile"), headers=headers).status_code == 200
    # A form is no page that is fetched ahead.
    assert (
        client.post(house.address("preferences"), {"theme": "dark"}, headers=PREFETCH_HEADERS[0]).status_code
        == 302
    )


def test_head_of_what_is_no_address_says_so() -> None:
    assert Client().head("/nowhere").status_code == 404
    assert Client().head("/log").status_code == 200  # with a slash it is one
