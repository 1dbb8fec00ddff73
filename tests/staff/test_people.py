"""What people officers do, in the database and through the pages; and what nobody does."""

from __future__ import annotations

import unicodedata
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection, connections, transaction
from django.test import Client
from django.utils import timezone

from audit.models import Entry
from gatekeeper.installation import roles
from staff.directory import people
from staff.frame.callers import Caller
from staff.models import Invitation, Session
from staff.nda import signatures
from tests.conftest import AsRole, Connection
from tests.world import Person, World
from tests.world.keys import session_of
from tests.world.people import give_factors, member, sign_in

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


@pytest.fixture
def world(setup_connection: Connection) -> World:
    world = World(setup_connection)
    world.version()
    return world


@pytest.fixture
def officer(world: World) -> Person:
    return signed(world, "people")


@pytest.fixture
def anna(world: World) -> Person:
    return signed(world, "consultant")


def signed(world: World, *held: str, **facts: Any) -> Person:
    person = world.member(*held, **facts)
    world.signature(person)
    return person


def last() -> Entry:
    newest: Entry = Entry.objects.order_by("-id")[0]
    return newest


def details() -> dict[str, Any]:
    found = last().details
    assert isinstance(found, dict)
    return found


# Changes


def test_suspending_ends_the_sessions_at_once_and_is_recorded(
    world: World, officer: Person, anna: Person
) -> None:
    caller = world.session(officer)
    hers = world.session(anna)
    assert people.change_member(caller, anna.number, "suspended", True) == ""
    assert member(anna).suspended_at is not None
    assert session_of(hers.digest).ended_at is not None
    assert session_of(caller.digest).ended_at is None
    entry = last()
    assert (entry.event, entry.outcome, entry.member) == ("change", "allowed", officer.number)
    assert (entry.subject, entry.details) == (anna.number, {"suspended": [False, True]})
    assert (entry.remote_addr, entry.cid, entry.role) == ("192.0.2.1", "c-1", "people")


@pytest.mark.parametrize("role", ["manager", "reviewer", "people"])
def test_those_who_watch_may_suspend(world: World, anna: Person, role: str) -> None:
    caller = world.session(signed(world, role))
    assert people.change_member(caller, anna.number, "suspended", True) == ""


@pytest.mark.parametrize("role", ["consultant", "privacy", "administrator"])
def test_nobody_else_may(world: World, anna: Person, role: str) -> None:
    caller = world.session(signed(world, role))
    assert people.change_member(caller, anna.number, "suspended", True) == "role_missing"
    assert member(anna).suspended_at is None
    assert (last().outcome, last().reason) == ("refused", "role_missing")


def test_lifting_takes_a_second_person(world: World, officer: Person, anna: Person) -> None:
    first, second = world.session(officer), world.session(signed(world, "people"))
    manager = world.session(signed(world, "manager"))
    people.change_member(first, anna.number, "suspended", True)
    assert people.change_member(first, anna.number, "suspended", False) == "second_person"
    # Suspending again does not make it somebody else's; 'null' and 'no' are no way round.
    assert people.change_member(second, anna.number, "suspended", True) == "no_change"
    assert people.change_member(first, anna.number, "suspended", None) == "value_refused"
    assert people.change_member(first, anna.number, "suspended", "no") == "value_refused"
    assert people.change_member(manager, anna.number, "suspended", False) == "role_missing"
    assert member(anna).suspended_at is not None
    assert people.change_member(second, anna.number, "suspended", False) == "proposed"
    assert member(anna).suspended_at is not None


FACTS: list[tuple[str, people.Value]] = [
    ("suspended", True),
    ("suspended", False),
    ("roles", ["reviewer"]),
    ("manager", None),
    ("starts_on", "2020-01-01"),
    ("left_on", None),
    ("factor", "reset"),
    ("name", "Somebody Else"),
    ("email", "else@firma.example"),
    ("language", "pl"),
    ("invitation", {"digest": "00", "hours": 24}),
]


@pytest.mark.parametrize(("fact", "value"), FACTS)
def test_nobody_does_it_for_themselves(world: World, officer: Person, fact: str, value: people.Value) -> None:
    caller = world.session(officer)
    assert people.change_member(caller, officer.number, fact, value) == "not_yourself"
    assert last().reason == "not_yourself"


@pytest.mark.parametrize(("fact", "value"), FACTS[2:])
def test_the_rest_is_the_people_officers_alone(
    world: World, anna: Person, fact: str, value: people.Value
) -> None:
    for role in ("consultant", "manager", "reviewer", "privacy", "administrator"):
        caller = world.session(signed(world, role))
        assert people.change_member(caller, anna.number, fact, value) == "role_missing"


@pytest.mark.parametrize(
    ("fact", "value", "stored"),
    [
        ("roles", [], {"roles": [["consultant"], []]}),
        ("starts_on", "2030-05-01", {"starts_on": ["2020-01-01", "2030-05-01"]}),
        ("left_on", "2020-05-01", {"left_on": [None, "2020-05-01"]}),
        ("language", "pl", {"language": ["en", "pl"]}),
        ("name", "Anna Nowa", {"name": "changed"}),
        ("invitation", {"digest": "00", "hours": 24}, {"invitation": "sent"}),
    ],
)
def test_a_change_is_recorded_with_before_and_after(
    world: World, officer: Person, anna: Person, fact: str, value: Any, stored: dict[str, Any]
) -> None:
    assert people.change_member(world.session(officer), anna.number, fact, value) == ""
    assert last().details == stored


@pytest.mark.parametrize(
    ("fact", "value"),
    [
        ("roles", ["people", "manager"]),
        ("roles", ["king"]),
        ("roles", "manager"),
        ("starts_on", "soon"),
        ("left_on", {"a": 1}),
        ("manager", "K-9999"),
        ("password", "x"),
        ("email", "A@b.example"),
        ("invitation", {"digest": "zz", "hours": 24}),
    ],
)
def test_what_cannot_be_is_refused_and_recorded(
    world: World, officer: Person, anna: Person, fact: str, value: people.Value
) -> None:
    assert people.change_member(world.session(officer), anna.number, fact, value) == "value_refused"
    assert (last().outcome, last().reason) == ("refused", "value_refused")
    assert member(anna).roles == ["consultant"]


def test_leaving_ends_the_sessions_when_the_last_day_is_over(
    world: World, officer: Person, anna: Person
) -> None:
    caller, hers = world.session(officer), world.session(anna)
    today = timezone.localdate()
    people.change_member(caller, anna.number, "left_on", today.isoformat())
    assert session_of(hers.digest).ended_at is None
    people.change_member(caller, anna.number, "left_on", (today - timedelta(days=1)).isoformat())
    assert session_of(hers.digest).ended_at is not None


def test_managers_form_no_circle(world: World, officer: Person) -> None:
    top = signed(world, "manager")
    middle = signed(world, "manager", manager_id=top.id)
    low = signed(world, "consultant", "manager", manager_id=middle.id)
    caller = world.session(officer)
    for number in (low.number, middle.number, top.number):
        assert people.change_member(caller, top.number, "manager", number) == "value_refused"
    assert people.change_member(caller, low.number, "manager", top.number) == "proposed"
    assert details()["proposed"] == {"manager": [middle.number, top.number]}


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"starts_on": None}, "member_not_started"),
        ({"suspended_at": datetime(2026, 1, 1, tzinfo=UTC)}, "member_suspended"),
        ({"left_on": date(2026, 1, 1)}, "member_left"),
        ({"roles": ["consultant"]}, "role_missing"),
    ],
)
def test_an_officer_meets_the_conditions_themselves(
    world: World, officer: Person, anna: Person, facts: dict[str, Any], reason: str
) -> None:
    caller = world.session(officer)
    world.quietly("staff_member", officer.id, **facts)
    assert people.change_member(caller, anna.number, "roles", ["manager"]) == reason
    assert people.authorize(caller, "people") == reason


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"verified_at": None}, "mfa_missing"),
        ({"verified_at": datetime(2026, 1, 1, tzinfo=UTC)}, "mfa_stale"),
        ({"last_seen_at": datetime(2026, 1, 1, tzinfo=UTC)}, "session_expired"),
        ({"ended_at": datetime(2026, 1, 1, tzinfo=UTC)}, "session_missing"),
    ],
)
def test_an_officers_session_has_to_hold(
    world: World, officer: Person, anna: Person, facts: dict[str, Any], reason: str
) -> None:
    caller = world.session(officer, **facts)
    assert people.change_member(caller, anna.number, "roles", ["manager"]) == reason


def test_without_an_nda_an_officer_does_nothing(world: World, anna: Person) -> None:
    caller = world.session(world.member("people"))
    assert people.change_member(caller, anna.number, "suspended", False) == "nda_missing"
    assert signatures.withdraw(caller, 1, "revoked") == "nda_missing"


def test_the_context_names_the_request_and_nothing_else(world: World, officer: Person, anna: Person) -> None:
    caller = world.session(officer)
    forged = Caller(caller.digest, {"member": "K-0000", "account": "MOC-40001", "cid": "x" * 300})
    people.change_member(forged, anna.number, "suspended", True)
    assert (last().member, last().account, last().cid) == (officer.number, "", "x" * 64)


# The import


def line(number: str, **facts: Any) -> dict[str, Any]:
    return {
        "number": number,
        "name": f"Member {number}",
        "email": f"{number.lower()}@firma.example",
        "roles": ["consultant"],
        "manager": None,
        "language": "pl",
        "starts_on": "2020-01-01",
    } | facts


def test_members_come_from_the_personnel_system(world: World) -> None:
    lines = [line("K-0001", manager="K-0002"), line("K-0002", roles=["manager"])]
    assert people.apply_members(lines, "import_staff (root)") == [("K-0001", "new"), ("K-0002", "new")]
    first = Entry.objects.order_by("id")[0]
    assert first.details == {
        "new": True,
        "roles": [None, ["consultant"]],
        "manager": [None, "K-0002"],
        "starts_on": [None, "2020-01-01"],
        "name": "changed",
        "email": "changed",
    }
    assert (first.source, first.subject, first.member) == ("import_staff (root)", "K-0001", "")
    assert people.apply_members(lines, "again") == [("K-0001", "same"), ("K-0002", "same")]
    assert Entry.objects.count() == 2
    lines[0] |= {"manager": None, "email": "new@firma.example"}
    assert people.apply_members(lines, "again") == [("K-0001", "changed"), ("K-0002", "same")]
    assert last().details == {"new": False, "manager": ["K-0002", None], "email": "changed"}
    assert "new@firma.example" not in repr(last().__dict__)


def test_a_line_that_cannot_be_is_refused_by_itself(world: World) -> None:
    lines = [
        line("K-0001"),
        line("K-0002", email="k-0001@firma.example"),
        line("K-0003", roles=["people", "reviewer"]),
        line("K-0004", manager="K-9999"),
        line("K-0005", manager="K-0005"),
        line("K-6"),
        line("K-0007", starts_on="soon"),
        line("K-0008", manager="K-0001"),
    ]
    outcomes = dict(people.apply_members(lines, "import_staff (root)"))
    assert outcomes == {
        "K-0001": "new",
        "K-0002": "refused:email",
        "K-0003": "refused:value",
        "K-0004": "refused:manager",
        "K-0005": "refused:manager",
        "K-6": "refused:value",
        "K-0007": "refused:value",
        "K-0008": "new",
    }


def test_an_import_leaves_suspension_and_sessions_alone(world: World, officer: Person, anna: Person) -> None:
    people.change_member(world.session(officer), anna.number, "suspended", True)
    people.apply_members([line(anna.number, roles=["consultant", "manager"])], "import_staff (root)")
    assert member(anna).suspended_at is not None
    assert member(anna).roles == ["consultant", "manager"]


def test_invite_prints_a_link(world: World, anna: Person, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("invite", anna.number)
    link = capsys.readouterr().out.strip()
    assert link.startswith(f"{settings.SITE_URL}/invitation/")
    assert Invitation.objects.get().member_id == anna.id
    assert last().source.startswith("invite (")


# Rights


@pytest.mark.parametrize("role", [role for role in roles.RUN_TIME if role != roles.PEOPLE])
@pytest.mark.parametrize(
    "statement",
    [
        "SELECT staff.apply_members('[]', 'x')",
        "SELECT staff.found_member('K-0009', 'x', 'x@x.test', 'people', 'x')",
        "SELECT staff.invite_by_command('K-0001', sha256('x'), 24, 'x')",
        "SELECT staff.open_lock('K-0001', 'x', 'x')",
        "SELECT staff.record_staff_import(true, '{}', 'x')",
        "SELECT staff.add_signature('{}', '{}', 1, 'paper', '', now(), now(), '{}', '')",
        "SELECT staff.add_version('{}', '{}', 2, now(), 365, 14, false, 'a', 'b')",
        "SELECT staff.apply_change(1, NULL, 'roles', '[\"people\"]')",
        "SELECT staff.record_act('sign', '{\"reason\": \"\"}', '{}', '{}')",
        "SELECT staff.judge_command('x', 'K-0001')",
        "UPDATE public.staff_member SET roles = '{people}'",
        "UPDATE public.staff_member SET suspended_at = NULL",
        "UPDATE public.staff_signature SET valid_until = 'infinity'",
        "UPDATE public.staff_ndaversion SET term_days = 9999",
        "DELETE FROM public.staff_session",
        "DELETE FROM public.staff_member",
    ],
)
def test_no_running_role_changes_what_access_rests_on(as_role: AsRole, role: str, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_role(role).execute(statement)


def test_two_officers_who_act_on_each_other_wait_for_nobody(
    world: World, officer: Person, as_role: AsRole
) -> None:
    other = signed(world, "people")
    mine, theirs = world.session(officer), world.session(other)
    sql = "SELECT staff.change_member(%s, '{\"cid\": 1}', %s, 'starts_on', '\"2020-01-02\"')"
    first, second = as_role(roles.WEB), as_role(roles.WEB)
    second.execute("SET lock_timeout = '200ms'")
    with first.transaction():
        first.execute(sql, [mine.digest, other.number])
        with pytest.raises(psycopg.errors.LockNotAvailable):
            second.execute(sql, [theirs.digest, officer.number])
    row = second.execute(sql, [theirs.digest, officer.number]).fetchone()
    assert row == ("",)


def test_a_change_whose_entry_fails_is_no_change(world: World, officer: Person, anna: Person) -> None:
    world.setup.execute("ALTER TABLE audit_entry ADD CONSTRAINT full_disk CHECK (false) NOT VALID")
    try:
        with pytest.raises(DatabaseError):
            people.change_member(world.session(officer), anna.number, "suspended", True)
    finally:
        world.setup.execute("ALTER TABLE audit_entry DROP CONSTRAINT full_disk")
    assert member(anna).suspended_at is None
    assert connection.get_autocommit()
    with transaction.atomic(), connections["default"].cursor() as cursor:
        cursor.execute("SELECT 1")


# Pages


@pytest.fixture
def desk(world: World, officer: Person) -> Client:
    give_factors(world, officer)
    return sign_in(world, officer)


def test_the_officers_pages(world: World, desk: Client, anna: Person) -> None:
    assert anna.number in desk.get("/members/").content.decode()
    found = desk.post("/members/", {"text": member(anna).name.upper()}).content.decode()
    assert f"/members/{anna.number}/" in found
    plain = unicodedata.normalize("NFKD", member(anna).name).encode("ascii", "ignore").decode().lower()
    for text in (plain, anna.number.partition("-")[2][1:]):
        assert f"/members/{anna.number}/" in desk.post("/members/", {"text": text}).content.decode()
    endless = desk.post("/members/", {"text": "x" * 300})
    assert (endless.status_code, endless.context["rows"]) == (422, [])
    assert "There is a problem" in endless.content.decode()
    assert b"No results" in desk.post("/members/", {"text": "nobody at all"}).content
    assert desk.get(f"/members/{anna.number}/").status_code == 200
    assert desk.get("/members/K-9999/").status_code == 404
    assert desk.get("/ndas/").status_code == 200


@pytest.mark.parametrize(
    ("action", "form"),
    [
        ("suspend", {"sure": "1"}),
        ("leave", {"leave-day": "2040-12-31"}),
        ("leave", {"leave-day": "2026-01-01", "sure": "1"}),
        ("start", {"start-day": "2020-02-02"}),
        ("roles", {"roles-roles": ""}),
        ("name", {"name-name": "Anna Nowa"}),
        ("email", {"email-email": "Nowa@Firma.example "}),
        ("language", {"language-language": "pl"}),
    ],
)
def test_acts_through_the_page(
    world: World, desk: Client, anna: Person, action: str, form: dict[str, Any]
) -> None:
    address = f"/members/{anna.number}/"
    response = desk.post(f"{address}{action}/", form)
    assert (response.status_code, response["Location"]) == (302, address)
    assert (last().outcome, last().subject) == ("allowed", anna.number)
    assert b"recorded" in desk.get(address).content


def test_a_link_is_shown_once(world: World, desk: Client, anna: Person) -> None:
    address = f"/members/{anna.number}/"
    shown = desk.post(f"{address}invite/").content.decode()
    assert f"{settings.SITE_URL}/invitation/" in shown
    assert "/invitation/" not in desk.get(address).content.decode()


def test_refusals_through_the_page(world: World, desk: Client, officer: Person, anna: Person) -> None:
    assert desk.post(f"/members/{officer.number}/suspend/").status_code == 409
    assert desk.post(f"/members/{officer.number}/name/", {"name-name": "Me"}).status_code == 409
    assert desk.post(f"/members/{anna.number}/roles/", {"roles-roles": ["king"]}).status_code == 422
    assert (
        desk.post(f"/members/{anna.number}/roles/", {"roles-roles": ["people", "manager"]}).status_code == 409
    )
    assert desk.post(f"/members/{anna.number}/promote/").status_code == 404
    assert desk.post("/members/K-9999/suspend/").status_code == 404
    assert desk.get(f"/members/{anna.number}/suspend/")["Location"] == f"/members/{anna.number}/"
    # More in the form than it has changes nothing more.
    desk.post(f"/members/{anna.number}/start/", {"start-day": "2020-01-01", "roles": "people"})
    assert member(anna).roles == ["consultant"]


def test_a_stale_factor_is_asked_for_again_and_leads_back(
    world: World, desk: Client, officer: Person, anna: Person
) -> None:
    session = Session.objects.get(member_id=officer.id)
    world.change("staff_session", session.pk, verified_at=timezone.now() - timedelta(hours=1))
    address = f"/members/{anna.number}/"
    response = desk.post(f"{address}lift/")
    assert response.status_code == 403
    assert f'action="{address}lift/"' in response.content.decode()
    assert (last().outcome, last().reason) == ("refused", "mfa_stale")
    assert desk.get("/ndas/")["Location"] == "/step-up/?next=%2Fndas%2F"


@pytest.mark.parametrize("role", ["consultant", "privacy", "administrator"])
def test_the_pages_are_shut_to_others(world: World, anna: Person, role: str) -> None:
    other = signed(world, role)
    give_factors(world, other)
    client = sign_in(world, other)
    for address in ("/members/", f"/members/{anna.number}/", "/ndas/"):
        response = client.get(address)
        assert response.status_code == 403
        assert b"role_missing" in response.content
        assert member(anna).name.encode() not in response.content
    for action in ("suspend", "lift", "roles", "invite", "withdraw"):
        response = client.post(f"/members/{anna.number}/{action}/", {"sure": "1"})
        assert response.status_code == 403
        assert member(anna).email.encode() not in response.content
    assert not Invitation.objects.exists()
