"""Every door: each address, by each method, for each actor, has its expected answer in one table."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import reverse

from audit.models import Entry
from gatekeeper.models import AccessRequest, Grant
from staff.directory.views.member_acts import ACTIONS
from staff.models import Session
from tests.conftest import Connection, empty_tables
from tests.world import VALUES
from tests.world.doors import ACTORS, DOORS, House, check_headers, expected, facts, patterns
from tests.world.people import member
from tests.world.scene import REFERENCE

pytestmark = [pytest.mark.doors, pytest.mark.django_db(transaction=True, databases="__all__")]


def answer(house: House, client: Client, door: str, method: str, actor: str) -> str:
    """The status; then + for an entry that says allowed, - for one that says refused."""
    newest = Entry.objects.order_by("-id").values_list("id", flat=True).first() or 0
    form = house.form(door, actor) if method == "POST" else {}
    response = house.last = getattr(client, method.lower())(house.address(door), form)
    written = Entry.objects.filter(id__gt=newest).values_list("outcome", flat=True)
    marks = "".join(sign for sign, outcome in (("+", "allowed"), ("-", "refused")) if outcome in set(written))
    return f"{response.status_code}{marks}"


def test_every_address_is_in_the_table() -> None:
    assert {door.partition(":")[0] for door in DOORS} == {pattern.name for pattern in patterns()}
    actions = {door.partition(":")[2] for door in DOORS if door.startswith("member_action:")}
    assert actions == {*ACTIONS, "invite", "nonsense"}


@pytest.mark.parametrize("door", DOORS)
def test_every_method_for_every_actor_has_the_expected_answer(
    setup_connection: Connection, door: str
) -> None:
    house = House(setup_connection)
    wrong = []
    for method, answers in expected(door).items():
        # What changes something comes last, and the house is built again after it.
        for actor in sorted(ACTORS, key=lambda one: "+" in answers[one]):
            client = house.client(actor, again=method != "POST")
            given = answer(house, client, door, method, actor)
            check_headers(house.last)
            if given != answers[actor]:
                wrong.append(f"{method} {house.address(door)} as {actor}: {given}, not {answers[actor]}")
            if "+" in given:
                empty_tables()
                house = House(setup_connection)
    assert wrong == []


def test_over_https_every_response_asks_for_https_for_a_year_or_more(setup_connection: Connection) -> None:
    house = House(setup_connection)
    clients = [house.client("anonymous"), house.client("consultant with a claim")]
    for door in DOORS:
        for client in clients:
            response = client.get(house.address(door), secure=True)
            seconds = re.search(r"max-age=(\d+)", response.headers["Strict-Transport-Security"])
            assert seconds is not None
            assert int(seconds[1]) >= 365 * 24 * 3600


def test_pages_that_do_not_exist_have_the_headers_too(setup_connection: Connection) -> None:
    house = House(setup_connection)
    for address in ("/nowhere", "/accounts/MOC-1", "/accounts/MOC-40001/export", "/tickets/ZD-x", "/admin/"):
        for actor in ("anonymous", "consultant with a claim"):
            response = house.client(actor).get(address)
            assert response.status_code == 404
            check_headers(response)


def test_only_two_cookies_are_set_and_both_are_bound_to_the_host(setup_connection: Connection) -> None:
    house = House(setup_connection)
    client = house.browser(house.carl)
    client.get("/")
    assert set(client.cookies) == {"__Host-sessionid", "__Host-csrftoken"}
    for cookie in client.cookies.values():
        assert cookie["secure"]
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"
        assert (cookie["path"], cookie["domain"]) == ("/", "")


# Nothing is revealed by a safe method


def test_no_safe_method_reveals_or_changes(setup_connection: Connection) -> None:
    house = House(setup_connection)
    query = house.form("reveal", "consultant with a claim") | {"page": 1, "open": 1, "number": 1}
    client = house.client("consultant with a claim")
    before = facts(setup_connection)
    for door in DOORS:
        for method in (client.get, client.head, client.options):
            text = method(house.address(door), query).content.decode()
            assert str(VALUES["contact.name"]) not in text, door
            assert "Gość" not in text, door
            assert facts(setup_connection) == before, door


# CSRF


def test_no_form_is_taken_without_its_token(setup_connection: Connection) -> None:
    """Each POST but the signed ones: those come without a browser."""
    house = House(setup_connection)
    actors = ("anonymous", "consultant with a claim", "people")
    clients = {actor: house.client(actor) for actor in actors}
    before = facts(setup_connection)
    for door in (door for door in DOORS if not door.startswith("api_")):
        for actor, client in clients.items():
            client.handler.enforce_csrf_checks = True
            response = client.post(house.address(door), house.form(door, actor))
            # Where no form is taken at all, the token is asked for first all the same. Whoever is signed in
            # already is led on from the forms that sign in.
            led_on = actor != "anonymous" and door in ("sign_in", "sign_in_code")
            assert response.status_code == (302 if led_on else 403), (door, actor)
            assert 'data-code="' not in response.content.decode(), door
    assert facts(setup_connection) == before


def test_with_its_token_a_form_is_taken(setup_connection: Connection) -> None:
    house = House(setup_connection)
    client = house.client("consultant with a claim")
    client.handler.enforce_csrf_checks = True
    page = client.get(house.address("account")).content.decode()
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    assert found is not None
    form = house.form("reveal", "consultant with a claim")
    assert client.post(house.address("reveal"), form).status_code == 403
    response = client.post(house.address("reveal"), form | {"csrfmiddlewaretoken": found[1]})
    assert response.status_code == 200
    assert str(VALUES["contact.name"]) in response.content.decode()


# Foreign ids


def foreign(house: House) -> list[tuple[str, str, dict[str, Any]]]:
    """Carl's things, as Anna asks for them: name, address, form."""
    world = house.world
    world.account("MOC-40009")
    world.ticket("ZD-10009", accounts=["MOC-40009"], assignee=house.carl)
    caller = world.session(house.carl)
    request = house.ask(caller, account="MOC-40009", ticket="ZD-10009")
    assert house.approve(request) == ""
    grant = Grant.objects.get(request=request).pk
    waiting = house.ask(caller, account="MOC-40009", ticket="ZD-10009", categories=["billing"])
    session = Session.objects.filter(member=house.carl.id).latest("id").pk
    review = house.asked_about(house.carl, grant)
    more = house.asked_more(house.carl)
    named = {"grant": grant, "fields": ["contact.name"], "ticket": "ZD-10009", "page": 1}
    of_account = ("account", "gate_state", "ask", "open_window", "reveal", "participants")
    return [
        *((name, reverse(name, args=["MOC-40009"]), named) for name in of_account),
        # Her own account, under his grant or by his ticket
        *((name, reverse(name, args=[REFERENCE]), named) for name in of_account[3:]),
        ("ticket", reverse("ticket", args=["ZD-10009"]), {}),
        *((name, reverse(name, args=[waiting]), {}) for name in ("approval", "withdraw")),
        ("approve", reverse("approve", args=[waiting]), {"categories": ["contact"]}),
        ("deny", reverse("deny", args=[waiting]), {"denial": "unclear"}),
        *((name, reverse(name, args=[more]), {}) for name in ("approve_more", "deny_more", "withdraw_more")),
        ("end_grant", reverse("end_grant", args=[grant]), {}),
        ("print_grant", reverse("print_grant", args=[grant]), {}),
        ("member_authorisations", reverse("member_authorisations", args=[house.carl.number]), {}),
        *(
            (name, reverse(name, args=[house.authorisation]), {})
            for name in ("authorisation_pdf", "withdraw_authorisation")
        ),
        *((name, reverse(name, args=[1]), {}) for name in ("nda_version", "nda_recall")),
        ("nda_file", reverse("nda_file", args=[house.signatures[house.carl.id]]), {}),
        ("entry", reverse("entry", args=[house.entry]), {}),
        ("nda_upload", reverse("nda_upload", args=[house.carl.number]), {}),
        ("end_deputy", reverse("end_deputy", args=[house.deputy]), {}),
        *(
            (name, reverse(name, args=[house.proposal]), {})
            for name in ("confirm_proposal", "decline_proposal")
        ),
        ("acknowledge_recovery", reverse("acknowledge_recovery", args=[house.recovery]), {}),
        ("end_session", reverse("end_session", args=[session]), {}),
        *((name, reverse(name, args=[review]), {}) for name in ("review", "review_affected")),
        ("review_answer", reverse("review_answer", args=[review]), {"text": "The customer wrote again."}),
        ("review_decide", reverse("review_decide", args=[review]), {"verdict": "in_order"}),
        ("member", reverse("member", args=[house.carl.number]), {}),
        ("member_action", reverse("member_action", args=[house.carl.number, "suspend"]), {}),
    ]


def test_what_is_anothers_is_refused_and_told_of_by_no_word(setup_connection: Connection) -> None:
    house = House(setup_connection)
    doors = foreign(house)
    with_paths = {p.name for p in patterns() if "<" in str(p.pattern)} - {"api_account", "invitation"}
    assert {name for name, *_ in doors} == with_paths
    client = house.client("consultant with a claim")
    before = facts(setup_connection)[:-1]
    for name, address, form in doors:
        method = "POST" if expected_any(name)["POST"]["people"] != "405" else "GET"
        response = (
            client.generic(method, address, urlencode(form, True), FORM)
            if method == "POST"
            else client.get(address)
        )
        assert response.status_code in (403, 404) or (name == "end_grant" and response.status_code == 302)
        text = response.content.decode()
        for word in ("Aldona", f"Member {house.carl.number}", "ZD-10009"):
            assert word not in text or name == "ticket" or word in address, (name, word)
    assert facts(setup_connection)[:-1] == before


FORM = "application/x-www-form-urlencoded"


def expected_any(name: str) -> dict[str, dict[str, str]]:
    return expected("member_action:suspend" if name == "member_action" else name)


@pytest.mark.parametrize(
    "name",
    [
        *("approval", "approve", "deny", "withdraw", "end_grant", "end_deputy"),
        *("approve_more", "deny_more", "withdraw_more"),
    ],
)
def test_a_number_that_does_not_exist_is_no_error(setup_connection: Connection, name: str) -> None:
    house = House(setup_connection)
    for number in (0, 999_999, 2**63 - 1):
        for actor in ("consultant with a claim", "manager of the team"):
            address = reverse(name, args=[number])
            client = house.client(actor)
            form = house.form(name, actor)
            response = client.get(address) if name == "approval" else client.post(address, form)
            assert response.status_code in (302, 403, 404)


# Extra fields

EXTRA = {
    "approver": "K-1000",
    "approver_id": 1,
    "status": "approved",
    "state": "approved",
    "verdict": "approve",
    "expires": "2099-01-01",
    "window_ends_at": "2099-01-01",
    "expires_at": "2099-01-01",
    "account": "MOC-40009",
    "account_id": 2,
    "member": "K-1000",
    "member_id": 1,
    "roles": "administrator",
    "views": 0,
}


def test_extra_fields_of_a_request_are_ignored(setup_connection: Connection) -> None:
    house = House(setup_connection)
    house.world.account("MOC-40009")
    client = house.client("consultant with a claim")
    client.post(house.address("ask"), house.form("ask", "consultant with a claim") | EXTRA)
    asked = AccessRequest.objects.get(ticket__number="ZD-10003")
    assert (asked.state, asked.decided_by, asked.decided_at) == ("pending", None, None)
    assert (asked.member_id, asked.account_id) == (house.anna.id, house.account)
    assert (asked.expires_at - asked.requested_at).total_seconds() == pytest.approx(8 * 3600, abs=60)
    assert not Grant.objects.filter(request=asked).exists()


def test_extra_fields_of_an_approval_are_ignored(setup_connection: Connection) -> None:
    house = House(setup_connection)
    client = house.client("manager of the team")
    form = house.form("approve", "manager of the team") | EXTRA
    client.post(house.address("approve"), form | {"account": "MOC-40009"})
    grant = Grant.objects.get(request=house.waiting)
    assert (grant.approver_id, grant.member_id) == (house.boss.id, house.anna.id)
    assert (grant.account_id, grant.window_ends_at) == (house.account, None)
    assert (grant.open_before - grant.approved_at).total_seconds() == pytest.approx(8 * 3600, abs=60)


def test_extra_fields_of_a_reveal_and_of_settings_are_ignored(setup_connection: Connection) -> None:
    house = House(setup_connection)
    client = house.client("consultant with a claim")
    form = {"grant": house.grant, "fields": ["company.name"]} | EXTRA | {"categories": ["company"]}
    response = client.post(house.address("reveal"), form)
    assert response.status_code == 403
    assert str(VALUES["company.name"]) not in response.content.decode()
    client.post(house.address("preferences"), EXTRA | {"theme": "dark", "suspended_at": ""})
    changed = member(house.anna)
    assert (changed.theme, changed.roles) == ("dark", ["consultant"])
