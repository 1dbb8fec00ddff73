"""Commands about members: a role of their own, and functions that do no more than each command does."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from audit.models import Entry
from gatekeeper.installation import roles
from staff.directory import people
from staff.models import AttemptCount, Invitation, Member
from staff.sign_in import invitations, lockout
from tests.world import Person, World, racing
from tests.world.people import give_factors, sign_in
from tests.world.schemas import FUNCTIONS

if TYPE_CHECKING:
    from tests.conftest import AsRole, Connection

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

SOURCE = "bootstrap (root)"
FOUNDING = "SELECT staff.found_member(%s, 'Ona Pirmoji', %s, 'people', 'bootstrap (root)')"


@pytest.fixture
def world(setup_connection: Connection) -> World:
    return World(setup_connection)


def found(number: str, role: str = "people") -> str:
    return people.found(number, "Ona Pirmoji", f"{number.lower()}@firma.example", role, SOURCE)


def test_the_role_may_do_what_the_commands_do_and_nothing_else(setup_connection: Connection) -> None:
    may = setup_connection.execute(
        f"""SELECT array_agg(p.proname::text ORDER BY p.proname) FROM pg_proc p
            JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname IN {FUNCTIONS}
                AND has_function_privilege('gatekeeper_people', p.oid, 'EXECUTE')"""
    ).fetchone()
    expected = ["apply_members", "found_member", "invite_by_command", "open_lock", "record_staff_import"]
    assert may == (expected,)


# The first people


def test_two_of_each_are_founded_and_no_more(world: World) -> None:
    assert [found("K-0001"), found("K-0002")] == ["new", "new"]
    assert [found("K-0003", "administrator"), found("K-0004", "administrator")] == ["new", "new"]
    entries = Entry.objects.count()
    assert [found("K-0005"), found("K-0006", "administrator")] == ["founded", "founded"]
    assert found("K-0001") == "known"
    refused = Entry.objects.order_by("id")[entries:]
    assert [(one.outcome, one.reason, one.source) for one in refused] == [("refused", "founded", SOURCE)] * 2
    assert not Member.objects.filter(number__in=["K-0005", "K-0006"]).exists()


@pytest.mark.parametrize("role", ["reviewer", "manager", "consultant", "privacy", "", "nonsense"])
def test_no_other_role_is_founded(world: World, role: str) -> None:
    assert found("K-0001", role) == "value_refused"
    assert not Member.objects.exists()


def test_founding_changes_nobody(world: World) -> None:
    anna = world.member("consultant")
    before = Member.objects.values().get(pk=anna.id)
    assert people.found(anna.number, "Anna", before["email"], "people", SOURCE) == "value_refused"
    assert Member.objects.values().get(pk=anna.id) == before


def test_nobody_is_founded_once_anybody_has_signed_in(world: World) -> None:
    assert found("K-0001") == "new"
    founder = Member.objects.get(number="K-0001")
    person = Person(founder.pk, founder.number)
    give_factors(world, person)
    assert found("K-0001") == "enrolled"
    assert invitations.found("K-0001", "Ona Pirmoji", "k-0001@firma.example", "people") == ""
    sign_in(world, person)
    assert found("K-0002") == "founded"
    with pytest.raises(invitations.InvitationError, match="founded"):
        invitations.found("K-0002", "Jan Drugi", "k-0002@firma.example", "people")
    assert Member.objects.count() == 1


def test_two_foundings_at_once_do_not_make_three(world: World, as_role: AsRole) -> None:
    assert found("K-0001") == "new"
    first, second = as_role(roles.PEOPLE), as_role(roles.PEOPLE)
    with ThreadPoolExecutor(1) as other:
        with first.transaction():
            assert first.execute(FOUNDING, ["K-0002", "b@firma.example"]).fetchone() == ("new",)
            late = other.submit(second.execute, FOUNDING, ["K-0003", "c@firma.example"])
            racing.until_waiting(world.setup, 1)
        assert late.result().fetchone() == ("founded",)
    assert Member.objects.count() == 2


# Links and locks


@pytest.mark.parametrize(
    ("digest", "hours"), [("'short'", "24"), ("NULL", "24"), ("sha256('x')", "0"), ("sha256('x')", "NULL")]
)
def test_a_link_that_cannot_be_is_not_made(world: World, as_role: AsRole, digest: str, hours: str) -> None:
    anna = world.member("consultant")
    call = f"SELECT staff.invite_by_command('{anna.number}', {digest}, {hours}, 'invite (root)')"
    assert as_role(roles.PEOPLE).execute(call.encode()).fetchone() == ("value_refused",)
    assert not Invitation.objects.exists()


def test_a_link_lasts_a_week_at_most(world: World, as_role: AsRole) -> None:
    anna = world.member("consultant")
    call = f"SELECT staff.invite_by_command('{anna.number}', sha256('x'), 9999, 'invite (root)')"
    assert as_role(roles.PEOPLE).execute(call.encode()).fetchone() == ("",)
    assert Invitation.objects.get().expires_at < timezone.now() + timedelta(days=7, minutes=1)


@pytest.mark.parametrize("command", ["invite", "open_lock"])
def test_a_number_that_is_nobodys_is_refused_and_recorded(world: World, command: str) -> None:
    with pytest.raises(CommandError, match="no member"):
        call_command(command, "K-9999")
    entry = Entry.objects.get()
    assert (entry.outcome, entry.reason, entry.source.split(" ")[0]) == ("refused", "member_unknown", command)


@pytest.mark.parametrize(
    "call", ["invite_by_command(NULL, sha256('x'), 24, 'x')", "open_lock(NULL, 'x', 'x')"]
)
def test_no_number_is_nobodys(world: World, as_role: AsRole, call: str) -> None:
    (answer,) = as_role(roles.PEOPLE).execute(f"SELECT staff.{call}::text".encode()).fetchone() or ("",)
    assert "member_unknown" in answer


def test_a_lock_is_opened_for_one_member_alone(world: World) -> None:
    anna, ewa = world.member("consultant"), world.member("consultant")
    for person in (anna, ewa):
        AttemptCount.objects.create(
            about=lockout.name_of(f"{person.number.lower()}@firma.example"),
            remote_addr="192.0.2.1",
            quarter=1,
            attempts=10,
            last_at=timezone.now(),
        )
    call_command("open_lock", anna.number)
    (left,) = AttemptCount.objects.all()
    assert left.about == lockout.name_of(f"{ewa.number.lower()}@firma.example")
