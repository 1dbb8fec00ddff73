"""Sessions of our own: what stands in the table, when they end, and that ended is ended."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest
from django.conf import settings
from django.db import DatabaseError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from staff import sessions
from staff.models import Session
from tests.conftest import Connection
from tests.people import fresh_code, give_factors, give_password, sign_in
from tests.world import Person, World

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
    assert bytes(row.digest) == sessions.digest_of(key)
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
    client.post(reverse("step_up"), {"code": fresh_code(world, anna)})
    keys = {after_password, after_code, client.cookies[COOKIE].value}
    assert len(keys) == 3
    assert Session.objects.count() == 1
    assert newest().started_at == started
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
    assert '"storage"' in response["Clear-Site-Data"]
    client.cookies[COOKIE] = old
    assert client.get(reverse("profile")).status_code == 302


@pytest.mark.parametrize(
    ("column", "limit"),
    [
        ("last_seen_at", timedelta(minutes=settings.LIMITS["session_idle_minutes"])),
        ("started_at", timedelta(hours=settings.LIMITS["session_hours"])),
    ],
)
def test_the_server_ends_what_ran_out(world: World, anna: Person, column: str, limit: timedelta) -> None:
    client = sign_in(world, anna)
    almost = timezone.now() - limit + timedelta(seconds=30)
    world.change("staff_session", newest().pk, **{column: almost})
    assert client.get(reverse("profile")).status_code == 200
    world.change("staff_session", newest().pk, **{column: timezone.now() - limit})
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
    assert "why=session_expired" in client.get(reverse("inbox_list"))["Location"]


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
    Session.objects.update(ended_at=timezone.now())
    response = client.get(reverse("profile"), headers={"HX-Request": "true"})
    assert response["HX-Redirect"].startswith("/sign-in/")


def test_the_pages_role_can_neither_revive_nor_hand_on_nor_prolong(world: World, anna: Person) -> None:
    sign_in(world, anna)
    other, row = world.member("manager"), newest()
    with pytest.raises(DatabaseError):
        Session.objects.filter(pk=row.pk).update(member_id=other.id)
    with pytest.raises(DatabaseError):
        Session.objects.filter(pk=row.pk).update(started_at=timezone.now())
    with pytest.raises(DatabaseError):
        Session.objects.filter(pk=row.pk).delete()
    Session.objects.filter(pk=row.pk).update(ended_at=timezone.now())
    with pytest.raises(DatabaseError) as caught:
        Session.objects.filter(pk=row.pk).update(ended_at=None)
    assert isinstance(caught.value.__cause__, psycopg.errors.InsufficientPrivilege)


def test_tidying_ends_what_ran_out_and_nothing_else(world: World, anna: Person) -> None:
    world.session(anna, last_seen_at=timezone.now() - timedelta(days=1))
    world.session(anna)
    sessions.SessionStore.clear_expired()
    assert [row.ended_at is None for row in Session.objects.order_by("pk")] == [False, True]
