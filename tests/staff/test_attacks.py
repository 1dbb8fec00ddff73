"""Attacks on signing in and sessions, by their numbers (tests/README.md, 'Attacks by number')."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.core.management import call_command
from django.db import DatabaseError, connection, connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import Entry
from gatekeeper.feeds.records import RefusedError
from gatekeeper.feeds.staff_lines import StaffLine
from gatekeeper.feeds.ticket_lines import TicketLine
from staff.directory import people
from staff.frame import background
from staff.models import Member, Session, TotpDevice
from staff.sign_in import factors
from tests.conftest import Connection
from tests.world import Person, World, keys
from tests.world.people import PASSWORD, device_of, fresh_code, give_factors, give_password, member, sign_in
from tests.world.scene import REFERENCE, Scene, digest_in

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
IDLE = timedelta(minutes=settings.LIMITS["session_idle_minutes"])


@pytest.fixture
def world(setup_connection: Connection) -> World:
    return World(setup_connection)


@pytest.fixture
def anna(world: World) -> Person:
    person = world.member("consultant", email="anna@firma.example")
    give_factors(world, person)
    return person


def session_of(client: Client) -> Session:
    return keys.session_of(digest_in(client))


# 1 and 15.3.3: more in the body than the form has


def test_attack_1_no_field_of_the_sign_in_form_makes_anybody_more_than_they_are(
    world: World, anna: Person
) -> None:
    client, boss = Client(), world.member("administrator")
    extra: dict[str, Any] = {
        "member": boss.id,
        "user": boss.id,
        "verified_at": "2099-01-01",
        "roles": "administrator",
    }
    give_password(client, anna, **extra)
    client.post(reverse("sign_in_code"), {"code": fresh_code(world, anna), **extra})
    row = session_of(client)
    assert (row.member_id, member(anna).roles) == (anna.id, ["consultant"])
    assert row.verified_at is not None
    assert row.verified_at <= timezone.now()


# 10, 11: time


def test_attack_10_a_connections_time_zone_keeps_no_session_awake(world: World, anna: Person) -> None:
    client = sign_in(world, anna)
    world.change("staff_session", session_of(client).pk, last_seen_at=timezone.now() - IDLE)
    before = session_of(client).last_seen_at
    with connection.cursor() as cursor:
        cursor.execute("SET timezone = 'Pacific/Kiritimati'")
        cursor.execute("SELECT staff.touch_session(%s)", [digest_in(client)])
        cursor.execute("SET timezone = 'UTC'")
    assert session_of(client).last_seen_at == before
    assert client.get(reverse("profile")).status_code == 403


def test_attack_11_no_session_is_dated_into_the_future_by_the_pages(world: World, anna: Person) -> None:
    client = sign_in(world, anna)
    tomorrow = timezone.now() + timedelta(days=1)
    for alias in ("default", "signin"):
        with pytest.raises(DatabaseError):
            Session.objects.using(alias).update(last_seen_at=tomorrow, verified_at=tomorrow)
    row = session_of(client)
    assert row.last_seen_at <= timezone.now()
    assert row.verified_at is not None
    assert row.verified_at <= timezone.now()


# 13: foreign ids


def test_attack_13_nobody_ends_or_sees_anothers_session_by_its_number(world: World, anna: Person) -> None:
    other = world.member("manager")
    give_factors(world, other)
    theirs = session_of(sign_in(world, other, REMOTE_ADDR="203.0.113.77"))
    client = sign_in(world, anna)
    assert client.post(reverse("end_session", args=[theirs.pk])).status_code == 404
    assert "203.0.113.77" not in client.get(reverse("sessions")).content.decode()
    theirs.refresh_from_db()
    assert theirs.ended_at is None


# 18, 19: caches


def test_attack_18_no_page_of_signing_in_may_be_kept(scene: Scene) -> None:
    client = scene.browser()
    hour_ago = timezone.now() - timedelta(hours=1)
    scene.world.change("staff_session", session_of(client).pk, verified_at=hour_ago)
    pages = [client.get(reverse(name)) for name in ("step_up", "sessions", "profile", "session_left")]
    pages.append(client.post(reverse("reveal", args=[REFERENCE]), {"grant": 0, "category": "contact"}))
    scene.world.change("staff_session", session_of(client).pk, last_seen_at=timezone.now() - IDLE)
    pages.append(client.post(reverse("profile"), {"typed": "x"}))
    pages += [Client().get(reverse(name)) for name in ("sign_in", "forgot")]
    for page in pages:
        assert page["Cache-Control"] == "no-store"
        assert "ETag" not in page
        assert "Last-Modified" not in page


def test_attack_19_a_conditional_request_after_signing_out_is_no_304(world: World, anna: Person) -> None:
    client = sign_in(world, anna)
    assert client.get(reverse("profile")).status_code == 200
    key = client.cookies[settings.SESSION_COOKIE_NAME].value
    response = client.post(reverse("sign_out"))
    assert response["Clear-Site-Data"] == '"cache", "storage"'
    client.cookies[settings.SESSION_COOKIE_NAME] = key
    conditions = {"If-None-Match": "*", "If-Modified-Since": "Thu, 01 Jan 2099 00:00:00 GMT"}
    assert client.get(reverse("profile"), headers=conditions).status_code == 302


def test_attack_19_a_conditional_request_of_a_locked_session_is_no_304(world: World, anna: Person) -> None:
    client = sign_in(world, anna)
    world.change("staff_session", session_of(client).pk, last_seen_at=timezone.now() - IDLE)
    assert client.get(reverse("profile"), headers={"If-None-Match": "*"}).status_code == 403


# 20: the factor goes, the session stays


@pytest.mark.parametrize("locked", [False, True])
def test_attack_20_a_factor_that_is_gone_leaves_no_session_verified_or_to_be_unlocked(
    world: World, anna: Person, locked: bool
) -> None:
    client = sign_in(world, anna)
    if locked:
        world.change("staff_session", session_of(client).pk, last_seen_at=timezone.now() - IDLE)
    code = fresh_code(world, anna)
    with keys.with_an_entry(member(anna)):
        TotpDevice.objects.filter(user_id=anna.id).delete()
    answer = client.post(reverse("profile"), {"_password": PASSWORD, "_code": code})
    assert answer.status_code in (302, 403)
    assert not Session.objects.exclude(verified_at=None).exists()
    assert client.get(reverse("profile")).status_code != 200


# 21: a code is good once


def test_attack_21_a_code_is_good_once_for_step_up_and_for_unlocking(world: World, anna: Person) -> None:
    first, second = sign_in(world, anna), sign_in(world, anna)
    code = fresh_code(world, anna)
    assert first.post(reverse("step_up"), {"_code": code}).status_code == 302
    for spelling in (code, f" {code[:3]} {code[3:]}", f"{code}\t", f"{code[:3]}\u00a0{code[3:]}"):
        world.change("staff_totpdevice", device_of(anna).pk, throttling_failure_count=0)
        answer = second.post(reverse("step_up"), {"_code": spelling})
        assert answer.status_code == 403
    world.change("staff_session", session_of(second).pk, last_seen_at=timezone.now() - IDLE)
    world.change("staff_totpdevice", device_of(anna).pk, throttling_failure_count=0)
    proof = {"_password": PASSWORD, "_code": code}
    assert second.post(reverse("profile"), proof).status_code == 403
    assert second.get(reverse("profile")).status_code == 403


def test_attack_21_a_code_is_good_once_in_parallel_also_from_locked_sessions(
    world: World, anna: Person
) -> None:
    clients = [sign_in(world, anna) for _ in range(4)]
    world.setup.execute("UPDATE staff_session SET last_seen_at = now() - interval '1 hour'")
    code, start = fresh_code(world, anna), threading.Barrier(4)

    def attempt(client: Client) -> None:
        start.wait()
        client.post(reverse("profile"), {"_password": PASSWORD, "_code": code})
        connections.close_all()

    threads = [threading.Thread(target=attempt, args=[client]) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Session.objects.filter(last_seen_at__gt=timezone.now() - IDLE).count() == 1


def test_attack_21_the_same_form_with_its_proof_sent_twice_does_one_thing(scene: Scene) -> None:
    """A form with a proof in it that is sent once more, as by a browser's reload, proves nothing new."""
    request = scene.ask()
    client = scene.browser(scene.boss)
    form = {"denial": "unclear", "_code": fresh_code(scene.world, scene.boss)}
    address = reverse("deny", args=[request])
    assert client.post(address, form).status_code == 302
    assert client.post(address, form).status_code == 403
    assert Entry.objects.filter(event="deny").count() == 1


# 22: barred members


@pytest.mark.parametrize("how", ["suspended", "left"])
@pytest.mark.parametrize("locked", [False, True])
def test_attack_22_a_barred_member_is_in_no_session_and_gets_into_none(
    scene: Scene, how: str, locked: bool
) -> None:
    client, number = scene.browser(), scene.anna.number
    if locked:
        scene.world.change("staff_session", session_of(client).pk, last_seen_at=timezone.now() - IDLE)
    officer = scene.world.session(scene.world.member("people"))
    subject = keys.session_of(officer.digest).member
    assert subject is not None
    scene.world.signature(Person(subject.pk, subject.number))
    day = (timezone.localdate() - timedelta(days=1)).isoformat()
    fact: tuple[str, Any] = ("suspended", True) if how == "suspended" else ("left_on", day)
    assert people.change_member(officer, number, *fact) == ""
    assert not Session.objects.filter(member_id=scene.anna.id, ended_at=None).exists()
    proof = {"_password": PASSWORD, "_code": fresh_code(scene.world, scene.anna)}
    assert "/sign-in/" in client.post(reverse("profile"), proof)["Location"]
    assert give_password(Client(), scene.anna).status_code == 200


# 23: addresses that collide in Unicode

COLLIDING = {
    "dotless i": ("mike@firma.example", "mıke@firma.example"),  # noqa: RUF001
    "dotted capital i": ("mike@firma.example", "mİke@firma.example"),
    "full-width": ("mike@firma.example", "ｍike@firma.example"),  # noqa: RUF001
    "sharp s": ("strasse@firma.example", "straße@firma.example"),
    "kelvin": ("mike@firma.example", "mi\u212ae@firma.example"),
    "long s": ("strasse@firma.example", "ſtrasse@firma.example"),  # noqa: RUF001
    "ligature": ("office@firma.example", "oﬃce@firma.example"),
    "cyrillic": ("anna@firma.example", "аnna@firma.example"),  # noqa: RUF001
    "zero width": ("anna@firma.example", "an\u200bna@firma.example"),
    "domain": ("anna@firma.example", "anna@ﬁrma.example"),
}


@pytest.mark.parametrize("kind", COLLIDING)
def test_attack_23_no_mail_goes_to_an_address_that_only_looks_like_a_members(
    world: World, kind: str, settings: Any
) -> None:
    settings.EMAIL_HOST = "mail.firma.example"
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    stored, typed = COLLIDING[kind]
    person = world.member("consultant", email=stored)
    give_factors(world, person)
    assert Client().post(reverse("forgot"), {"email": typed}).status_code == 200
    background.finish()
    assert all(one.to == [stored] for one in mail.outbox)


@pytest.mark.parametrize("kind", COLLIDING)
def test_attack_23_no_member_is_made_whose_address_collides(world: World, kind: str, tmp_path: Any) -> None:
    stored, typed = COLLIDING[kind]
    world.member("consultant", email=stored)
    line = {"number": "K-7777", "name": "Another Person", "email": typed, "roles": ["consultant"]}
    with pytest.raises((RefusedError, ValueError)):
        StaffLine.model_validate(line)
    path = tmp_path / "staff.jsonl"
    path.write_text(json.dumps(line) + "\n")
    with pytest.raises(SystemExit):
        call_command("import_staff", str(path), verbosity=0)
    assert not Member.objects.filter(number="K-7777").exists()


@pytest.mark.parametrize("kind", COLLIDING)
def test_attack_23_the_database_takes_no_such_address_whoever_writes_it(world: World, kind: str) -> None:
    stored, typed = COLLIDING[kind]
    world.member("consultant", email=stored)
    for email in (typed, "Anna@firma.example", "an na@firma.example", "anna"):
        line = {"number": "K-7777", "name": "Another", "email": email, "roles": ["consultant"]}
        ((_number, outcome),) = people.apply_members([line | {"manager": None}], "tests")
        assert outcome == "refused:value"
    with pytest.raises(DatabaseError), connections["migrator"].cursor() as cursor:
        cursor.execute("UPDATE staff_member SET email = %s", [typed])


@pytest.mark.parametrize("kind", COLLIDING)
def test_attack_23_a_helpdesk_that_names_a_lookalike_assigns_nobody(kind: str) -> None:
    _stored, typed = COLLIDING[kind]
    message = {
        "number": "ZD-1",
        "kind": "support",
        "accounts": [REFERENCE],
        "state": "open",
        "assignee": typed,
        "updated_at": "2026-01-01T00:00:00Z",
    }
    assert TicketLine.model_validate(message).payload()["assignee"] is None


def test_attack_23_a_lookalike_with_its_own_password_signs_in_as_nobody(world: World, anna: Person) -> None:
    for typed in ("аnna@firma.example", "annа@firma.example", "anna@firma.exаmple"):  # noqa: RUF001
        answer = Client().post(reverse("sign_in"), {"email": typed, "password": PASSWORD})
        assert answer.status_code == 200
    assert not Session.objects.exists()
    assert not Entry.objects.exclude(member="").exists()


# 24, 25: what gets into the log, and out of an error


def test_attack_24_a_browsers_name_forges_no_line_of_the_log(world: World, anna: Person) -> None:
    forged = "x\x1b[31m\x07y\x85z\u2028w"
    client = sign_in(world, anna, headers={"User-Agent": forged})
    stored = [session_of(client).user_agent, *Entry.objects.values_list("user_agent", flat=True)]
    for text in stored:
        assert all(character.isprintable() for character in text)
    assert "\x1b" not in client.get(reverse("sessions")).content.decode()


@pytest.mark.parametrize("value", ["\x00", "a" * 5000, "\ud800", "'; DROP TABLE x --", "%s%s", "{{7*7}}"])
def test_attack_25_nothing_that_is_typed_into_signing_in_makes_an_error_or_an_echo(
    world: World, anna: Person, value: str
) -> None:
    raw = value.encode("utf-8", "surrogatepass").decode("latin-1")
    client = Client(raise_request_exception=False)
    forms = {
        "sign_in": {"email": raw, "password": raw},
        "forgot": {"email": raw},
    }
    for name, form in forms.items():
        answer = client.post(reverse(name), form)
        assert answer.status_code in (200, 429), name
        assert "49" not in answer.content.decode().split("<form")[0] or value != "{{7*7}}"
    signed_in = sign_in(world, anna)
    assert signed_in.post(reverse("step_up"), {"_code": raw, "next": raw}).status_code in (200, 403)
    world.setup.execute("UPDATE staff_session SET last_seen_at = now() - interval '1 hour'")
    answer = signed_in.post(reverse("profile"), {"_password": raw, "_code": raw, raw[:200]: raw})
    assert answer.status_code in (403, 429)


# 27: no entry, no session


@pytest.mark.parametrize("stage", ["password", "code", "step-up", "unlock"])
def test_attack_27_a_stage_that_cannot_be_recorded_is_not_passed(
    world: World, anna: Person, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client(raise_request_exception=False)
    if stage != "password":
        give_password(client, anna)
    if stage in ("step-up", "unlock"):
        client.post(reverse("sign_in_code"), {"code": fresh_code(world, anna)})
        old = timezone.now() - timedelta(hours=1)
        world.change("staff_session", session_of(client).pk, verified_at=old)
    if stage == "unlock":
        world.change("staff_session", session_of(client).pk, last_seen_at=timezone.now() - IDLE)
    forms: dict[str, tuple[str, dict[str, str]]] = {
        "password": ("sign_in", {"email": "anna@firma.example", "password": PASSWORD}),
        "code": ("sign_in_code", {"code": fresh_code(world, anna)}),
        "step-up": ("step_up", {"_code": fresh_code(world, anna)}),
        "unlock": ("profile", {"_password": PASSWORD, "_code": fresh_code(world, anna)}),
    }
    with keys.no_entry(world.setup, "sign_in"):
        name, form = forms[stage]
        assert client.post(reverse(name), form).status_code == 500
    rows = Session.objects.filter(ended_at=None)
    fresh = rows.filter(
        verified_at__gt=timezone.now() - timedelta(minutes=5), last_seen_at__gt=timezone.now() - IDLE
    )
    assert not fresh.exists()
    if stage == "password":
        assert client.get(reverse("sign_in_code")).status_code == 302


# 28: what a session leaves behind in a process


def test_attack_28_the_next_request_on_a_thread_is_nobodys(world: World, anna: Person) -> None:
    client = sign_in(world, anna)
    client.get(reverse("profile"))
    answer = Client().get(reverse("profile"))
    assert answer["Location"].startswith("/sign-in/")
    Client().post(reverse("sign_in"), {"email": "nobody@firma.example", "password": PASSWORD})
    entry = Entry.objects.latest("id")
    assert (entry.member, entry.session, entry.actor_id) == ("", None, None)
    assert factors.has_factor(member(anna))
