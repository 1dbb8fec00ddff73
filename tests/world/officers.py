"""A company with few officers, who suspend one another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connections

from staff.directory import people, proposals
from staff.frame.sign_in import SIGN_IN
from staff.models import Proposal, Session
from tests.conftest import Connection
from tests.world import Person, World, now, racing
from tests.world.people import give_factors, sign_in

if TYPE_CHECKING:
    from django.test import Client

    from tests.world import Person


@dataclass
class Company:
    """Two able people officers, reviewers, administrators; a director, a manager below, and a consultant."""

    world: World
    officers: list[Person] = field(init=False)
    reviewers: list[Person] = field(init=False)
    administrators: list[Person] = field(init=False)
    director: Person = field(init=False)
    boss: Person = field(init=False)
    anna: Person = field(init=False)

    def __post_init__(self) -> None:
        self.world.version()
        self.officers = [self.able("people") for _ in range(2)]
        self.reviewers = [self.able("reviewer") for _ in range(2)]
        self.administrators = [self.able("administrator") for _ in range(2)]
        self.director = self.able("manager")
        self.boss = self.able("manager", manager=self.director)
        self.anna = self.able("consultant", manager=self.boss)

    def able(self, *held: str, **facts: Any) -> Person:
        """A member who is able to act: with a signature, and a second factor in use."""
        person = self.world.member(*held, **facts)
        self.world.signature(person)
        self.factor(person)
        return person

    def factor(self, person: Person) -> int:
        return self.world.insert(
            "staff_totpdevice",
            user_id=person.id,
            name="totp",
            confirmed=True,
            throttling_failure_count=0,
            encrypted_key=b"x",
            last_step=-1,
        )

    def passkey(self, person: Person) -> int:
        return self.world.insert(
            "django_otp_webauthn_webauthncredential",
            user_id=person.id,
            name="key",
            confirmed=True,
            credential_type="public-key",
            credential_id=b"1",
            credential_id_sha256="1" * 64,
            public_key=b"1",
            transports="[]",
            sign_count=0,
            backup_eligible=False,
            backup_state=False,
            aaguid="00000000-0000-0000-0000-000000000000",
            created_at=now(),
        )

    def suspend(self, subject: Person, by: Person) -> str:
        return people.change_member(self.world.session(by), subject.number, "suspended", True)

    def decide(self, proposal: int, by: Person, *, confirm: bool = True) -> str:
        return proposals.decide(self.world.session(by), proposal, confirm=confirm)

    def later(self, *, hours: float) -> None:
        """So much time passes for every suspension and what waits."""
        passed = timedelta(hours=hours)
        with self.world.setup.transaction():
            self.world.setup.execute("SET LOCAL session_replication_role = replica")
            self.world.setup.execute(
                "UPDATE staff_member SET suspended_at = suspended_at - %(by)s,"
                " suspended_until = suspended_until - %(by)s",
                {"by": passed},
            )
            # What a proposal was made against is the hour of the suspension.
            self.world.setup.execute(
                "UPDATE staff_proposal SET proposed_at = proposed_at - %(by)s,"
                " expires_at = expires_at - %(by)s, before = CASE WHEN jsonb_typeof(before) = 'string'"
                " THEN to_jsonb(((before #>> '{}')::timestamptz - %(by)s)) ELSE before END",
                {"by": passed},
            )


@pytest.fixture
def company(setup_connection: Connection) -> Company:
    setup_connection.execute("SET timezone = 'UTC'")
    return Company(World(setup_connection))


def able(role: str) -> set[int]:
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT staff.able(%s)", [role])
        return {one for (one,) in cursor.fetchall()}


def running(person: Person) -> int:
    return Session.objects.filter(member_id=person.id, ended_at=None).count()


def is_let_in(person: Person) -> bool:
    """Whether a session can be begun for the member, as signing in begins it."""
    with connections[SIGN_IN].cursor() as cursor:
        cursor.execute(
            'SELECT staff.begin_session(sha256(uuid_send(gen_random_uuid())), \'{"cid": "1"}\', %s,'
            " 'password', '{}')",
            [person.id],
        )
        return cursor.fetchone()[0] is not None


def waiting(person: Person) -> Proposal:
    return Proposal.objects.get(subject_id=person.id, fact="suspended", state="pending")


def of(table: str, column: str) -> str:
    """The id of the officer's row there."""
    return f"SELECT id FROM {table} WHERE {column} = %s"


def changed(table: str, column: str, **facts: Any) -> Callable[[World, Person], None]:
    def change(world: World, person: Person) -> None:
        number = racing.row(world.setup, of(table, column), [person.id])[0]
        world.quietly(table, number, **facts)

    return change


def desk(house: Company, person: Person) -> Client:
    house.world.setup.execute("DELETE FROM staff_totpdevice WHERE user_id = %s", [person.id])
    give_factors(house.world, person)
    return sign_in(house.world, person)


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())
