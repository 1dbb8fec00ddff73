"""That the suite's own watch bites: a transaction that writes what must be recorded, and no entry, fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
from django.db import DatabaseError, connections, transaction
from psycopg.types.json import Jsonb

from audit.models import Entry, Event
from staff.models import Member, TotpDevice
from tests.world import World, recording
from tests.world.scene import Scene

if TYPE_CHECKING:
    from tests.conftest import AsRole, Connection
    from tests.world import Person

ASKED = """
    SELECT DISTINCT n.nspname || '.' || c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE t.tgname LIKE 'recorded\\_%' AND t.tgenabled = 'O'
"""
pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


@pytest.fixture
def anna(setup_connection: Connection) -> Person:
    return World(setup_connection).member("consultant")


def test_a_change_without_an_entry_fails_and_stays_known(setup_connection: Connection, anna: Person) -> None:
    with pytest.raises(DatabaseError, match=r"a write slips by: UPDATE of public\.staff_member"):
        Member.objects.filter(pk=anna.id).update(theme="dark")
    assert Member.objects.get().theme == "auto"
    assert recording.slip(setup_connection) == "staff_member"
    assert recording.slip(setup_connection) == ""


def test_whoever_swallows_the_error_does_not_hide_it(setup_connection: Connection, anna: Person) -> None:
    try:
        Member.objects.filter(pk=anna.id).update(theme="dark")
    except DatabaseError:
        transaction.get_connection().close()
    assert recording.slip(setup_connection) == "staff_member"


def test_with_an_entry_of_the_same_transaction_it_passes(setup_connection: Connection, anna: Person) -> None:
    with transaction.atomic():
        Member.objects.filter(pk=anna.id).update(theme="dark")
        Entry.objects.create(
            event=Event.CHANGE, member=anna.number, member_name="A", cid="c-1", object_repr="theme"
        )
    assert Member.objects.get().theme == "dark"
    assert recording.slip(setup_connection) == ""


def test_an_entry_of_another_transaction_is_none(setup_connection: Connection, anna: Person) -> None:
    Entry.objects.create(event=Event.CHANGE, member=anna.number, member_name="A", cid="c-1", object_repr="x")
    with pytest.raises(DatabaseError, match="a write slips by"):
        Member.objects.filter(pk=anna.id).update(theme="dark")
    assert recording.slip(setup_connection) == "staff_member"


def test_anothers_entry_of_the_same_moment_is_none(setup_connection: Connection, anna: Person) -> None:
    transaction.set_autocommit(False)
    Member.objects.filter(pk=anna.id).update(theme="dark")
    setup_connection.execute("SET ROLE gatekeeper_owner")
    setup_connection.execute(
        "SELECT audit.write_entry('seal', 'allowed', %s)", [Jsonb({"source": "x", "details": {}})]
    )
    setup_connection.execute("RESET ROLE")
    with pytest.raises(DatabaseError, match="a write slips by"):
        transaction.commit()
    transaction.rollback()
    transaction.set_autocommit(True)
    assert recording.slip(setup_connection) == "staff_member"


def test_what_a_function_writes_is_seen_as_well(setup_connection: Connection) -> None:
    """A definer's writes are its caller's: the session's role is asked, not the current one."""
    scene = Scene(setup_connection)
    scene.ask()
    setup_connection.execute(
        "CREATE FUNCTION recording.quietly() RETURNS void LANGUAGE sql SECURITY DEFINER AS"
        " $$ UPDATE public.gatekeeper_accessrequest SET state = 'denied', decided_at = now() $$"
    )
    setup_connection.execute("GRANT USAGE ON SCHEMA recording TO gatekeeper_vault")
    try:
        with pytest.raises(DatabaseError, match="gatekeeper_accessrequest without an entry"):
            connections["vault"].cursor().execute("SELECT recording.quietly()")
    finally:
        setup_connection.execute("DROP FUNCTION recording.quietly()")
        setup_connection.execute("REVOKE USAGE ON SCHEMA recording FROM gatekeeper_vault")
    assert recording.slip(setup_connection) == "gatekeeper_accessrequest"


@pytest.mark.parametrize("role", ["gatekeeper_web", "gatekeeper_migrator"])
def test_every_role_is_watched_over_any_connection(
    setup_connection: Connection, as_role: AsRole, anna: Person, role: str
) -> None:
    connection = as_role(role)
    if role == "gatekeeper_migrator":
        connection.execute("SET ROLE gatekeeper_owner")
    with pytest.raises(psycopg.errors.RaiseException, match="a write slips by"):
        connection.execute("UPDATE public.staff_member SET theme = 'dark'")
    assert recording.slip(setup_connection) == "staff_member"


def test_what_needs_none_passes_and_the_same_row_does_not_when_it_counts(
    setup_connection: Connection, as_role: AsRole, anna: Person
) -> None:
    waiting = TotpDevice.objects.create(user_id=anna.id, name="", confirmed=False, encrypted_key=b"x")
    TotpDevice.objects.filter(pk=waiting.pk).update(throttling_failure_count=1)
    assert recording.slip(setup_connection) == ""
    owner = as_role("gatekeeper_migrator")
    owner.execute("SET ROLE gatekeeper_owner")  # signing in itself is refused before
    with pytest.raises(
        psycopg.errors.RaiseException, match=r"a write slips by: UPDATE of public\.staff_totpdevice"
    ):
        owner.execute("UPDATE public.staff_totpdevice SET confirmed = true")
    assert recording.slip(setup_connection) == "staff_totpdevice"


def test_a_test_may_write_past_the_application_if_it_says_so(
    setup_connection: Connection, anna: Person
) -> None:
    with recording.off():
        Member.objects.filter(pk=anna.id).update(theme="dark")
    assert recording.slip(setup_connection) == ""
    with pytest.raises(DatabaseError):
        Member.objects.filter(pk=anna.id).update(theme="light")
    assert recording.slip(setup_connection) == "staff_member"


def test_every_table_is_asked_about_or_has_its_reason(setup_connection: Connection) -> None:
    tables = {table for (table,) in setup_connection.execute(recording.TABLES).fetchall()}
    assert recording.FREE.keys() | recording.ONLY.keys() <= tables
    assert not recording.FREE.keys() & recording.ONLY.keys()
    assert all(recording.FREE.values())
    assert all(rows.why for rows in recording.ONLY.values())
    asked = {table for (table,) in setup_connection.execute(ASKED).fetchall()}
    assert asked == tables - recording.FREE.keys()
