"""Sessions of our own: what stands in the table, when they end, and that ended is ended."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import DatabaseError
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from psycopg.types.json import Jsonb

from audit.models import Entry
from staff.frame.sign_in import SIGN_IN
from staff.models import Session
from staff.session import sessions
from staff.session.keys import digest_of
from tests.conftest import AsRole, Connection
from tests.world import Person, World
from tests.world.keys import session_of
from tests.world.people import PASSWORD, device_of, fresh_code, give_factors, give_password, sign_in
from tests.world.scene import Scene

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
COOKIE = settings.SESSION_COOKIE_NAME


@pytest.fixture
def world(setup_connection: Connection) -> World:
    return World(setup_connection)


@pytest.fixture
def anna(world: World) -> Person:
    person = world.member("consultant")
    give_factors(world, person)
    return person


def newest() -> Session:
    return Session.objects.order_by("-pk")[0]


def test_a_visitor_leaves_no_row(world: World) -> None:
    assert Client().get(reverse("sign_in")).status_code == 200
    assert not Session.objects.exists()


def test_the_key_is_in_the_cookie_alone(world: World, anna: Person) -> None:
    client = sign_in(world, anna)
    key, row = client.cookies[COOKIE].value, newest()
    assert len(key) >= 43  # 256 bits in base64
    assert session_of(digest_of(key)) == row
    assert key not in repr(row.__dict__)
    assert row.member_id == anna.id
    assert row.factor == "totp"


def test_a_planted_key_is_not_taken_over(world: World, anna: Person) -> None:
    client = Client()
    client.cookies[COOKIE] = "a-key-that-somebody-else-knows-too"
    give_password(client, anna)
    assert client.cookies[COOKIE].value != "a-key-that-somebody-else-knows-too"


def test_sign_in_code_and_step_up_renew_the_key_and_never_prolong(world: World, anna: Person) -> None:
    client = Client()
    give_password(client, anna)
    after_password = client.cookies[COOKIE].value
    started = newest().started_at
    client.post(reverse("sign_in_code"), {"code": fresh_code(world, anna)})
    after_code = client.cookies[COOKIE].value
    client.post(reverse("step_up"), {"_code": fresh_code(world, anna)})
    keys = {after_password, after_code, client.cookies[COOKIE].value}
    assert len(keys) == 3
    assert Session.objects.count() == 1
    assert newest().started_at == started
    world.setup.execute("UPDATE staff_session SET renewed_at = renewed_at - interval '10 seconds'")
    for old in (after_password, after_code):
        stale = Client()
        stale.cookies[COOKIE] = old
        assert reverse("sign_in") in stale.get(reverse("profile"))["Location"]


def test_each_sign_in_is_a_session_of_its_own(world: World, anna: Person) -> None:
    client = sign_in(world, anna)
    client.post(reverse("sign_out"))
    sign_in(world, anna)
    first, second = Session.objects.order_by("pk")
    assert first.ended_at is not None
    assert second.ended_at is None
    assert second.started_at > first.started_at


def test_an_old_cookie_is_dead_after_signing_out(world: World, anna: Person) -> None:
    client = sign_in(world, anna)
    old = client.cookies[COOKIE].value
    response = client.post(reverse("sign_out"))
    # "cookies" would reach every host of the company.
    assert response["Clear-Site-Data"] == '"cache", "storage"'
    for name in (COOKIE, settings.CSRF_COOKIE_NAME):
        gone = response.cookies[name]
        assert (gone.value, gone["max-age"], gone["path"], gone["domain"]) == ("", 0, "/", "")
        assert gone["secure"]
    client.cookies[COOKIE] = old
    assert client.get(reverse("profile")).status_code == 302


def test_the_server_ends_what_ran_out(world: World, anna: Person) -> None:
    client, limit = sign_in(world, anna), timedelta(hours=settings.LIMITS["session_hours"])
    almost = timezone.now() - limit + timedelta(minutes=5)
    world.change("staff_session", newest().pk, started_at=almost)
    assert client.get(reverse("profile")).status_code == 200
    world.change("staff_session", newest().pk, started_at=timezone.now() - limit)
    response = client.get(reverse("profile"))
    assert response["Location"] == "/sign-in/?why=session_expired&next=%2Fprofile%2F"
    assert newest().ended_at is not None
    assert client.get(response["Location"]).context["why"]


def test_a_click_counts_as_activity_and_is_written_at_most_every_ten_seconds(
    world: World, anna: Person
) -> None:
    client = sign_in(world, anna)
    five = timezone.now() - timedelta(seconds=5)
    world.change("staff_session", newest().pk, last_seen_at=five)
    client.get(reverse("profile"))
    assert newest().last_seen_at == five
    world.change("staff_session", newest().pk, last_seen_at=five - timedelta(minutes=5))
    client.get(reverse("profile"))
    assert newest().last_seen_at > five


def test_a_page_that_asks_by_itself_is_no_activity(world: World) -> None:
    manager = world.member("manager")
    give_factors(world, manager)
    client = sign_in(world, manager)
    before = timezone.now() - timedelta(minutes=5)
    world.change("staff_session", newest().pk, last_seen_at=before)
    assert client.get(reverse("inbox_list")).status_code in (200, 403)
    assert newest().last_seen_at == before
    idle = timedelta(minutes=settings.LIMITS["session_idle_minutes"])
    world.change("staff_session", newest().pk, last_seen_at=timezone.now() - idle)
    assert client.get(reverse("inbox_list")).status_code == 403


def test_a_suspended_member_is_out_at_the_next_click_and_told_why(world: World, anna: Person) -> None:
    client = sign_in(world, anna)
    world.quietly("staff_member", anna.id, suspended_at=timezone.now())
    response = client.get(reverse("profile"))
    assert "why=member_suspended" in response["Location"]
    assert newest().ended_at is not None


def test_the_last_day_counts_to_its_end(world: World, anna: Person) -> None:
    client = sign_in(world, anna)
    world.quietly("staff_member", anna.id, left_on=timezone.localdate())
    assert client.get(reverse("profile")).status_code == 200
    world.quietly("staff_member", anna.id, left_on=timezone.localdate() - timedelta(days=1))
    assert "why=member_left" in client.get(reverse("profile"))["Location"]


def test_part_of_a_page_is_led_away_as_a_whole(world: World, anna: Person) -> None:
    client = sign_in(world, anna)
    world.setup.execute("UPDATE staff_session SET ended_at = now()")
    response = client.get(reverse("profile"), headers={"HX-Request": "true"})
    assert response["HX-Redirect"].startswith("/sign-in/")


def test_no_role_revives_hands_on_or_prolongs_a_session(world: World, anna: Person) -> None:
    sign_in(world, anna)
    other, row = world.member("manager"), newest()
    facts = (
        {"member_id": other.id},
        {"started_at": timezone.now()},
        {"verified_at": timezone.now()},
        {"ended_at": None},
    )
    for alias in ("default", SIGN_IN):
        mine = Session.objects.using(alias).filter(pk=row.pk)
        for fact in facts:
            with pytest.raises(DatabaseError) as caught:
                mine.update(**fact)
            assert isinstance(caught.value.__cause__, psycopg.errors.InsufficientPrivilege)
        with pytest.raises(DatabaseError):
            mine.delete()


def test_tidying_ends_what_ran_out_and_nothing_else(world: World, anna: Person) -> None:
    day, hour = timedelta(days=1), timedelta(hours=1)
    world.session(anna, started_at=timezone.now() - day)
    world.session(anna, last_seen_at=timezone.now() - hour, verified_at=None)
    world.session(anna, last_seen_at=timezone.now() - hour)  # locked
    world.session(anna)
    sessions.SessionStore.clear_expired()
    running = [row.ended_at is None for row in Session.objects.order_by("pk")]
    assert running == [False, False, True, True]


# What pages note

NOTHING_WAS_DONE = "Nothing was done: this takes a press of the button here."


def said(client: Client, name: str) -> int:
    """How often a page says the message that waits."""
    return client.get(reverse(name)).content.decode().count(NOTHING_WAS_DONE)


def test_a_message_waits_while_the_session_is_locked_and_is_said_once(world: World, anna: Person) -> None:
    client = sign_in(world, anna)
    client.get(reverse("end_other_sessions"))  # by the address alone: a message waits
    idle = timedelta(minutes=settings.LIMITS["session_idle_minutes"])
    world.change("staff_session", newest().pk, last_seen_at=timezone.now() - idle)
    proof = {"_page": "1", "_password": PASSWORD}
    wrong = client.post(reverse("profile"), {**proof, "_code": "000000"})
    assert (wrong.status_code, NOTHING_WAS_DONE in wrong.content.decode()) == (403, False)
    assert said(client, "profile") == 0
    world.change("staff_totpdevice", device_of(anna).pk, throttling_failure_count=0)
    assert client.post(reverse("profile"), {**proof, "_code": fresh_code(world, anna)}).status_code == 302
    assert [said(client, "profile") for _ in range(2)] == [1, 0]


def test_a_message_of_an_ended_session_is_said_to_nobody(world: World, anna: Person) -> None:
    client = sign_in(world, anna)
    client.get(reverse("end_other_sessions"))
    world.setup.execute("UPDATE staff_session SET ended_at = now()")
    assert said(client, "sign_in") == 0
    give_password(client, anna)
    client.post(reverse("sign_in_code"), {"code": fresh_code(world, anna)})
    assert said(client, "profile") == 0


def test_two_requests_at_once_leave_each_others_notes_alone(world: World, anna: Person) -> None:
    key = sign_in(world, anna).cookies[COOKIE].value
    one, other = sessions.SessionStore(key), sessions.SessionStore(key)
    assert (one.note("one"), other.note("other")) == (None, None)  # both were read
    one.put_note("one", 1)
    one.save_notes()
    other.put_note("other", 2)
    other.save_notes()
    later = sessions.SessionStore(key)
    assert (later.note("one"), later.note("other")) == (1, 2)
    later.put_note("one", None)
    later.save_notes()
    assert sessions.SessionStore(key).note("one") is None


# One's own sessions

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0"
EDGE = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0"


def test_the_page_of_own_sessions_says_when_whence_and_in_what(world: World, anna: Person) -> None:
    here = sign_in(world, anna, REMOTE_ADDR="192.0.2.7", headers={"User-Agent": FIREFOX})
    sign_in(world, anna, REMOTE_ADDR="2001:db8::5", headers={"User-Agent": EDGE})
    rows = here.get(reverse("sessions")).context["sessions"]
    assert [(one["browser"], one["row"].remote_addr, one["this"]) for one in rows] == [
        ("Firefox, Linux", "192.0.2.7", True),
        ("Edge, Windows", "2001:db8::5", False),
    ]
    world.quietly("staff_session", rows[1]["row"].pk, last_seen_at=timezone.now() - timedelta(hours=1))
    assert [one["locked"] for one in here.get(reverse("sessions")).context["sessions"]] == [False, True]


def test_a_browser_that_says_nothing_or_nonsense_is_shown_as_text(world: World, anna: Person) -> None:
    unusual = "<b>x</b>\x1b[31m\u202e"
    client = sign_in(world, anna, headers={"User-Agent": unusual.encode("latin-1", "replace").decode()})
    page = client.get(reverse("sessions"))
    assert "unknown browser" in page.content.decode()
    assert "<b>x" not in page.content.decode()
    assert "\x1b" not in newest().user_agent


def test_one_session_is_ended_and_recorded(world: World, anna: Person) -> None:
    here, there = sign_in(world, anna), sign_in(world, anna)
    number = newest().pk
    assert here.get(reverse("end_session", args=[number]))["Location"] == reverse("sessions")
    assert here.post(reverse("end_session", args=[number]))["Location"] == reverse("sessions")
    assert "why=session_ended" in there.get(reverse("profile"))["Location"]
    assert here.get(reverse("profile")).status_code == 200
    entry = Entry.objects.latest("id")
    assert (entry.event, entry.reason, entry.object_pk) == ("sign_out", "ended_by_member", str(number))
    assert entry.member == anna.number
    assert here.post(reverse("end_session", args=[number])).status_code == 404  # ended is ended


def test_all_others_are_ended_locked_ones_too(world: World, anna: Person) -> None:
    here, there, locked = (sign_in(world, anna) for _ in range(3))
    world.quietly("staff_session", newest().pk, last_seen_at=timezone.now() - timedelta(hours=1))
    assert locked.get(reverse("profile")).status_code == 403
    here.post(reverse("end_other_sessions"))
    assert Entry.objects.filter(reason="ended_by_member").count() == 2
    for client in (there, locked):
        assert "why=session_ended" in client.get(reverse("profile"))["Location"]
    assert here.get(reverse("profile")).status_code == 200


def test_nobody_ends_anothers_session_or_this_one_here(world: World, anna: Person) -> None:
    other = world.member("consultant")
    give_factors(world, other)
    sign_in(world, other)
    number = newest().pk
    here = sign_in(world, anna)
    assert here.post(reverse("end_session", args=[number])).status_code == 404
    assert here.post(reverse("end_session", args=[newest().pk])).status_code == 404
    assert not Session.objects.exclude(ended_at=None).exists()
    assert len(here.get(reverse("sessions")).context["sessions"]) == 1


# What signing in's role alone can make up


def test_a_session_that_signing_ins_role_makes_up_is_in_the_log(scene: Scene, as_role: AsRole) -> None:
    """Whoever speaks on its connection can (gatekeeper/README.md): the session works, the log names it."""
    give_factors(scene.world, scene.anna)
    signin = as_role("gatekeeper_signin")
    context = Jsonb({"cid": "c-9", "remote_addr": "203.0.113.9"})
    key, first = "a key of one's own", digest_of("the first")
    begin = "SELECT staff.begin_session(%s, %s, %s, 'password', '{}')"
    [(number,)] = signin.execute(begin, [first, context, scene.anna.id]).fetchall()
    verify = "SELECT staff.verify_session(%s, %s, %s, 'totp', %s, 'code')"
    fresh = [first, digest_of(key), context, device_of(scene.anna).pk]
    assert signin.execute(verify, fresh).fetchone() == (True,)
    entries = Entry.objects.filter(event="sign_in", session=number).order_by("id")
    assert [(one.member, one.object_repr, one.factor) for one in entries] == [
        (scene.anna.number, "password", ""),
        (scene.anna.number, "code", "totp"),
    ]
    assert {one.remote_addr for one in entries} == {"203.0.113.9"}


@pytest.mark.parametrize("bar", [{"suspended_at": timezone.now()}, {"left_on": date(2021, 1, 1)}])
def test_not_even_that_role_begins_one_for_who_is_barred(
    scene: Scene, as_role: AsRole, bar: dict[str, Any]
) -> None:
    scene.world.quietly("staff_member", scene.anna.id, **bar)
    begin = "SELECT staff.begin_session(sha256('x'), '{\"cid\": \"c-9\"}', %s, 'password', '{}')"
    assert as_role("gatekeeper_signin").execute(begin, [scene.anna.id]).fetchone() == (None,)
    assert not Entry.objects.filter(event="sign_in").exists()
