"""The lock after failures: what it counts, what it keeps, whom it shuts out, and for how long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.contrib import auth
from django.contrib.auth.hashers import Argon2PasswordHasher, check_password
from django.core.management import call_command
from django.db import connections
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from audit.models import Entry
from staff.models import AttemptCount
from staff.sign_in import lockout
from tests import environment
from tests.world import SOON, Person, World, racing
from tests.world.guesses import (
    HERE,
    THERE,
    WRONG,
    attempt,
    failed_before,
    world,  # noqa: F401  # a fixture
)
from tests.world.people import PASSWORD, give_factors, give_password, password_of, sign_in

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
UNKNOWN = "nobody-hunter2@firma.example"


@pytest.fixture
def anna(world: World) -> Person:
    person = world.member("consultant", email="anna@firma.example")
    give_factors(world, person)
    return person


def request_from(address: str) -> HttpRequest:
    return RequestFactory().post(reverse("sign_in"), REMOTE_ADDR=address)


def fail(times: int, email: str = "anna@firma.example", address: str = HERE) -> Any:
    """So many wrong passwords; the last answer."""
    for _ in range(times):
        answer = attempt(email, address=address)
    return answer


def later(world: World, minutes: int) -> None:
    """As if all that was counted had happened so many minutes earlier."""
    world.setup.execute(
        "UPDATE staff_attemptcount SET last_at = last_at - make_interval(mins => %s)", [minutes]
    )


def reasons() -> list[str]:
    return list(Entry.objects.filter(event="sign_in_failed").order_by("id").values_list("reason", flat=True))


# What shuts, and opens by itself


def test_ten_wrong_passwords_shut_and_a_quarter_of_an_hour_opens(world: World, anna: Person) -> None:
    assert fail(9).status_code == 200
    assert fail(1).status_code == 429
    blocked = attempt("anna@firma.example", PASSWORD)
    assert blocked.status_code == 429
    assert 0 < int(blocked["Retry-After"]) <= 15 * 60
    assert "Try again after" in blocked.content.decode()
    later(world, 16)
    assert attempt("anna@firma.example", PASSWORD).status_code == 302


def test_a_lock_cannot_be_held_shut_by_going_on(world: World, anna: Person) -> None:
    fail(10)
    later(world, 14)
    fail(5)  # while it holds nothing counts
    later(world, 2)
    assert attempt("anna@firma.example", PASSWORD).status_code == 302


def test_a_success_forgets_the_failures_of_this_address(world: World, anna: Person) -> None:
    fail(9)
    failed_before(world, "anna@firma.example", THERE, 3)
    assert attempt("anna@firma.example", PASSWORD).status_code == 302
    assert fail(9).status_code == 200
    assert AttemptCount.objects.filter(remote_addr=THERE).exists()


def test_nobody_elsewhere_shuts_a_member_out(world: World, anna: Person) -> None:
    fail(12, address=THERE)
    assert attempt("anna@firma.example", address=THERE).status_code == 429
    assert attempt("anna@firma.example", PASSWORD).status_code == 302


def test_guessing_from_many_addresses_is_stopped_but_not_at_the_members_own_desk(
    world: World, anna: Person
) -> None:
    sign_in(world, anna, REMOTE_ADDR=HERE)
    for number in range(7):
        failed_before(world, "anna@firma.example", f"203.0.113.{number}", 9, minutes=20)
    assert attempt("anna@firma.example", PASSWORD, THERE).status_code == 429
    assert attempt("anna@firma.example", PASSWORD, HERE).status_code == 302
    # A wrong one there reads as everywhere: the desk is no way to learn whose account it is.
    wrong = attempt("anna@firma.example", WRONG, HERE)
    assert wrong.status_code == 429
    later(world, 41)
    assert attempt("anna@firma.example", PASSWORD, THERE).status_code == 302


def test_one_password_tried_on_everybody_is_stopped(world: World, anna: Person) -> None:
    bert = world.member("consultant", email="bert@firma.example")
    give_factors(world, bert)
    sign_in(world, anna, REMOTE_ADDR=HERE)
    for number in range(100):
        failed_before(world, f"member{number}@firma.example", HERE, 1, minutes=20)
    assert attempt("bert@firma.example", PASSWORD, HERE).status_code == 429
    assert attempt("bert@firma.example", PASSWORD, THERE).status_code == 302
    assert attempt("anna@firma.example", PASSWORD, HERE).status_code == 302  # has proved both factors here


def test_one_address_alone_never_reaches_an_accounts_wide_limit() -> None:
    most, pause = lockout.NARROW
    # A burst at once, and one after each pause, as often as the wide window has room for.
    bursts = 1 + int(lockout.ACCOUNT[1] / pause)
    assert most * bursts < lockout.ACCOUNT[0]


def test_an_ipv6_line_is_one_address(world: World, anna: Person) -> None:
    for number in range(10):
        fail(1, address=f"2001:db8:1:2::{number}")
    assert attempt("anna@firma.example", address="2001:db8:1:2:ffff::1").status_code == 429
    assert attempt("anna@firma.example", PASSWORD, "2001:db8:1:3::1").status_code == 302


def test_a_forwarded_address_counts_only_from_a_proxy_of_ours(
    world: World, anna: Person, settings: Any
) -> None:
    for number in range(10):
        attempt("anna@firma.example", **{"X-Forwarded-For": f"203.0.113.{number}"})
    assert attempt("anna@firma.example", **{"X-Forwarded-For": "203.0.113.99"}).status_code == 429
    AttemptCount.objects.all().delete()
    settings.TRUSTED_PROXIES = [f"{HERE}/32"]
    for _ in range(10):
        attempt("anna@firma.example", **{"X-Forwarded-For": "203.0.113.5"})
    assert attempt("anna@firma.example", **{"X-Forwarded-For": "203.0.113.5"}).status_code == 429
    assert attempt("anna@firma.example", PASSWORD, **{"X-Forwarded-For": "203.0.113.6"}).status_code == 302


@pytest.mark.parametrize("spelling", ["ANNA@firma.example", " anna@firma.example ", "ａnna@firma.example"])  # noqa: RUF001
def test_another_spelling_is_the_same_account(world: World, anna: Person, spelling: str) -> None:
    fail(5)
    fail(5, spelling)
    assert attempt("anna@firma.example", PASSWORD).status_code == 429


def test_no_road_to_a_password_goes_around_the_lock(anna: Person) -> None:
    """The backend judges: whoever calls it without a request, or under a lock, gets nobody."""
    right = {"email": "anna@firma.example", "password": PASSWORD}
    assert auth.authenticate(request_from(HERE), **right) is not None
    assert auth.authenticate(None, **right) is None
    fail(10)
    assert auth.authenticate(request_from(HERE), **right) is None


# What an attacker learns


def test_a_lock_says_the_same_of_known_and_unknown(world: World, anna: Person) -> None:
    answers = []
    for email in ("anna@firma.example", UNKNOWN):
        last = fail(10, email)
        more = attempt(email)
        errors = more.context["form"].non_field_errors()
        answers.append((last.status_code, more.status_code, [one[:40] for one in errors]))
    assert answers[0] == answers[1]
    assert answers[0][:2] == (429, 429)


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """One for each hash that is made."""
    made: list[str] = []
    for name in ("encode", "verify"):
        method = getattr(Argon2PasswordHasher, name)

        def counted(*args: Any, method: Callable[..., Any] = method, name: str = name) -> Any:
            made.append(name)
            return method(*args)

        monkeypatch.setattr(Argon2PasswordHasher, name, counted)
    return made


def cost(hashes: list[str], email: str, **more: Any) -> tuple[int, int]:
    """The answer's status, and how many hashes it took."""
    hashes.clear()
    return attempt(email, **more).status_code, len(hashes)


def test_every_failure_hashes_as_often(world: World, anna: Person, hashes: list[str]) -> None:
    costs = {cost(hashes, "anna@firma.example"), cost(hashes, UNKNOWN)}
    world.quietly("staff_member", anna.id, suspended_at=timezone.now())
    costs.add(cost(hashes, "anna@firma.example"))
    assert costs == {(200, 1)}


def test_a_locked_out_address_costs_no_hash(world: World, anna: Person, hashes: list[str]) -> None:
    fail(10)
    fail(10, UNKNOWN)
    assert {cost(hashes, "anna@firma.example"), cost(hashes, UNKNOWN)} == {(429, 0)}
    assert cost(hashes, "anna@firma.example", password=PASSWORD) == (429, 0)
    assert Client(REMOTE_ADDR=HERE).post(reverse("forgot"), {"email": UNKNOWN}).status_code == 200
    assert len(hashes) == 0


def test_time_does_not_tell_whose_desk_it_is(world: World, anna: Person, hashes: list[str]) -> None:
    """Under a wide lock, at an address where somebody has signed in, each attempt costs a hash."""
    sign_in(world, anna, REMOTE_ADDR=HERE)
    for address in (HERE, THERE):
        failed_before(world, "somebody@firma.example", address, 100, minutes=20)
    costs = {cost(hashes, "anna@firma.example"), cost(hashes, UNKNOWN)}
    assert costs == {(429, 1)}
    costs = {cost(hashes, email, address=THERE) for email in ("anna@firma.example", UNKNOWN)}
    assert costs == {(429, 0)}


# What is kept


def test_neither_what_was_typed_nor_a_password_is_kept(
    world: World, anna: Person, caplog: pytest.LogCaptureFixture
) -> None:
    typed = "MyPassword-in-the-wrong-field"
    Client().post(
        reverse("sign_in") + "?next=/canary-query/",
        {"email": typed, "password": "canary-password", "other": "canary-field"},
        headers={"User-Agent": "canary-agent", "Accept": "canary/accept"},
    )
    fail(10)
    rows = world.setup.execute("SELECT a::text FROM staff_attemptcount a").fetchall()
    kept = repr(rows) + caplog.text
    for secret in (typed, typed.lower(), "canary", "anna@firma", WRONG):
        assert secret not in kept
    # Without our key nobody finds out which address a row is about.
    assert lockout.name_of("anna@firma.example") in repr(rows)


def test_a_lock_is_recorded_once(world: World, anna: Person) -> None:
    fail(14)
    assert sorted(reasons()) == ["locked_out"] + ["password_wrong"] * 10
    assert Entry.objects.get(reason="locked_out").member == anna.number
    later(world, 16)
    fail(11)
    assert reasons().count("locked_out") == 2


def test_old_counts_are_forgotten(world: World, anna: Person) -> None:
    failed_before(world, "anna@firma.example", THERE, 3, minutes=121)
    failed_before(world, "anna@firma.example", THERE, 3, minutes=50)
    call_command("tidy")
    assert [count.last_at > timezone.now() - timedelta(hours=1) for count in AttemptCount.objects.all()] == [
        True
    ]


@pytest.mark.parametrize("address", [HERE, ""])
@pytest.mark.parametrize("is_there", [False, True])
def test_failures_at_one_moment_are_all_counted(
    world: World, anna: Person, address: str, is_there: bool
) -> None:
    """Six that find no row of this quarter of an hour, or that all wait for it, are six more in one row."""
    if is_there:
        lockout.count_asking(request_from(address), "anna@firma.example")
    key = [lockout.name_of("anna@firma.example"), address or None, int(time.time()) // lockout.QUARTER]
    with (
        psycopg.connect(environment.setup_url(environment.database_name())) as holder,
        ThreadPoolExecutor(6) as crowd,
    ):
        holder.execute(
            "INSERT INTO staff_attemptcount AS a (about, remote_addr, quarter, attempts, last_at)"
            " VALUES (%s, %s, %s, 1, now()) ON CONFLICT (about, remote_addr, quarter)"
            " DO UPDATE SET attempts = a.attempts",
            key,
        )
        going = [crowd.submit(_fail_once, address) for _ in range(6)]
        racing.until_waiting(world.setup, 6)
        holder.commit()
        for one in going:
            one.result()
    assert [count.attempts for count in AttemptCount.objects.all()] == [7]


def _fail_once(address: str) -> None:
    try:
        lockout.count_failure(request_from(address), "anna@firma.example")
    finally:
        connections.close_all()


def test_a_lock_that_begins_among_failures_at_one_moment_is_recorded(world: World) -> None:
    """Six links that open nothing, after five: whichever is the tenth, the lock has an entry."""
    failed_before(world, f"link {HERE}", HERE, 5)
    start = threading.Barrier(6)

    def guess() -> int:
        try:
            start.wait(SOON)
            return Client(REMOTE_ADDR=HERE).get(reverse("invitation", args=["guess"])).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as crowd:
        answers = [one.result() for one in [crowd.submit(guess) for _ in range(6)]]
    assert 429 in answers
    assert "locked_out" in reasons()


def test_an_operator_opens_a_lock_and_that_is_recorded(world: World, anna: Person) -> None:
    fail(10)
    call_command("open_lock", anna.number)
    assert attempt("anna@firma.example", PASSWORD).status_code == 302
    entry = Entry.objects.get(event="change", subject=anna.number)
    assert entry.source.startswith("open_lock (")
    assert entry.details == {"lock": "opened"}


# Where else a password is asked for


def test_a_locked_session_is_no_way_to_guess(world: World, anna: Person) -> None:
    client = sign_in(world, anna, REMOTE_ADDR=HERE)
    world.setup.execute("UPDATE staff_session SET last_seen_at = now() - interval '1 hour'")
    for _ in range(10):
        page = client.post(reverse("profile"), {"_password": WRONG, "_code": "000000", "typed": "kept"})
    assert page.status_code == 429
    assert "Try again after" in page.content.decode()
    assert "kept" in page.content.decode()
    assert int(page["Retry-After"]) > 0
    assert give_password(Client(REMOTE_ADDR=HERE), anna).status_code == 429


def test_changing_the_password_is_no_way_to_guess_the_old_one(world: World, anna: Person) -> None:
    client = sign_in(world, anna, REMOTE_ADDR=HERE)
    form = {"old": WRONG, "password": "another four quiet otters", "again": "another four quiet otters"}
    answers = [client.post(reverse("change_password"), form).status_code for _ in range(11)]
    assert answers == [200] * 9 + [429] * 2
    assert check_password(PASSWORD, password_of(anna))


def test_links_are_not_guessed(world: World, anna: Person) -> None:
    client = Client(REMOTE_ADDR=HERE)
    answers = [client.get(reverse("invitation", args=[f"guess{n}"])).status_code for n in range(11)]
    assert answers == [404] * 9 + [429] * 2
    assert Client(REMOTE_ADDR=THERE).get(reverse("invitation", args=["guess"])).status_code == 404
    assert attempt("anna@firma.example", PASSWORD, HERE).status_code == 302
