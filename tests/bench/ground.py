"""What is measured on: a durable PostgreSQL of its own, our roles and migrations, and people at work."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import django
import psycopg
from django.core.management import call_command

from gatekeeper.demo.postgres import Server
from gatekeeper.installation import roles
from tests import environment

if TYPE_CHECKING:
    from staff.frame.callers import Caller
    from tests.world import Person, World

# A bench reveals thousands of times under one grant, for minutes, without anybody typing a code.
# The same conditions are evaluated; only their limits are far away.
PATIENCE = {
    "GATEKEEPER_VIEWS_PER_GRANT": "999999",
    "GATEKEEPER_SESSION_IDLE_MINUTES": "600",
    "GATEKEEPER_FACTOR_MINUTES": "600",
    "GATEKEEPER_RELEASE_SECONDS": "60",
}
CATEGORIES = ["contact", "company", "billing", "activity", "support"]
# What a plain INSERT writes: about as much as an entry, with a primary key, in anybody's schema.
PLAIN_TABLE = """
    CREATE SCHEMA bench AUTHORIZATION gatekeeper_owner;
    CREATE TABLE bench.plain (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(),
        member text NOT NULL, name text NOT NULL, event text NOT NULL, outcome text NOT NULL,
        session bigint, address inet, agent text NOT NULL, account text NOT NULL, ticket text NOT NULL,
        fields text[] NOT NULL, categories text[] NOT NULL, purpose text NOT NULL, approver text NOT NULL);
    GRANT USAGE ON SCHEMA bench TO gatekeeper_web, gatekeeper_vault;
    GRANT INSERT ON bench.plain TO gatekeeper_web, gatekeeper_vault;
    -- guardian's own check reads groups' rows as well; Gatekeeper has none, and gives no right to them.
    GRANT SELECT ON public.guardian_groupobjectpermission, public.staff_member_groups TO gatekeeper_web;
"""


@dataclass(frozen=True)
class Desk:
    """A consultant at work: signed in, with an account whose window is open."""

    person: Person
    caller: Caller
    account: str
    ticket: str
    grant: int


@contextmanager
def ground() -> Iterator[Server]:
    """Start the server, make the database as `bootstrap` does, and load Django; then remove it all."""
    environment.set_secrets()
    os.environ.update(PATIENCE)
    server = Server(Path(tempfile.mkdtemp(prefix="gatekeeper-bench-")))
    try:
        server.start()
        os.environ[environment.SETUP] = server.setup_url()
        with psycopg.connect(environment.setup_url(), autocommit=True) as setup:
            roles.create_roles(setup, {role: environment.password(role) for role in roles.LOGIN})
        roles.create_database(environment.setup_url(), environment.database_name())
        environment.set_databases()
        django.setup()
        call_command("migrate", verbosity=0, interactive=False)
        call_command("apply_settings", verbosity=0)
        with connect() as setup:
            setup.execute(PLAIN_TABLE)
        yield server
    finally:
        server.remove()


def connect() -> psycopg.Connection:
    """A superuser's connection to the bench's database: for setting up, never for what is measured."""
    return psycopg.connect(environment.setup_url(environment.database_name()), autocommit=True)


def begin(world: World) -> Person:
    """The agreement, the helpdesk, and a manager for all."""
    world.version()
    world.contact()
    boss = world.member("manager")
    world.signature(boss)
    return boss


def desk(world: World, boss: Person, number: int) -> Desk:
    """A consultant with an account, a ticket and an open window of their own, all of that number."""
    person = world.member("consultant", manager=boss)
    given = desk_grant(world, person, boss, number=number, signature=world.signature(person))
    return Desk(person, world.session(person), f"MOC-{number}", f"ZD-{number}", given)


def desk_grant(world: World, person: Person, boss: Person, *, number: int, signature: int) -> int:
    """An account and its ticket, with the person, and an open window for them."""
    account, ticket = f"MOC-{number}", f"ZD-{number}"
    account_id = world.account(account)
    ticket_id = world.ticket(ticket, accounts=[account], assignee=person)
    return grant(world, person, boss, account_id=account_id, ticket_id=ticket_id, signature=signature)


def grant(
    world: World, person: Person, boss: Person, *, account_id: int, ticket_id: int, signature: int
) -> int:
    """An approved request whose window is open, and guardian's row with it."""
    from tests.world import now

    assignment = _running(world, ticket_id)
    asked = {
        "member_id": person.id,
        "account_id": account_id,
        "ticket_id": ticket_id,
        "assignment_id": assignment,
        "purpose": "support_request",
        "categories": CATEGORIES,
        "minutes": 120,
        "while_open": False,
    }
    request = world.insert(
        "gatekeeper_accessrequest",
        **asked,
        reason="other",
        requested_at=now(),
        expires_at=now() + timedelta(hours=8),
        state="approved",
        denial="",
        decided_at=now(),
        decided_by_id=boss.id,
    )
    _list_for_guardian(world, person, account_id)
    return world.insert(
        "gatekeeper_grant",
        **asked,
        request_id=request,
        signature_id=signature,
        approver_id=boss.id,
        approved_at=now(),
        open_before=now() + timedelta(hours=8),
        opened_at=now(),
        window_ends_at=now() + timedelta(hours=8),
        openings=1,
        views=0,
        participants_shown=0,
        misses=0,
        end_reason="",
    )


def _running(world: World, ticket_id: int) -> int:
    row = world.setup.execute(
        "SELECT id FROM gatekeeper_assignment WHERE ticket_id = %s AND ended_at IS NULL", [ticket_id]
    ).fetchone()
    assert row is not None
    return int(row[0])


def _list_for_guardian(world: World, person: Person, account_id: int) -> None:
    world.setup.execute(
        "INSERT INTO gatekeeper_accountpermission (user_id, content_object_id, permission_id)"
        " SELECT %s, %s, id FROM auth_permission WHERE codename = 'view_personal_data'",
        [person.id, account_id],
    )
