"""Signing in: both factors, one-time links, and what an attacker learns (nothing)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import argon2
import pytest
from argon2 import low_level
from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher, is_password_usable, make_password
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import Entry
from staff.frame.emails import normalise
from staff.models import Invitation, Member, Session
from staff.secrets import totp
from staff.sign_in import factors, invitations
from tests.conftest import Connection
from tests.world import Person, World
from tests.world.people import (
    PASSWORD,
    code_at,
    device_of,
    fresh_code,
    give_factors,
    give_password,
    member,
    password_of,
    sign_in,
)

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
NEW_PASSWORD = "eleven patient herons"


@pytest.fixture
def world(setup_connection: Connection) -> World:
    return World(setup_connection)


@pytest.fixture
def anna(world: World) -> Person:
    person = world.member("consultant", email="anna@firma.example")
    give_factors(world, person)
    return person


def entries() -> list[tuple[str, str, str, str]]:
    """Event, stage, member and reason of all entries, oldest first."""
    rows = Entry.objects.order_by("id")
    return [(e.event, e.object_repr, e.member, e.reason) for e in rows]


# Addresses


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        (" Anna@Firma.EXAMPLE ", "anna@firma.example"),
        ("ａnna@firma.example", "anna@firma.example"),  # noqa: RUF001 - a full-width letter
        ("STRASSE@x.example", normalise("straße@x.example")),
    ],
)
def test_one_form_of_an_address(typed: str, stored: str) -> None:
    assert normalise(typed) == stored
    assert normalise(stored) == stored


# Password and code


def test_both_factors_and_nothing_before_the_second(world: World, anna: Person) -> None:
    client = Client()
    response = give_password(client, anna, next="/profile/")
    assert response["Location"] == "/sign-in/code/?next=%2Fprofile%2F"
    for name in ("profile", "members", "ndas", "step_up"):
        assert client.get(reverse(name))["Location"].startswith("/sign-in/code/")
    code = fresh_code(world, anna)
    response = client.post(reverse("sign_in_code"), {"code": code, "next": "/profile/"})
    assert response["Location"] == "/profile/"
    assert client.get("/profile/").status_code == 200
    assert entries() == [
        ("sign_in", "password", anna.number, ""),
        ("sign_in", "code", anna.number, ""),
    ]
    newest = Entry.objects.order_by("-id")[0]
    assert (newest.session, newest.factor) == (Session.objects.get().pk, "totp")
    assert newest.actor_email is None


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:x", "\\\\x"])
def test_next_never_leads_away(world: World, anna: Person, target: str) -> None:
    client = Client()
    give_password(client, anna)
    form = {"code": fresh_code(world, anna), "next": target}
    assert client.post(reverse("sign_in_code"), form)["Location"] == "/"


def _wrong_password(world: World, anna: Person) -> dict[str, str]:
    return {"email": "anna@firma.example", "password": "not the password at all"}


def _unknown(world: World, anna: Person) -> dict[str, str]:
    return {"email": "nobody-hunter2@firma.example", "password": PASSWORD}


def _suspended(world: World, anna: Person) -> dict[str, str]:
    world.quietly("staff_member", anna.id, suspended_at=timezone.now())
    return {"email": "anna@firma.example", "password": PASSWORD}


def _left(world: World, anna: Person) -> dict[str, str]:
    yesterday = timezone.localdate() - timedelta(days=1)
    world.quietly("staff_member", anna.id, left_on=yesterday)
    return {"email": "anna@firma.example", "password": PASSWORD}


@pytest.mark.parametrize(
    ("arrange", "reason"),
    [
        (_wrong_password, "password_wrong"),
        (_unknown, "email_unknown"),
        (_suspended, "member_suspended"),
        (_left, "member_left"),
    ],
)
def test_every_failure_reads_the_same(
    world: World, anna: Person, arrange: Callable[[World, Person], dict[str, str]], reason: str
) -> None:
    response = Client().post(reverse("sign_in"), arrange(world, anna))
    assert response.status_code == 200
    assert response.context["form"].non_field_errors() == ["The e-mail or the password is wrong."]
    assert not Session.objects.exists()
    entry = Entry.objects.get()
    assert (entry.event, entry.outcome, entry.reason) == ("sign_in_failed", "refused", reason)
    assert entry.member == ("" if reason == "email_unknown" else anna.number)
    assert "hunter2" not in repr(entry.__dict__)


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int, int]]:
    """What each hash of the Argon2 library costs (rounds, memory in KiB, lanes), as it is computed."""
    computed: list[tuple[int, int, int]] = []
    hash_secret, verify_secret = low_level.hash_secret, low_level.verify_secret

    def hashed(secret: bytes, salt: bytes, *costs: Any, **named: Any) -> bytes:
        encoded = hash_secret(secret, salt, *costs, **named)
        noted(encoded)
        return encoded

    def verified(encoded: bytes, *rest: Any, **named: Any) -> bool:
        noted(encoded)
        return verify_secret(encoded, *rest, **named)

    def noted(encoded: bytes) -> None:
        costs = argon2.extract_parameters(encoded.decode("ascii"))
        computed.append((costs.time_cost, costs.memory_cost, costs.parallelism))

    monkeypatch.setattr(low_level, "hash_secret", hashed)
    monkeypatch.setattr("argon2._password_hasher.verify_secret", verified)
    return computed


def test_every_failure_costs_the_same(
    world: World, anna: Person, hashes: list[tuple[int, int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Counted, not timed: a hash is nearly all that an attempt takes, and a busy machine shows no times.
    monkeypatch.setattr(Argon2PasswordHasher, "time_cost", 3)  # no default of the library
    world.change("staff_member", anna.id, password=make_password(PASSWORD))
    hashes.clear()
    for arrange in (_wrong_password, _unknown, _suspended, _left):
        Client().post(reverse("sign_in"), arrange(world, anna))
    hasher = Argon2PasswordHasher()
    assert hashes == [(3, hasher.memory_cost, hasher.parallelism)] * 4


def test_a_code_is_good_once_also_with_white_space(world: World, anna: Person) -> None:
    code = fresh_code(world, anna)
    someone = member(anna)
    assert factors.verify(someone, f" {code[:3]} {code[3:]}\t") is not None
    assert factors.verify(someone, code) is None
    assert factors.verify(someone, f"{code[:3]}\u00a0{code[3:]}") is None


def test_a_code_is_good_once_also_in_parallel(world: World, anna: Person) -> None:
    code, results = fresh_code(world, anna), []
    start = threading.Barrier(6)

    def attempt() -> None:
        start.wait()
        results.append(factors.verify(member(anna), code) is not None)
        connections.close_all()

    threads = [threading.Thread(target=attempt) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results.count(True) == 1


@pytest.mark.parametrize("seconds", [-90, 90, 3600])
def test_a_code_of_another_time_is_wrong(world: World, anna: Person, seconds: int) -> None:
    assert factors.verify(member(anna), code_at(anna, seconds=seconds)) is None


@pytest.mark.parametrize("code", ["", "12345", "1234567", "١٢٣٤٥٦", "abcdef", "-12345"])
def test_what_is_no_code_is_wrong(world: World, anna: Person, code: str) -> None:
    assert totp.matching_step(device_of(anna).key, code, after=-1) is None


def test_wrong_codes_are_slowed_down(world: World, anna: Person) -> None:
    client = Client()
    give_password(client, anna)
    for _ in range(3):
        world.change("staff_totpdevice", device_of(anna).pk, throttling_failure_timestamp=None)
        client.post(reverse("sign_in_code"), {"code": "000000"})
    response = client.post(reverse("sign_in_code"), {"code": fresh_code(world, anna)})
    assert response.status_code == 200
    assert "seconds" in " ".join(response.context["form"].errors["code"])
    assert entries()[-1][3] == "code_throttled"
    assert Session.objects.get().verified_at is None


def test_the_key_of_a_factor_does_not_stand_in_the_table(world: World, anna: Person) -> None:
    device = device_of(anna)
    assert device.key not in bytes(device.encrypted_key)
    assert len(device.key) == 20


def test_a_factor_that_is_gone_verifies_no_session(world: World, anna: Person) -> None:
    client = sign_in(world, anna)
    world.change("staff_totpdevice", device_of(anna).pk, confirmed=False)
    assert client.get(reverse("profile"))["Location"].startswith("/sign-in/enrol/")


def test_step_up_leads_back(world: World, anna: Person) -> None:
    client = sign_in(world, anna)
    old = timezone.now() - timedelta(hours=1)
    world.change("staff_session", Session.objects.get().pk, verified_at=old)
    form = {"_code": fresh_code(world, anna), "next": "/profile/"}
    assert client.post(reverse("step_up"), form)["Location"] == "/profile/"
    verified_at = Session.objects.get().verified_at
    assert verified_at is not None
    assert verified_at > old
    assert entries()[-1] == ("sign_in", "step-up", anna.number, "")


def test_signing_out_is_a_post_and_an_entry(world: World, anna: Person) -> None:
    client = sign_in(world, anna)
    assert client.get(reverse("sign_out"))["Location"] == "/"
    client.post(reverse("sign_out"))
    assert entries()[-1] == ("sign_out", "", anna.number, "")


# One-time links


@pytest.fixture
def ewa(world: World) -> Person:
    return world.member("consultant")


def set_password(client: Client, address: str, password: str = NEW_PASSWORD) -> Any:
    return client.post(address, {"password": password, "again": password})


def test_a_link_sets_password_and_factor_and_is_then_over(world: World, ewa: Person) -> None:
    address = invitations.path_of(invitations.invite(member(ewa)))
    client = Client()
    assert client.get(address).status_code == 200
    assert set_password(client, address)["Location"] == "/sign-in/enrol/"
    page = client.get(reverse("enrol"))
    assert b"<svg" in page.content
    assert b"style=" not in page.content
    key = device_of(ewa).key
    assert client.post(reverse("enrol"), {"code": "000000"}).status_code == 200
    assert device_of(ewa).key == key  # the same key, for the one in the application
    response = client.post(reverse("enrol"), {"code": fresh_and_unthrottled(world, ewa)})
    assert len(response.context["codes"]) == 10
    assert client.post(reverse("recovery_kept"))["Location"] == "/"
    assert client.get(reverse("profile")).status_code == 200
    assert Client().get(address).status_code == 404
    assert ("change", "totp added", ewa.number, "") in entries()


def fresh_and_unthrottled(world: World, person: Person) -> str:
    code = fresh_code(world, person)
    world.change("staff_totpdevice", device_of(person).pk, throttling_failure_count=0)
    return code


def test_each_showing_makes_another_key(world: World, ewa: Person) -> None:
    address = invitations.path_of(invitations.invite(member(ewa)))
    client = Client()
    set_password(client, address)
    client.get(reverse("enrol"))
    key = device_of(ewa).key
    client.get(reverse("enrol"))
    assert device_of(ewa).key != key


@pytest.mark.parametrize(
    "password", ["fourteen chars", "123456789123456789", "manchesterunited", "different ones"]
)
def test_weak_passwords_are_refused(world: World, ewa: Person, password: str) -> None:
    address = invitations.path_of(invitations.invite(member(ewa)))
    response = set_password(Client(), address, password)
    assert response.status_code == 200
    assert response.context["form"].errors
    assert not is_password_usable(password_of(ewa))


def test_passwords_are_kept_as_argon2id(world: World, ewa: Person) -> None:
    set_password(Client(), invitations.path_of(invitations.invite(member(ewa))), "ä" * 200)
    assert password_of(ewa).startswith("argon2$argon2id$")


def test_a_changed_password_is_recorded_without_a_value(world: World, ewa: Person) -> None:
    set_password(Client(), invitations.path_of(invitations.invite(member(ewa))))
    entry = Entry.objects.get(changes__has_key="password")
    assert entry.changes == {"password": ["", ""]}
    assert entry.member == ewa.number


def test_a_password_alone_enrols_nothing(world: World, ewa: Person) -> None:
    set_password(Client(), invitations.path_of(invitations.invite(member(ewa))))
    thief = Client()
    give_password(thief, ewa, NEW_PASSWORD)
    assert thief.get(reverse("enrol")).status_code == 403
    assert thief.post(reverse("enrol"), {"code": "123456"}).status_code == 403


def test_a_link_for_a_lost_password_keeps_the_second_factor(world: World, anna: Person) -> None:
    address = invitations.path_of(invitations.invite(member(anna)))
    key, client = device_of(anna).key, Client()
    assert set_password(client, address)["Location"] == "/sign-in/code/"
    assert client.get(reverse("enrol"))["Location"] == "/sign-in/code/"
    assert device_of(anna).key == key
    client.post(reverse("sign_in_code"), {"code": fresh_code(world, anna)})
    assert Client().get(address).status_code == 404


def test_links_end(world: World, ewa: Person) -> None:
    first = invitations.invite(member(ewa))
    second = invitations.invite(member(ewa))
    assert invitations.redeem(first) is None
    assert invitations.redeem(second) is not None
    link = Invitation.objects.latest("pk")
    assert timedelta(hours=23) < link.expires_at - timezone.now() <= timedelta(hours=24)
    assert second not in repr(Invitation.objects.values())
    world.change("staff_invitation", link.pk, expires_at=timezone.now())
    assert Client().get(invitations.path_of(second)).status_code == 404
    assert Client().get(invitations.path_of("unknown")).status_code == 404


def test_a_founder_has_a_week_and_is_founded_once(world: World) -> None:
    path = invitations.found("K-0001", "Ona Pirmoji", "Ona@Firma.example", "people")
    assert Client().get(path).status_code == 200
    again = invitations.found("K-0001", "Ona Pirmoji", "ona@firma.example", "people")
    assert Client().get(path).status_code == 404
    assert Client().get(again).status_code == 200
    with pytest.raises(invitations.InvitationError):
        invitations.found("K-0001", "Ona Pirmoji", "ona@firma.example", "administrator")
    founder = Member.objects.get(number="K-0001")
    (signature,) = founder.signatures.all()
    assert signature.form == "founding"
    assert signature.valid_until - signature.signed_at == timedelta(days=7)
    recorded = [(e.event, e.reason) for e in Entry.objects.order_by("id")]
    done, refused = ("change", ""), ("change", "value_refused")
    assert recorded == [done, ("sign", ""), done, done, refused]
    assert all(e.source.startswith(("bootstrap (", "invite (")) for e in Entry.objects.all())


# Languages


def test_the_language_is_the_members_or_the_visitors_wish(world: World, anna: Person) -> None:
    client = Client()
    assert client.get(reverse("sign_in"))["Content-Language"] == "en"
    polish = {"Accept-Language": "de-DE,pl-PL;q=0.8"}
    assert client.get(reverse("sign_in"), headers=polish)["Content-Language"] == "pl"
    response = client.get(reverse("sign_in") + "?lang=en", headers=polish)
    assert response["Content-Language"] == "en"
    response = client.post(reverse("preferences"), {"language": "pl", "next": "/sign-in/?next=/x/"})
    assert response["Location"] == "/sign-in/?next=%2Fx%2F&lang=pl"
    assert set(client.cookies) <= {settings.CSRF_COOKIE_NAME}
    client = sign_in(world, anna)
    client.post(reverse("preferences"), {"language": "pl", "theme": "dark", "roles": "people"})
    assert client.get(reverse("profile"), headers={"Accept-Language": "en"})["Content-Language"] == "pl"
    assert (member(anna).theme, member(anna).roles) == ("dark", ["consultant"])
    assert Entry.objects.filter(changes__has_key="theme").get().changes["theme"] == ["auto", "dark"]
