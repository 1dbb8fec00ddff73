"""Bounds on hashing: who waits, who is refused, and that a place is given back."""

from __future__ import annotations

import os
import queue
import sys
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher, check_password
from django.db import connections
from django.test import Client
from django.urls import reverse

from audit.models import Entry
from gatekeeper.installation import gunicorn
from staff.models import AttemptCount
from staff.sign_in import hash_queue, invitations
from tests.world import SOON, Person, World
from tests.world.people import PASSWORD, fresh_code, give_factors, give_password, member, password_of, sign_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Connection

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
UNKNOWN = "nobody@firma.example"
NEW = "another four quiet otters"
BUSY = "Too many people are signing in at this moment."


@pytest.fixture
def world(setup_connection: Connection) -> World:
    return World(setup_connection)


@pytest.fixture
def anna(world: World) -> Person:
    person = world.member("consultant", email="anna@firma.example")
    give_factors(world, person)
    return person


def attempt(address: str, email: str = UNKNOWN, **headers: str) -> Any:
    form = {"email": email, "password": "not the password at all"}
    return Client().post(reverse("sign_in"), form, REMOTE_ADDR=address, headers=headers)


class Hashing:
    """Hashes that last until they are let go, and how many there were at once."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.done, self.at_once, self._now = 0, 0, 0
        self._go = threading.Event()
        self._encode = Argon2PasswordHasher.encode
        self._threads: list[threading.Thread] = []
        self.answers: queue.Queue[Any] = queue.Queue()
        self._asked = threading.Semaphore(0)
        self._submit = hash_queue._worker.submit
        monkeypatch.setattr(Argon2PasswordHasher, "encode", self._slow)
        monkeypatch.setattr(hash_queue._worker, "submit", self._ask)
        monkeypatch.setattr(hash_queue, "PATIENCE", SOON)  # on a slow machine too nobody's turn lapses here

    def _ask(self, *args: Any, **kwargs: Any) -> Any:
        future = self._submit(*args, **kwargs)
        self._asked.release()
        return future

    def all_ask(self, count: int) -> None:
        """Wait until so many have asked for their turn."""
        for _ in range(count):
            assert self._asked.acquire(timeout=SOON)

    def _slow(self, *args: Any) -> str:
        self._now += 1
        self.at_once = max(self.at_once, self._now)
        assert self._go.wait(SOON)
        self._now -= 1
        self.done += 1
        return str(self._encode(Argon2PasswordHasher(), *args))

    def try_from(self, *addresses: str) -> None:
        """An attempt from each address, all at once."""
        for address in addresses:
            thread = threading.Thread(target=self._try, args=(address,))
            self._threads.append(thread)
            thread.start()

    def _try(self, address: str) -> None:
        try:
            self.answers.put(attempt(address))
        finally:
            connections.close_all()

    def next(self, count: int) -> list[Any]:
        """The next answers."""
        return [self.answers.get(timeout=SOON) for _ in range(count)]

    def let_go(self) -> None:
        self._go.set()
        for thread in self._threads:
            thread.join(SOON)


@pytest.fixture
def hashing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hashing]:
    found = Hashing(monkeypatch)
    yield found
    found.let_go()


@pytest.fixture
def full() -> Iterator[ExitStack]:
    """All places of strangers are taken."""
    with ExitStack() as places:
        for number in range(hash_queue.STRANGERS.most):
            places.enter_context(hash_queue.STRANGERS.take(number))
        yield places


def statuses(answers: list[Any]) -> set[int]:
    return {answer.status_code for answer in answers}


def test_one_is_hashed_two_wait_and_the_others_are_refused(hashing: Hashing) -> None:
    hashing.try_from(*(f"192.0.2.{number}" for number in range(1, 9)))
    refused = hashing.next(5)
    assert statuses(refused) == {429}
    assert {answer["Retry-After"] for answer in refused} == {"5"}
    hashing.all_ask(3)
    hashing.let_go()
    assert statuses(hashing.next(3)) == {200}
    assert (hashing.at_once, hashing.done) == (1, 3)
    assert hashing.answers.empty()


def test_one_address_leaves_a_place_for_others(hashing: Hashing) -> None:
    hashing.try_from(*["192.0.2.7"] * 6)
    assert statuses(hashing.next(4)) == {429}
    hashing.try_from("198.51.100.9")
    hashing.all_ask(3)
    hashing.let_go()
    assert statuses(hashing.next(3)) == {200}


def test_attempts_from_no_known_address_share_no_limit_of_one(hashing: Hashing) -> None:
    hashing.try_from(*[""] * 4)
    assert statuses(hashing.next(1)) == {429}
    hashing.let_go()
    assert statuses(hashing.next(3)) == {200}


def test_a_place_is_given_back_after_a_fault(monkeypatch: pytest.MonkeyPatch, anna: Person) -> None:
    def fault(*_args: Any) -> str:
        raise MemoryError

    with monkeypatch.context() as broken:
        broken.setattr(Argon2PasswordHasher, "encode", fault)
        for _ in range(hash_queue.STRANGERS.most + 1):
            with pytest.raises(MemoryError):
                attempt("192.0.2.7")
    assert give_password(Client(), anna).status_code == 302


def test_a_turn_that_does_not_come_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    go = threading.Event()
    before = threading.Thread(target=hash_queue.run, args=(go.wait, SOON))
    before.start()
    try:
        with monkeypatch.context() as hasty:
            hasty.setattr(hash_queue, "PATIENCE", 0)
            assert attempt("192.0.2.7").status_code == 429
    finally:
        go.set()
        before.join(SOON)
    assert attempt("192.0.2.7").status_code == 200


@pytest.mark.usefixtures("full")
def test_a_refusal_keeps_the_e_mail_and_counts_nothing(anna: Person) -> None:
    entries = Entry.objects.count()
    answer = attempt("192.0.2.7", "anna@firma.example")
    page = answer.content.decode()
    assert answer.status_code == 429
    assert BUSY in page
    assert 'value="anna@firma.example"' in page
    assert "not the password" not in page
    assert (
        "W tej chwili loguje się zbyt wiele osób."
        in attempt("192.0.2.7", **{"Accept-Language": "pl"}).content.decode()
    )
    assert Entry.objects.count() == entries
    assert not AttemptCount.objects.exists()


def test_a_refusal_asks_no_database(full: ExitStack, django_assert_num_queries: Any) -> None:
    attempt("192.0.2.7")
    with django_assert_num_queries(0):
        assert attempt("192.0.2.7").status_code == 429


@pytest.mark.usefixtures("full")
def test_members_pass_while_strangers_take_all_places(world: World, anna: Person) -> None:
    link = invitations.path_of(invitations.invite(member(anna)))
    assert Client().post(link, {"password": NEW, "again": NEW}).status_code == 302


def test_members_unlock_and_change_while_strangers_take_all_places(world: World, anna: Person) -> None:
    client = sign_in(world, anna)
    with ExitStack() as places:
        for number in range(hash_queue.STRANGERS.most):
            places.enter_context(hash_queue.STRANGERS.take(number))
        world.setup.execute("UPDATE staff_session SET last_seen_at = now() - interval '1 hour'")
        proof = {"_password": PASSWORD, "_code": fresh_code(world, anna), "_page": "1"}
        assert client.post(reverse("profile"), proof).status_code == 302
        form = {"old": PASSWORD, "password": NEW, "again": NEW}
        assert client.post(reverse("change_password"), form).status_code == 302
    assert check_password(NEW, password_of(anna))


def test_members_wait_for_themselves_alone(world: World, anna: Person) -> None:
    """Whoever sends their own form over and over is refused, with what they typed; others are not."""
    client = sign_in(world, anna)
    link = invitations.path_of(invitations.invite(member(anna)))
    with hash_queue.MEMBERS.take(anna.id), hash_queue.MEMBERS.take(anna.id):
        form = {"old": PASSWORD, "password": NEW, "again": NEW}
        answers = [
            client.post(reverse("change_password"), form),
            Client().post(link, {"password": NEW, "again": NEW}),
        ]
        world.setup.execute("UPDATE staff_session SET last_seen_at = now() - interval '1 hour'")
        proof = {"_password": PASSWORD, "_code": fresh_code(world, anna), "typed": "kept"}
        answers.append(client.post(reverse("profile"), proof))
        with hash_queue.MEMBERS.take(anna.id + 1):
            pass
    assert statuses(answers) == {429}
    assert {answer["Retry-After"] for answer in answers} == {"5"}
    assert all(BUSY in answer.content.decode() for answer in answers)
    assert "kept" in answers[-1].content.decode()
    assert check_password(PASSWORD, password_of(anna))
    assert Client().post(link, {"password": NEW, "again": NEW}).status_code == 302


def test_waiting_attempts_leave_threads_for_pages() -> None:
    assert hash_queue.STRANGERS.most + hash_queue.MEMBERS.most < gunicorn.threads


@pytest.mark.skipif(sys.platform != "linux", reason="only there a thread has a priority of its own")
def test_hashing_gives_way() -> None:
    mine = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    its = hash_queue.run(lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
    assert its >= max(mine, hash_queue.NICE)
