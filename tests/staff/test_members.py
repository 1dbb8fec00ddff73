"""The pages of members and of what waits for a second person; deputies; the test of mail."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from audit.models import Entry
from gatekeeper.access import deputies
from gatekeeper.models import Deputy
from staff.frame import background
from staff.models import Member, Proposal
from tests.conftest import Connection
from tests.world import Person, World, now
from tests.world.house import NEW, House, newest, state_of
from tests.world.names import UNREADABLE_NAMES
from tests.world.notices import none_taken
from tests.world.people import give_factors, member, password_of, sign_in

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


@pytest.fixture
def house(setup_connection: Connection) -> House:
    return House(World(setup_connection))


# Pages


def desk(house: House, person: Person) -> Client:
    """A browser in which somebody is signed in."""
    give_factors(house.world, person)
    return sign_in(house.world, person)


def test_proposing_and_confirming_through_the_pages(house: House) -> None:
    ewa, ola = desk(house, house.ewa), desk(house, house.ola)
    address = f"/members/{house.anna.number}/"
    answer = ewa.post(f"{address}roles/", {"roles-roles": ["consultant", "manager"]}, follow=True)
    words = answer.content.decode()
    assert "It counts when somebody else has confirmed it." in words
    assert "consultant → consultant, manager" in words
    proposal = Proposal.objects.get().pk
    own = ewa.get("/proposals/").content.decode()
    assert f"/proposals/{proposal}/confirm" not in own
    assert "Take back" in own
    assert 'class="count">1' not in own
    seen = ola.get("/proposals/").content.decode()
    assert f"/proposals/{proposal}/confirm" in seen
    assert 'class="count">1' in seen  # in the rail, on every page of theirs
    answer = ola.post(f"/proposals/{proposal}/confirm", follow=True)
    assert "it counts now" in answer.content.decode()
    assert member(house.anna).roles == ["consultant", "manager"]
    history = ewa.get(address).content.decode()
    assert member(house.ola).name in history
    assert ola.post(f"/proposals/{proposal}/confirm").status_code == 409


def test_each_decision_that_is_refused_says_why(house: House) -> None:
    ewa = desk(house, house.ewa)
    proposal = house.propose()
    refused = ewa.post(f"/proposals/{proposal}/confirm")
    assert refused.status_code == 409
    assert "Another person has to do this" in refused.content.decode()
    assert ewa.post("/proposals/999999/confirm").status_code == 404
    assert ewa.get(f"/proposals/{proposal}/confirm")["Location"] == "/proposals/"
    assert "Declined" in ewa.post(f"/proposals/{proposal}/decline", follow=True).content.decode()
    assert state_of(proposal) == "withdrawn"


def test_attack_01_16_17_forged_fields_change_nothing(house: House) -> None:
    """Who proposed, who decides, which state: none of it comes from a form or an address."""
    ewa, jan = desk(house, house.ewa), desk(house, house.jan)
    forged = {
        "roles-roles": ["people"],
        "proposed_by": str(house.jan.id),
        "state": "confirmed",
        "decided_by": str(house.ola.id),
        "subject": str(house.ewa.id),
        "expires_at": "2099-01-01",
        "confirm": "1",
        "roles": ["administrator"],
        "starts_on": "2019-01-01",
    }
    ewa.post(f"/members/{house.anna.number}/roles/", forged)
    one = Proposal.objects.get()
    assert (one.subject_id, one.proposed_by_id, one.state) == (house.anna.id, house.ewa.id, "pending")
    assert one.value == ["people"]
    assert one.expires_at < timezone.now() + timedelta(days=8)
    assert ewa.post(f"/proposals/{one.pk}/confirm", {"by": house.jan.number}).status_code == 409
    jan.post(
        f"/proposals/{one.pk}/confirm?value=administrator",
        {"value": '["administrator"]', "fact": "roles", "subject": str(house.jan.id)},
    )
    assert member(house.anna).roles == ["people"]
    assert member(house.jan).roles == ["people"]
    new = {"number": "K-5001", "name": "Iza", "email": "iza@firma.example", "language": "pl", "roles": ""}
    ewa.post("/members/new/", new | {"password": "x", "is_staff": "1", "left_on": "2020-01-01", "id": "1"})
    iza = Member.objects.get(number="K-5001")
    assert (password_of(iza), iza.left_on, iza.roles) == ("!", None, [])


@pytest.mark.parametrize("name", [*UNREADABLE_NAMES, "a\0b", "Ada\u2028Love"])
def test_a_name_that_nobody_could_read_is_refused(house: House, name: str) -> None:
    ewa, before = desk(house, house.ewa), member(house.anna).name
    answer = ewa.post(f"/members/{house.anna.number}/name/", {"name-name": name})
    assert answer.status_code == 422
    assert "A name has letters" in answer.content.decode()
    assert member(house.anna).name == before


@pytest.mark.parametrize(
    "name", ["José O'Neill", "\u738b\u5c0f\u660e", "\u0639\u0644\u064a", "\u0645\u06cc\u200c\u062e"]
)
def test_every_alphabet_has_names(house: House, name: str) -> None:
    ewa = desk(house, house.ewa)
    assert ewa.post(f"/members/{house.anna.number}/name/", {"name-name": name}).status_code == 302
    assert member(house.anna).name == name


def test_a_new_member_through_the_page_gets_a_link_and_a_mail(
    house: House, settings: Any, mailoutbox: list[Any]
) -> None:
    settings.EMAIL_HOST = "mail.firma.example"
    ewa = desk(house, house.ewa)
    form = NEW | {"starts_on": "", "manager": "", "roles": ["consultant", "manager"]}
    words = ewa.post("/members/new/", form).content.decode()
    assert "/invitation/" not in words
    assert "was mailed to iza@firma.example" in words
    assert "somebody else has confirmed" in words
    background.finish()
    told = {address: mail.body for mail in mailoutbox for address in mail.to}
    assert "/invitation/" in told["iza@firma.example"]
    assert "/proposals/" in told[member(house.jan).email]
    assert "/proposals/" in told[member(house.ola).email]
    assert member(house.ewa).email not in told
    assert not any(name in body for body in told.values() for name in ("Iza", "K-5001"))
    assert ewa.post("/members/new/", form).status_code == 409
    assert ewa.post("/members/new/", form | {"email": "none"}).status_code == 422
    assert ewa.post("/members/new/", form | {"email": "\u0131za@firma.example"}).status_code == 422


def test_a_new_member_who_waits_and_the_notices_are_one(house: House, settings: Any) -> None:
    settings.EMAIL_HOST = "mail.firma.example"
    ewa = desk(house, house.ewa)
    with none_taken(house.world):
        ewa.post("/members/new/", NEW | {"starts_on": "", "manager": "", "roles": ["consultant", "manager"]})
    assert not Member.objects.filter(number="K-5001").exists()


def test_without_mail_everything_works(house: House, mailoutbox: list[Any]) -> None:
    words = desk(house, house.ewa).post("/members/new/", NEW | {"starts_on": "", "manager": ""})
    assert "/invitation/" in words.content.decode()
    assert "mailed" not in words.content.decode()
    assert mailoutbox == []


def test_what_cannot_be_undone_is_asked_once_more(house: House) -> None:
    ewa = desk(house, house.ewa)
    address = f"/members/{house.anna.number}/"
    asked = ewa.post(f"{address}leave/", {"leave-day": "2026-01-01"})
    assert asked.status_code == 200
    assert 'name="leave-day" value="2026-01-01"' in asked.content.decode()
    assert member(house.anna).left_on is None
    assert ewa.post(f"{address}leave/", {"leave-day": "2040-01-01"}).status_code == 302
    assert "cannot be undone" in ewa.post(f"{address}suspend/").content.decode()
    assert member(house.anna).suspended_at is None
    assert ewa.post(f"{address}suspend/", {"sure": "1"}).status_code == 302
    assert member(house.anna).suspended_at is not None


def test_who_may_not_is_not_asked_whether_they_are_sure(house: House) -> None:
    asked = desk(house, house.ola).post(f"/members/{house.anna.number}/suspend/")
    assert asked.status_code == 403
    assert member(house.anna).name not in asked.content.decode()


def listed(client: Client, **form: str) -> str:
    """The list as it is narrowed by a form."""
    return str(client.post("/members/", form).content.decode())


def test_the_list_is_filtered_by_state_and_role(house: House) -> None:
    ewa = desk(house, house.ewa)
    house.world.quietly("staff_member", house.boss.id, suspended_at=now())
    house.world.quietly("staff_member", house.jan.id, left_on=date(2026, 1, 1))
    house.world.quietly("staff_member", house.ola.id, starts_on=None)
    found = {
        state: {
            name
            for name in ("ewa", "jan", "ola", "boss", "anna")
            if f"/members/{getattr(house, name).number}/" in listed(ewa, state=state)
        }
        for state in ("", "working", "suspended", "left", "not_started")
    }
    assert found == {
        "": {"ewa", "jan", "ola", "boss", "anna"},
        "working": {"ewa", "anna"},
        "suspended": {"boss"},
        "left": {"jan"},
        "not_started": {"ola"},
    }
    shown = listed(ewa, role="administrator")
    assert house.ola.number in shown
    assert house.anna.number not in shown


def test_a_manager_sees_a_member_but_no_proposal(house: House) -> None:
    house.propose("roles", ["people"])
    shown = desk(house, house.boss).get(f"/members/{house.anna.number}/").content.decode()
    assert "Waiting for a second person" not in shown
    assert "people officer →" not in shown


# Deputies


def test_nobody_is_their_own_deputy_and_naming_one_is_recorded(house: House) -> None:
    other = house.hire("manager")
    boss = desk(house, house.boss)
    today = timezone.localdate()
    span = {"begins": today.isoformat(), "ends": (today + timedelta(days=3)).isoformat()}
    assert boss.post("/team/deputies", span | {"deputy": house.boss.number}).status_code == 422
    assert boss.post("/team/deputies", span | {"deputy": house.anna.number}).status_code == 422
    assert boss.post("/team/deputies", span | {"deputy": other.number}).status_code == 302
    entry = newest()
    assert (entry.event, entry.outcome, entry.member) == ("change", "allowed", house.boss.number)
    assert isinstance(entry.details, dict)
    assert entry.details["deputy"] == other.number
    caller = house.by(house.boss)
    begins, ends = timezone.now(), timezone.now() + timedelta(days=1)
    assert deputies.name(caller, deputy=house.boss.number, begins_at=begins, ends_at=ends)
    past = begins - timedelta(days=2)
    assert deputies.name(caller, deputy=other.number, begins_at=past, ends_at=ends)
    assert Deputy.objects.count() == 1


# The test of mail


def test_where_no_mail_is_configured_the_page_says_so(house: House) -> None:
    ola = desk(house, house.ola)
    words = ola.get("/checks/").content.decode()
    assert "Not configured" in words
    assert "GATEKEEPER_MAIL_URL" in words
    assert "/checks/mail" not in words
    assert "No mail server is configured." in ola.post("/checks/mail", follow=True).content.decode()


def test_an_administrator_sends_themselves_a_test(house: House, settings: Any, mailoutbox: list[Any]) -> None:
    settings.EMAIL_HOST, settings.DEFAULT_FROM_EMAIL = "mail.firma.example", "gk@firma.example"
    ola = desk(house, house.ola)
    assert "/checks/mail" in ola.get("/checks/").content.decode()
    answer = ola.post("/checks/mail", {"to": "victim@other.example"}, follow=True)
    assert "took the test" in answer.content.decode()
    assert [mail.to for mail in mailoutbox] == [[member(house.ola).email]]
    entry = Entry.objects.get(object_repr="test mail")
    assert (entry.event, entry.outcome, entry.member) == ("change", "allowed", house.ola.number)
    assert ola.get("/checks/mail")["Location"] == "/checks/"


def test_a_server_that_is_not_there_is_told_in_words_without_values(
    house: House, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.EMAIL_BACKEND = "staff.frame.smtp.EmailBackend"
    with closed_port() as port:
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_SSL = "127.0.0.1", port, False
        answer = desk(house, house.ola).post("/checks/mail", follow=True)
    assert "refused the connection" in answer.content.decode()
    entry = Entry.objects.get(object_repr="test mail")
    assert (entry.outcome, entry.changes_text) == ("failed", "ConnectionRefusedError")
    assert member(house.ola).email not in caplog.text
    assert str(port) not in caplog.text


@contextmanager
def closed_port() -> Iterator[int]:
    """A port at which nobody listens: it is taken, and never listened at."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]
