"""A forgotten password, and one changed of one's own accord: the second factor stays in every case."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from auditlog.context import set_extra_data
from django.contrib.auth.hashers import check_password
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from audit.models import Entry
from staff.frame import background
from staff.models import Invitation, Session
from staff.sign_in import invitations, passwords
from staff.sign_in.hashing import made
from tests.conftest import Connection
from tests.world import Person, World
from tests.world.notices import none_recorded, none_taken
from tests.world.people import (
    PASSWORD,
    device_of,
    fresh_code,
    give_factors,
    give_password,
    member,
    password_of,
    sign_in,
)

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
NEW = "another four quiet otters"
ADDRESS = "anna@firma.example"


@pytest.fixture
def world(setup_connection: Connection) -> World:
    return World(setup_connection)


@pytest.fixture
def anna(world: World) -> Person:
    person = world.member("consultant", email=ADDRESS)
    give_factors(world, person)
    return person


@pytest.fixture(autouse=True)
def mails(settings: Any) -> Iterator[None]:
    """Mail is set up, and arrives in `mail.outbox`; nothing of a test is done after it."""
    settings.EMAIL_HOST = "mail.firma.example"
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    yield
    background.finish()


def forget(email: str = ADDRESS, **options: Any) -> Any:
    """Ask for a link, and wait until what follows is done."""
    answer = Client(**options).post(reverse("forgot"), {"email": email})
    background.finish()
    return answer


def link() -> str:
    """The path of the link in the newest mail."""
    found = re.search(r"https?://[^/\s]+(/invitation/\S+/)", str(mail.outbox[-1].body))
    assert found is not None
    return found[1]


def set_new(client: Client, address: str, password: str = NEW) -> Any:
    return client.post(address, {"password": password, "again": password})


# Forgotten


def test_a_link_by_mail_sets_a_new_password_and_the_second_factor_is_still_asked(
    world: World, anna: Person
) -> None:
    elsewhere = sign_in(world, anna)
    key = device_of(anna).key
    forget()
    assert [one.to for one in mail.outbox] == [[ADDRESS]]
    client = Client()
    assert set_new(client, link())["Location"] == "/sign-in/code/"
    assert client.get(reverse("profile"))["Location"].startswith("/sign-in/code/")
    assert "why=session_ended" in elsewhere.get(reverse("profile"))["Location"]
    client.post(reverse("sign_in_code"), {"code": fresh_code(world, anna)})
    assert client.get(reverse("profile")).status_code == 200
    assert device_of(anna).key == key
    assert give_password(Client(), anna).status_code == 200
    assert give_password(Client(), anna, NEW).status_code == 302


def test_what_happened_is_recorded_and_mailed_without_a_value(world: World, anna: Person) -> None:
    forget(REMOTE_ADDR="192.0.2.7")
    address = link()
    asked = Entry.objects.get(object_repr="password link mailed")
    assert (asked.event, asked.member, str(asked.remote_addr)) == ("change", anna.number, "192.0.2.7")
    assert asked.actor_id is None
    set_new(Client(), address)
    assert Entry.objects.get(changes__has_key="password").changes == {"password": ["", ""]}
    background.finish()
    assert mail.outbox[-1].subject == "Your password was changed"
    token = address.split("/")[2]
    assert token not in repr(list(Entry.objects.values())) + repr(list(Invitation.objects.values()))
    assert bytes(Invitation.objects.get().digest) == invitations.digest_of(token)
    for one in mail.outbox:
        assert "Member K-" not in str(one.body)
        assert ADDRESS not in str(one.body)


def test_a_link_is_good_once_and_for_an_hour(world: World, anna: Person) -> None:
    forget()
    address, row = link(), Invitation.objects.get()
    assert timedelta(minutes=59) < row.expires_at - timezone.now() <= timedelta(hours=1)
    assert Client().get(address).status_code == 200
    assert set_new(Client(), address).status_code == 302
    assert Client().get(address).status_code == 404
    assert set_new(Client(), address, "a third password, long").status_code == 404
    assert check_password(NEW, password_of(anna))
    world.change("staff_invitation", row.pk, used_at=None, expires_at=timezone.now())
    assert Client().get(address).status_code == 404


def test_of_two_that_use_a_link_at_once_the_second_is_late(world: World, anna: Person) -> None:
    forget()
    found = invitations.redeem(link().split("/")[2])
    assert found is not None
    with set_extra_data({"member": anna.number, "member_name": "Anna", "cid": "c-1"}):  # as a page does
        assert passwords.use(found, made(NEW))
        assert not passwords.use(found, made("a third password, long"))
    assert check_password(NEW, password_of(anna))


def test_a_newer_link_ends_the_one_before(world: World, anna: Person) -> None:
    forget()
    first = link()
    world.setup.execute("UPDATE staff_invitation SET created_at = created_at - interval '6 minutes'")
    forget()
    assert Client().get(first).status_code == 404
    assert Client().get(link()).status_code == 200


def test_a_link_for_a_password_enrols_no_factor(world: World, anna: Person) -> None:
    forget()
    world.setup.execute("DELETE FROM staff_totpdevice")
    client = Client()
    set_new(client, link())
    for method in (client.get, client.post):
        answer = method(reverse("enrol"))
        assert answer.status_code == 403
    assert client.get(reverse("profile"))["Location"].startswith("/sign-in/enrol/")


def test_an_officers_link_sets_a_password_as_well(world: World, anna: Person) -> None:
    client = sign_in(world, anna)
    address = invitations.path_of(invitations.invite(member(anna)))
    assert set_new(Client(), address)["Location"] == "/sign-in/code/"
    assert "why=session_ended" in client.get(reverse("profile"))["Location"]


# What an attacker learns, and can do


def test_the_answer_is_the_same_for_known_unknown_and_barred(world: World, anna: Person) -> None:
    left = world.member("consultant", left_on=timezone.localdate() - timedelta(days=2))
    give_factors(world, left)
    invited = world.member("consultant")  # has no password yet
    emails = [ADDRESS, "nobody@firma.example", member(left).email, member(invited).email]
    answers, costs = [], []
    for number, email in enumerate(emails):
        client = Client(REMOTE_ADDR=f"192.0.2.{number}")
        client.get(reverse("forgot"))
        with CaptureQueriesContext(connection) as queries:
            answer = client.post(reverse("forgot"), {"email": email})
        costs.append([re.sub(r"[0-9a-f]{64}|'[^']*'|\d+", "?", one["sql"]) for one in queries])
        page = re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", answer.content.decode())
        answers.append((answer.status_code, page))
        background.finish()
    assert len(set(answers)) == 1
    assert all(cost == costs[0] for cost in costs)
    assert len(mail.outbox) == 1


def test_nobodys_mailbox_is_flooded(world: World, anna: Person) -> None:
    answers = [forget(REMOTE_ADDR=f"192.0.2.{number}").status_code for number in range(5)]
    assert answers == [200] * 5
    assert len(mail.outbox) == 1
    assert Entry.objects.filter(object_repr="password link mailed").count() == 1


def test_asking_without_end_is_stopped_for_known_and_unknown_alike(world: World, anna: Person) -> None:
    for email in (ADDRESS, "nobody@firma.example"):
        answers = [forget(email).status_code for _ in range(12)]
        assert answers == [200] * 10 + [429] * 2
    assert give_password(Client(), anna).status_code == 302  # signing in is another count


def test_a_mail_that_cannot_be_sent_stops_nobody(world: World, anna: Person, settings: Any) -> None:
    settings.EMAIL_BACKEND = "staff.frame.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    assert forget().status_code == 200


def test_without_mail_the_page_says_whom_to_ask(world: World, anna: Person, settings: Any) -> None:
    settings.EMAIL_HOST = ""
    assert "people officer" in Client().get(reverse("forgot")).content.decode()
    assert forget().status_code == 200
    assert not Invitation.objects.exists()


# Of one's own accord


def test_the_old_password_and_a_fresh_proof_change_it_and_end_the_others(world: World, anna: Person) -> None:
    here, there = sign_in(world, anna), sign_in(world, anna)
    old_key = here.cookies["__Host-sessionid"].value
    form = {"old": PASSWORD, "password": NEW, "again": NEW}
    assert here.post(reverse("change_password"), form)["Location"] == reverse("profile")
    assert here.get(reverse("profile")).status_code == 200
    assert here.cookies["__Host-sessionid"].value != old_key
    assert "why=session_ended" in there.get(reverse("profile"))["Location"]
    assert check_password(NEW, password_of(anna))
    background.finish()
    assert mail.outbox[-1].subject == "Your password was changed"
    assert Session.objects.filter(ended_at=None).count() == 1


def test_a_new_password_and_its_notice_are_one(world: World, anna: Person) -> None:
    client = sign_in(world, anna)
    for not_done in (none_taken, none_recorded):
        with not_done(world):
            client.post(reverse("change_password"), {"old": PASSWORD, "password": NEW, "again": NEW})
    assert check_password(PASSWORD, password_of(anna))


def test_a_stale_proof_comes_first_and_no_password_is_carried(world: World, anna: Person) -> None:
    client = sign_in(world, anna)
    world.setup.execute("UPDATE staff_session SET verified_at = now() - interval '6 minutes'")
    form = {"old": PASSWORD, "password": NEW, "again": NEW}
    for answer in (client.get(reverse("change_password")), client.post(reverse("change_password"), form)):
        assert answer["Location"].startswith("/step-up/?next=")
        assert NEW not in client.get(answer["Location"]).content.decode()
    assert check_password(PASSWORD, password_of(anna))


@pytest.mark.parametrize(
    ("old", "new"),
    [("not the password at all", NEW), (PASSWORD, "fourteen chars"), (PASSWORD, "manchesterunited")],
)
def test_a_wrong_old_one_or_a_weak_new_one_changes_nothing(
    world: World, anna: Person, old: str, new: str
) -> None:
    client = sign_in(world, anna)
    answer = client.post(reverse("change_password"), {"old": old, "password": new, "again": new})
    assert answer.status_code == 200
    assert answer.context["form"].errors
    assert check_password(PASSWORD, password_of(anna))
    assert new not in answer.content.decode()
