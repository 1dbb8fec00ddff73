"""What opens something up takes two people: proposing, confirming, and every way round it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import connections
from django.utils import timezone

from audit.models import Entry
from gatekeeper.installation import roles
from gatekeeper.models import AccessRequest, AccountPermission, Deputy, Grant
from staff.directory import people, proposals
from staff.frame.callers import Caller
from staff.models import Invitation, Member, Proposal, Session, Signature, TotpDevice
from tests.conftest import AsRole, Connection, empty_tables
from tests.world import Person, World, now
from tests.world.house import NEW, House, newest, state_of
from tests.world.keys import session_of
from tests.world.people import give_factors, member, password_of, sign_in
from tests.world.scene import Scene
from tests.world.twins import Twins

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

LONG_AGO = date(2020, 1, 1)


@pytest.fixture
def house(setup_connection: Connection) -> House:
    return House(World(setup_connection))


def facts_of(person: Person) -> dict[str, Any]:
    """Everything about a member that a change could touch."""
    one = member(person)
    return {
        "roles": one.roles,
        "manager": one.manager_id,
        "suspended": one.suspended_at,
        "left_on": one.left_on,
        "starts_on": one.starts_on,
        "factors": TotpDevice.objects.filter(user=one).count(),
        "sessions": Session.objects.filter(member=one, ended_at=None).count(),
    }


# What is proposed, and what is done at once

YESTERDAY = timezone.localdate() - timedelta(days=2)
#: Facts of Anna beforehand; then the fact and the value that opens something up.
OPENING: dict[str, tuple[dict[str, Any], str, Any]] = {
    "giving manager": ({}, "roles", ["consultant", "manager"]),
    "giving reviewer": ({}, "roles", ["reviewer"]),
    "giving people": ({}, "roles", ["people"]),
    "giving privacy": ({}, "roles", ["privacy"]),
    "giving administrator": ({}, "roles", ["administrator"]),
    "exchanging a role": ({"roles": ["reviewer"]}, "roles", ["privacy"]),
    "another manager": ({}, "manager", "BOSS2"),
    "a first manager of somebody who is there": ({"manager_id": None}, "manager", "BOSS2"),
    "no manager": ({}, "manager", None),
    "resetting factors": ({}, "factor", "reset"),
    "lifting a suspension": ({"suspended_at": datetime(2026, 1, 1, tzinfo=UTC)}, "suspended", False),
    "coming back": ({"left_on": YESTERDAY}, "left_on", None),
    "coming back for a time": ({"left_on": YESTERDAY}, "left_on", "2099-01-01"),
}


@pytest.mark.parametrize("case", OPENING)
def test_what_opens_something_up_is_proposed_and_changes_nothing(house: House, case: str) -> None:
    facts, fact, value = OPENING[case]
    give_factors(house.world, house.anna)
    house.given(**facts)
    given = house.hire("manager").number if value == "BOSS2" else value
    before = facts_of(house.anna)
    assert people.change_member(house.by(house.ewa), house.anna.number, fact, given) == "proposed"
    assert facts_of(house.anna) == before
    one = Proposal.objects.get()
    assert (one.subject_id, one.fact, one.value) == (house.anna.id, fact, given)
    assert (one.proposed_by_id, one.source, one.state) == (house.ewa.id, "", "pending")
    assert one.expires_at - one.proposed_at == timedelta(days=7)
    entry = newest()
    assert (entry.event, entry.outcome) == ("change", "allowed")
    assert (entry.member, entry.subject) == (house.ewa.number, house.anna.number)
    assert isinstance(entry.details, dict)
    assert entry.details["proposal"] == one.pk
    assert list(entry.details["proposed"]) == [fact]


AT_ONCE: dict[str, tuple[dict[str, Any], str, Any, Any]] = {
    "suspending": ({}, "suspended", True, True),
    "taking roles away": ({"roles": ["consultant", "manager"]}, "roles", ["consultant"], ["consultant"]),
    "taking the last role away": ({"roles": ["people"]}, "roles", [], []),
    "giving consultant": ({"roles": []}, "roles", ["consultant"], ["consultant"]),
    "giving consultant beside manager": (
        {"roles": ["manager"]},
        "roles",
        ["consultant", "manager"],
        ["consultant", "manager"],
    ),
    "a first day": ({"starts_on": None}, "starts_on", "2020-02-02", "2020-02-02"),
    "a later first day": ({}, "starts_on", "2099-01-01", "2099-01-01"),
    "leaving": ({}, "left_on", "2026-01-01", "2026-01-01"),
    "an earlier last day": ({"left_on": date(2099, 1, 1)}, "left_on", "2098-01-01", "2098-01-01"),
    "a planned last day put off": ({"left_on": date(2098, 1, 1)}, "left_on", None, None),
    "another past last day": ({"left_on": date(2026, 1, 2)}, "left_on", "2026-01-01", "2026-01-01"),
    "a name": ({}, "name", "Anna Nowa", "Anna Nowa"),
    "an address": ({}, "email", "nowa@firma.example", "nowa@firma.example"),
    "a language": ({}, "language", "pl", "pl"),
}


@pytest.mark.parametrize("case", AT_ONCE)
def test_what_closes_or_is_harmless_happens_at_once(house: House, case: str) -> None:
    facts, fact, value, stored = AT_ONCE[case]
    house.given(**facts)
    assert people.change_member(house.by(house.ewa), house.anna.number, fact, value) == ""
    one = member(house.anna)
    found = one.suspended_at is not None if fact == "suspended" else getattr(one, fact)
    assert (found.isoformat() if isinstance(found, date) else found) == stored
    assert not Proposal.objects.exists()
    assert newest().outcome == "allowed"


def test_names_and_addresses_never_enter_the_log(house: House) -> None:
    caller = house.by(house.ewa)
    people.change_member(caller, house.anna.number, "name", "Secret Name")
    assert newest().details == {"name": "changed"}
    people.change_member(caller, house.anna.number, "email", "secret@firma.example")
    assert newest().details == {"email": "changed"}
    assert "secret" not in repr([entry.__dict__ for entry in Entry.objects.all()]).lower()


def test_the_address_of_another_is_refused(house: House) -> None:
    taken = member(house.boss).email
    assert people.change_member(house.by(house.ewa), house.anna.number, "email", taken) == "member_known"
    assert newest().reason == "member_known"


def test_a_new_address_ends_the_links_that_went_to_the_old(house: House) -> None:
    call_command("invite", house.anna.number)
    people.change_member(house.by(house.ewa), house.anna.number, "email", "nowa@firma.example")
    assert not Invitation.objects.filter(expires_at__gt=timezone.now()).exists()


@pytest.mark.parametrize(
    ("fact", "value"),
    [
        ("left_on", "infinity"),
        ("starts_on", "today"),
        ("starts_on", "2026-02-31"),
        ("email", "no address"),
        ("email", "Upper@firma.example"),
        ("name", ""),
        ("name", "a\nb"),
        ("name", "x" * 201),
        ("language", "de"),
        ("factor", "all"),
        ("roles", ["manager", "king"]),
        ("roles", ["reviewer", "manager"]),
        ("manager", "K-9999"),
        ("manager", ["K-1000"]),
        ("suspended", "false"),
    ],
)
def test_what_cannot_be_is_not_even_proposed(house: House, fact: str, value: Any) -> None:
    reason = people.change_member(house.by(house.ewa), house.anna.number, fact, value)
    assert reason == "value_refused"
    assert not Proposal.objects.exists()


def test_one_change_of_a_fact_waits_at_a_time(house: House) -> None:
    first = house.propose()
    caller = house.by(house.jan)
    assert people.change_member(caller, house.anna.number, "roles", ["people"]) == "proposal_waits"
    assert newest().reason == "proposal_waits"
    assert people.change_member(caller, house.anna.number, "factor", "reset") == "proposed"
    house.decline(first)
    assert people.change_member(caller, house.anna.number, "roles", ["people"]) == "proposed"


# Confirming


@pytest.mark.parametrize("case", OPENING)
@pytest.mark.parametrize("who", ["jan", "ola"])
def test_a_second_person_confirms_and_it_is_done(house: House, case: str, who: str) -> None:
    facts, fact, value = OPENING[case]
    give_factors(house.world, house.anna)
    house.given(**facts)
    boss = house.hire("manager")
    given = boss.number if value == "BOSS2" else value
    confirmer = getattr(house, who)
    proposal = house.propose(fact, given)
    assert house.confirm(proposal, confirmer) == ""
    one = member(house.anna)
    done = {
        "roles": one.roles == given,
        "manager": one.manager_id == (boss.id if given else None),
        "factor": not TotpDevice.objects.filter(user=one).exists(),
        "suspended": one.suspended_at is None,
        "left_on": (one.left_on and one.left_on.isoformat()) == given,
    }
    assert done[fact]
    decided = Proposal.objects.get(pk=proposal)
    assert (decided.state, decided.decided_by_id) == ("confirmed", confirmer.id)
    entry = newest()
    assert (entry.member, entry.subject) == (confirmer.number, house.anna.number)
    assert isinstance(entry.details, dict)
    assert (entry.details["proposal"], entry.details["decision"]) == (proposal, "confirmed")
    assert entry.details["proposed_by"] == house.ewa.number
    assert fact in entry.details


def test_declining_changes_nothing_and_says_who(house: House) -> None:
    proposal = house.propose()
    assert house.decline(proposal, house.ola) == ""
    assert member(house.anna).roles == ["consultant"]
    assert (state_of(proposal), newest().member) == ("declined", house.ola.number)
    assert house.confirm(proposal) == "proposal_decided"


def test_the_proposer_may_take_it_back(house: House) -> None:
    proposal = house.propose()
    assert house.decline(proposal, house.ewa) == ""
    assert state_of(proposal) == "withdrawn"
    assert house.confirm(proposal) == "proposal_decided"


def test_attack_02_nobody_confirms_what_they_proposed(house: House) -> None:
    proposal = house.propose()
    assert house.confirm(proposal, house.ewa) == "second_person"
    assert proposals.decide(house.by(house.ewa), proposal, confirm=True) == "second_person"
    assert (newest().outcome, newest().reason) == ("refused", "second_person")
    assert member(house.anna).roles == ["consultant"]
    assert state_of(proposal) == "pending"


def test_attack_02_nobody_decides_about_themselves(house: House) -> None:
    proposal = house.propose("factor", "reset", about=house.jan)
    assert house.confirm(proposal, house.jan) == "not_yourself"
    assert house.decline(proposal, house.jan) == "not_yourself"
    assert state_of(proposal) == "pending"


def test_attack_02_an_administrator_does_not_propose(house: House) -> None:
    for fact, value in (("factor", "reset"), ("roles", ["people"]), ("suspended", False)):
        assert people.change_member(house.by(house.ola), house.jan.number, fact, value) == "role_missing"
    assert not Proposal.objects.exists()


def test_attack_02_who_suspended_neither_proposes_to_lift_it_nor_confirms(house: House) -> None:
    kim = house.hire("people")
    people.change_member(house.by(house.jan), house.anna.number, "suspended", True)
    assert people.change_member(house.by(house.jan), house.anna.number, "suspended", False) == "second_person"
    proposal = house.propose("suspended", False)
    assert house.confirm(proposal, house.jan) == "second_person"
    assert member(house.anna).suspended_at is not None
    assert house.confirm(proposal, kim) == ""
    assert member(house.anna).suspended_at is None


def test_attack_02_the_table_itself_refuses_one_person(house: House) -> None:
    """Past every function, as the owner would write it."""
    proposal = house.propose()
    for column, who in (("decided_by_id", house.ewa), ("decided_by_id", house.anna)):
        with pytest.raises(psycopg.errors.CheckViolation):
            house.world.change("staff_proposal", proposal, **{"state": "confirmed", column: who.id})
    with pytest.raises(psycopg.errors.CheckViolation):
        house.world.change("staff_proposal", proposal, proposed_by_id=house.anna.id)


@pytest.mark.parametrize("role", ["consultant", "manager", "reviewer", "privacy"])
def test_nobody_else_decides(house: House, role: str) -> None:
    other = house.hire(role)
    proposal = house.propose()
    assert house.confirm(proposal, other) == "role_missing"
    assert house.decline(proposal, other) == "role_missing"
    assert (newest().outcome, newest().reason) == ("refused", "role_missing")
    assert state_of(proposal) == "pending"


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"starts_on": None}, "member_not_started"),
        ({"suspended_at": datetime(2026, 1, 1, tzinfo=UTC)}, "member_suspended"),
        ({"left_on": date(2026, 1, 1)}, "member_left"),
        ({"roles": ["consultant"]}, "role_missing"),
    ],
)
def test_attack_03_the_second_person_is_judged_at_that_moment(
    house: House, facts: dict[str, Any], reason: str
) -> None:
    proposal, caller = house.propose(), house.by(house.jan)
    house.world.quietly("staff_member", house.jan.id, **facts)
    assert proposals.decide(caller, proposal, confirm=True) == reason
    assert member(house.anna).roles == ["consultant"]


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"verified_at": None}, "mfa_missing"),
        ({"verified_at": datetime(2026, 1, 1, tzinfo=UTC)}, "mfa_stale"),
        ({"ended_at": datetime(2026, 1, 1, tzinfo=UTC)}, "session_missing"),
    ],
)
def test_the_second_persons_session_has_to_hold(house: House, facts: dict[str, Any], reason: str) -> None:
    proposal = house.propose()
    assert proposals.decide(house.by(house.jan, **facts), proposal, confirm=True) == reason
    assert proposals.decide(Caller(None, {"cid": "c-1"}), proposal, confirm=True) == "session_missing"


def test_the_second_person_has_an_nda(house: House) -> None:
    proposal, other = house.propose(), house.world.member("people")
    assert house.confirm(proposal, other) == "nda_missing"


@pytest.mark.parametrize(
    "facts",
    [
        {"roles": ["consultant"]},
        {"suspended_at": datetime(2026, 1, 1, tzinfo=UTC)},
        {"left_on": date(2026, 1, 1)},
        {"starts_on": date(2099, 1, 1)},
    ],
)
def test_attack_03_what_an_officer_proposed_lapses_when_they_are_one_no_more(
    house: House, facts: dict[str, Any]
) -> None:
    proposal = house.propose()
    house.world.quietly("staff_member", house.ewa.id, **facts)
    assert house.confirm(proposal) == "proposal_lapsed"
    assert (state_of(proposal), member(house.anna).roles) == ("lapsed", ["consultant"])
    assert (newest().outcome, newest().reason) == ("refused", "proposal_lapsed")


@pytest.mark.parametrize(
    "facts", [{"withdrawn_at": now(), "withdrawn_why": "declared"}, {"valid_until": now()}]
)
def test_nor_does_it_count_without_an_agreement_of_theirs(house: House, facts: dict[str, Any]) -> None:
    proposal = house.propose()
    [(number,)] = house.world.setup.execute(
        "SELECT id FROM staff_signature WHERE member_id = %s", [house.ewa.id]
    ).fetchall()
    house.world.quietly("staff_signature", number, **facts)
    assert house.confirm(proposal) == "proposal_lapsed"
    assert member(house.anna).roles == ["consultant"]


def test_attack_05_not_after_its_time(house: House) -> None:
    proposal = house.propose()
    house.world.change("staff_proposal", proposal, expires_at=now())
    assert house.confirm(proposal) == "proposal_lapsed"
    assert (state_of(proposal), member(house.anna).roles) == ("lapsed", ["consultant"])
    assert house.propose()  # and room for another


def test_attack_05_not_twice(house: House) -> None:
    proposal = house.propose()
    assert house.confirm(proposal) == ""
    people.change_member(house.by(house.ewa), house.anna.number, "roles", ["consultant"])
    assert house.confirm(proposal, house.ola) == "proposal_decided"
    assert member(house.anna).roles == ["consultant"]


def test_attack_04_not_when_the_fact_changed_meanwhile(house: House) -> None:
    house.world.quietly("staff_member", house.anna.id, roles=["consultant", "manager"])
    proposal = house.propose("roles", ["people"])
    assert people.change_member(house.by(house.jan), house.anna.number, "roles", ["manager"]) == ""
    assert house.confirm(proposal) == "proposal_lapsed"
    assert (state_of(proposal), member(house.anna).roles) == ("lapsed", ["manager"])


def test_attack_04_not_when_the_value_does_not_fit_any_more(house: House) -> None:
    top = house.hire("manager")
    first = house.propose("manager", top.number, about=house.boss)
    second = house.propose("manager", house.boss.number, about=top)
    assert house.confirm(first) == ""
    assert house.confirm(second) == "proposal_lapsed"
    assert member(top).manager_id is None


def test_a_proposal_that_is_none(house: House) -> None:
    assert house.confirm(12345) == "member_unknown"
    assert newest().outcome == "refused"


def test_time_is_tidied(house: House) -> None:
    proposal = house.propose()
    call_command("tidy")
    assert state_of(proposal) == "pending"
    house.world.change("staff_proposal", proposal, expires_at=now())
    call_command("tidy")
    assert state_of(proposal) == "lapsed"
    assert newest().details == {"proposal": proposal, "fact": "roles", "decision": "lapsed"}


# At once

CONFIRM = "SELECT staff.decide_proposal(%s, '{\"cid\": 1}', %s, true)"


def raw(connection: Connection, caller: Caller, proposal: int) -> str:
    [(reason,)] = connection.execute(CONFIRM, [caller.digest, proposal]).fetchall()
    return str(reason)


def test_attack_06_two_confirm_at_once_and_one_counts(house: House, as_role: AsRole) -> None:
    proposal = house.propose()
    one, other = house.by(house.jan), house.by(house.ola)
    first, second = as_role(roles.WEB), as_role(roles.WEB)
    second.execute("SET lock_timeout = '200ms'")
    with first.transaction():
        assert raw(first, one, proposal) == ""
        with pytest.raises(psycopg.errors.LockNotAvailable):
            raw(second, other, proposal)
    assert raw(second, other, proposal) == "proposal_decided"
    assert Entry.objects.filter(outcome="allowed", details__decision="confirmed").count() == 1


def circle(house: House, first: Connection, second: Connection) -> str:
    """Close a circle of four by two changes that share nobody; how the second came out."""
    kim = house.hire("people")
    a, b, c, d = (house.hire("manager") for _ in range(4))
    house.world.quietly("staff_member", a.id, manager_id=b.id)
    house.world.quietly("staff_member", c.id, manager_id=d.id)
    one = house.propose("manager", c.number, about=b)
    other = house.propose("manager", a.number, about=d, by=kim)
    second.execute("SET lock_timeout = '200ms'")
    with first.transaction():
        assert raw(first, house.by(house.jan), one) == ""
        try:
            return raw(second, house.by(house.ola), other)
        except psycopg.errors.LockNotAvailable:
            pass
    return raw(second, house.by(house.ola), other)


def test_two_changes_at_once_close_no_circle_of_managers(house: House, as_role: AsRole) -> None:
    assert circle(house, as_role(roles.WEB), as_role(roles.WEB)) == "proposal_lapsed"


def test_without_the_one_lock_they_would(house: House, as_role: AsRole, twins: Twins) -> None:
    twins.without("apply_change", "PERFORM staff.lock_line(false);", "NULL;")
    assert circle(house, as_role(roles.WEB), as_role(roles.WEB)) == ""


@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_attack_08_an_old_snapshot_decides_nothing(house: House, as_role: AsRole, level: str) -> None:
    proposal, caller, web = house.propose(), house.by(house.jan), as_role(roles.WEB)
    web.execute(f"SET default_transaction_isolation = '{level}'".encode())
    for sql in (
        CONFIRM,
        f"SELECT staff.change_member(%s, '{{}}', '{house.anna.number}', 'name', '\"x\"') WHERE %s > 0",
        "SELECT staff.add_member(%s, '{\"cid\": 1}', '{}') WHERE %s > 0",
    ):
        with pytest.raises(psycopg.errors.RaiseException, match="READ COMMITTED"):
            web.execute(sql.encode(), [caller.digest, proposal])


# Raw SQL


@pytest.mark.parametrize("role", roles.RUN_TIME)
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO public.staff_proposal (subject_id, fact, source, proposed_at, expires_at, state)"
        " VALUES (1, 'roles', 'import_staff', now(), now(), 'pending')",
        "UPDATE public.staff_proposal SET proposed_by_id = NULL",
        "UPDATE public.staff_proposal SET state = 'confirmed'",
        "DELETE FROM public.staff_proposal",
        "TRUNCATE public.staff_proposal",
        "UPDATE public.staff_member SET roles = '{people}'",
        "UPDATE public.staff_member SET manager_id = 1",
        "UPDATE public.staff_member SET email = 'x@y.example'",
        "INSERT INTO public.staff_member (number) VALUES ('K-9999')",
        "SELECT staff.propose('{\"reason\": \"\"}', '{}', 'roles', '[]')",
        "SELECT staff.propose_line('{\"reason\": \"\"}', 'roles', '[]')",
        "SELECT staff.apply_change(1, NULL, 'roles', '[\"people\"]')",
        "SELECT staff.reset_returning_member(1, '2026-01-01', 1)",
        "SELECT staff.forget_factors(1)",
        "SELECT staff.expire_proposals(NULL)",
        "SELECT staff.still_may(1, 'people')",
        "SELECT staff.is_set_up()",
    ],
)
def test_no_running_role_writes_a_proposal_or_what_it_is_about(
    as_role: AsRole, role: str, statement: str
) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_role(role).execute(statement.encode())


@pytest.mark.parametrize("role", [roles.VAULT, roles.SEALER, roles.MIGRATOR])
@pytest.mark.parametrize(
    "call", ["decide_proposal(NULL, '{\"cid\": 1}', 1, true)", "add_member(NULL, '{\"cid\": 1}', '{}')"]
)
def test_only_the_pages_role_asks_for_them(as_role: AsRole, role: str, call: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_role(role).execute(f"SELECT staff.{call}".encode())


@pytest.mark.parametrize("statement", ["DELETE FROM staff_member", "TRUNCATE staff_member CASCADE"])
def test_members_are_never_deleted_by_nobody(house: House, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="never deleted"):
        house.world.setup.execute(statement.encode())
    with connections["migrator"].cursor() as cursor, pytest.raises(Exception, match="never deleted"):
        cursor.execute(statement)


# New members


def test_a_new_member_is_there_at_once_and_opens_nothing(house: House) -> None:
    facts = NEW | {"manager": house.boss.number, "starts_on": "2026-01-01"}
    assert people.add_member(house.by(house.ewa), facts) == ""
    iza = Member.objects.get(number="K-5001")
    assert (iza.roles, iza.manager_id, password_of(iza)) == (["consultant"], house.boss.id, "!")
    entry = newest()
    assert (entry.event, entry.outcome, entry.subject) == ("change", "allowed", "K-5001")
    assert entry.details == {
        "new": True,
        "roles": [None, ["consultant"]],
        "manager": [None, house.boss.number],
        "starts_on": [None, "2026-01-01"],
    }
    assert "iza" not in repr(entry.__dict__).lower()


@pytest.mark.parametrize("wanted", [["manager"], ["consultant", "manager"], ["people"], ["administrator"]])
def test_a_new_members_role_that_two_give_is_proposed(house: House, wanted: list[str]) -> None:
    assert people.add_member(house.by(house.ewa), NEW | {"roles": wanted}) == "proposed"
    iza = Member.objects.get(number="K-5001")
    assert iza.roles == [role for role in wanted if role == "consultant"]
    proposal = Proposal.objects.get(subject=iza)
    assert house.confirm(proposal.pk, house.ewa) == "second_person"
    assert house.confirm(proposal.pk) == ""
    iza.refresh_from_db()
    assert iza.roles == wanted


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"number": "K-1000"}, "member_known"),
        ({"email": "k-1000@firma.example"}, "member_known"),
        ({"number": "X-1"}, "value_refused"),
        ({"number": None}, "value_refused"),
        ({"email": "none"}, "value_refused"),
        ({"name": None}, "value_refused"),
        ({"roles": ["people", "manager"]}, "value_refused"),
        ({"roles": None}, "value_refused"),
        ({"manager": "K-9999"}, "value_refused"),
        ({"starts_on": "soon"}, "value_refused"),
        ({"language": "xx"}, "value_refused"),
    ],
)
def test_a_new_member_who_cannot_be(house: House, facts: dict[str, Any], reason: str) -> None:
    count = Member.objects.count()
    assert people.add_member(house.by(house.ewa), NEW | facts) == reason
    assert Member.objects.count() == count
    assert (newest().outcome, newest().reason) == ("refused", reason)


@pytest.mark.parametrize("who", ["ola", "boss", "anna"])
def test_only_people_officers_add_members(house: House, who: str) -> None:
    assert people.add_member(house.by(getattr(house, who)), NEW) == "role_missing"
    assert not Member.objects.filter(number="K-5001").exists()


# The personnel system


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


def take(*lines: dict[str, Any]) -> list[str]:
    return [outcome for _number, outcome in people.apply_members(lines, "import_staff (root)")]


@pytest.fixture
def running(house: House) -> House:
    """First set-up is over: an officer has signed in."""
    give_factors(house.world, house.ewa)
    sign_in(house.world, house.ewa)
    return house


def test_before_anybody_signed_in_the_import_sets_everything_up(house: House) -> None:
    lines = [line("K-0001", roles=["people"]), line("K-0002", roles=["manager"], manager="K-0003")]
    assert take(*lines, line("K-0003", roles=["manager"])) == ["new"] * 3
    assert Member.objects.get(number="K-0001").roles == ["people"]
    assert not Proposal.objects.exists()


def test_afterwards_the_import_only_proposes(running: House) -> None:
    anna = running.anna.number
    assert take(line(anna, roles=["people"], manager=running.boss.number)) == ["proposed"]
    assert member(running.anna).roles == ["consultant"]
    one = Proposal.objects.get()
    assert (one.fact, one.value, one.source) == ("roles", ["people"], "import_staff (root)")
    assert one.proposed_by_id is None
    assert newest().source == "import_staff (root)"
    other = running.hire("manager")
    assert take(line(anna, roles=["consultant"], manager=other.number)) == ["proposed"]
    assert member(running.anna).manager_id == running.boss.id
    assert take(line(anna, roles=["consultant"], manager=None)) == ["proposed"]
    assert list(Proposal.objects.filter(state="pending").values_list("fact", "value")) == [("manager", None)]


def test_afterwards_new_members_come_without_the_roles_that_two_give(running: House) -> None:
    lines = [line("K-0001", roles=["consultant", "manager"]), line("K-0002", manager="K-0001")]
    assert take(*lines, line("K-0003", roles=["people"])) == ["proposed", "new", "proposed"]
    assert Member.objects.get(number="K-0001").roles == ["consultant"]
    assert Member.objects.get(number="K-0003").roles == []
    assert Member.objects.get(number="K-0002").manager == Member.objects.get(number="K-0001")
    assert take(*lines, line("K-0003", roles=["people"])) == ["same"] * 3
    assert Proposal.objects.count() == 2


def test_what_closes_or_is_harmless_the_import_does_as_before(running: House) -> None:
    running.world.quietly("staff_member", running.anna.id, roles=["consultant", "manager"])
    outcome = take(line(running.anna.number, name="Anna Nowa", manager=running.boss.number))
    assert (outcome, member(running.anna).roles) == (["changed"], ["consultant"])
    assert member(running.anna).name == "Anna Nowa"
    assert not Proposal.objects.exists()


def test_the_same_line_proposes_once_and_not_again_what_was_declined(running: House) -> None:
    wanted = line(running.anna.number, roles=["people"], manager=running.boss.number)
    assert take(wanted) == ["proposed"]
    assert take(wanted) == ["same"]
    assert running.decline(int(Proposal.objects.get().pk)) == ""
    assert take(wanted) == ["same"]
    assert Proposal.objects.count() == 1
    # Another value is another matter; and the newer line takes the older one's place.
    assert take(wanted | {"roles": ["reviewer"]}) == ["proposed"]
    assert take(wanted | {"roles": ["privacy"]}) == ["proposed"]
    assert take(wanted | {"roles": ["consultant"]}) == ["same"]
    assert [one.state for one in Proposal.objects.order_by("id")] == ["declined", "withdrawn", "withdrawn"]


def test_what_lapsed_unseen_is_proposed_anew(running: House) -> None:
    wanted = line(running.anna.number, roles=["people"], manager=running.boss.number)
    take(wanted)
    running.world.change("staff_proposal", Proposal.objects.get().pk, expires_at=now())
    assert take(wanted) == ["proposed"]


def test_a_persons_own_proposal_stays(running: House) -> None:
    proposal = running.propose("roles", ["reviewer"])
    assert take(line(running.anna.number, roles=["people"], manager=running.boss.number)) == ["same"]
    assert state_of(proposal) == "pending"


def test_attack_02_a_commands_proposal_is_a_people_officers_to_confirm(running: House) -> None:
    """Whoever runs commands may be an administrator, and would confirm what they proposed."""
    take(line(running.anna.number, roles=["people"], manager=running.boss.number))
    proposal = int(Proposal.objects.get().pk)
    assert running.confirm(proposal, running.ola) == "role_missing"
    assert running.confirm(proposal, running.jan) == ""
    assert member(running.anna).roles == ["people"]
    assert isinstance(newest().details, dict)
    assert newest().details["proposed_by"] == "import_staff (root)"  # type: ignore[index]  # a dict, see above
    assert running.decline(proposal, running.ola) == "proposal_decided"


def test_the_import_revives_nobody(running: House) -> None:
    caller = running.by(running.ewa)
    people.change_member(caller, running.anna.number, "suspended", True)
    people.change_member(caller, running.boss.number, "left_on", "2026-01-01")
    take(
        line(running.anna.number, starts_on="2019-01-01", manager=running.boss.number),
        line(running.boss.number, roles=["manager"], starts_on="2026-06-01"),
    )
    assert member(running.anna).suspended_at is not None
    assert member(running.boss).left_on == date(2026, 1, 1)
    assert not Proposal.objects.exists()


def test_a_manager_who_cannot_be_changes_nobodys_manager(running: House) -> None:
    assert take(line(running.anna.number, manager="K-9999")) == ["refused:manager"]
    assert take(line(running.boss.number, roles=["manager"], manager=running.anna.number)) == [
        "refused:manager"
    ]
    assert member(running.anna).manager_id == running.boss.id
    assert member(running.boss).manager_id is None


def test_the_command_says_how_many_wait(
    running: House, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = line(running.anna.number, roles=["people"], manager=running.boss.number)
    file = tmp_path / "staff.jsonl"
    file.write_text(json.dumps(wanted) + "\n", encoding="utf-8")
    call_command("import_staff", str(file))
    assert "1 proposed" in capsys.readouterr().out


# Coming back


def test_who_comes_back_begins_anew(setup_connection: Connection) -> None:
    """Anna's window is open and her agreement runs when she leaves; time alone ends both. Nothing revives."""
    scene = Scene(setup_connection)
    world = scene.world
    give_factors(world, scene.anna)
    scene.caller = world.session(scene.anna)
    scene.opened(while_open=True)
    open_grant = scene.grant
    officers = [world.member("people") for _ in range(2)]
    for officer in officers:
        world.signature(officer)
    ewa, jan = (world.session(officer) for officer in officers)
    call_command("invite", scene.anna.number)
    world.ticket("ZD-10009", assignee=scene.anna)
    waiting = scene.ask(ticket="ZD-10009")
    world.insert(
        "gatekeeper_deputy",
        manager_id=scene.boss.id,
        deputy_id=scene.anna.id,
        begins_at=now(),
        ends_at=now() + timedelta(days=30),
        named_at=now(),
    )
    pending = people.change_member(ewa, scene.anna.number, "roles", ["reviewer"])
    assert pending == "proposed"
    last_day = timezone.localdate() - timedelta(days=1)
    # The day came and went: nobody did anything at that moment.
    world.quietly("staff_member", scene.anna.id, left_on=last_day, roles=["consultant", "manager"])
    assert people.change_member(ewa, scene.anna.number, "left_on", None) == "proposed"
    proposal = Proposal.objects.get(fact="left_on")
    assert Grant.objects.get(pk=open_grant).ended_at is None
    assert proposals.decide(jan, proposal.pk, confirm=True) == ""

    one = member(scene.anna)
    assert (one.left_on, one.roles, password_of(one)) == (None, ["consultant"], "!")
    grant = Grant.objects.get(pk=open_grant)
    assert (grant.ended_at is not None, grant.end_reason) == (True, "member_left")
    assert not AccountPermission.objects.filter(user=one).exists()
    assert AccessRequest.objects.get(pk=waiting).state == "lapsed"
    assert not Session.objects.filter(member=one, ended_at=None).exists()
    assert not Invitation.objects.filter(member=one, expires_at__gt=timezone.now()).exists()
    assert not TotpDevice.objects.filter(user=one).exists()
    assert not Deputy.objects.filter(ends_at__gt=timezone.now()).exists()
    assert Proposal.objects.get(fact="roles").state == "lapsed"
    signature = Signature.objects.get(member=one)
    assert signature.withdrawn_at is not None
    assert timezone.localtime(signature.withdrawn_at).date() == last_day + timedelta(days=1)
    assert signature.withdrawn_why == "left"
    fresh = world.session(scene.anna)
    assert people.authorize(fresh, "own") == "nda_withdrawn"
    world.signature(scene.anna, signed_at=now())
    assert people.authorize(fresh, "own") == ""


def test_a_signature_given_after_a_last_day_set_back_ends_as_well(house: House) -> None:
    """A last day long past, set today, must not let today's signature through."""
    caller = house.by(house.ewa)
    people.change_member(caller, house.anna.number, "left_on", "2021-01-01")
    house.confirm(house.propose("left_on", None))
    assert people.authorize(house.by(house.anna), "own") == "nda_withdrawn"


def test_leaving_and_lifting_end_what_was_open(house: House) -> None:
    give_factors(house.world, house.anna)
    call_command("invite", house.anna.number)
    people.change_member(house.by(house.ewa), house.anna.number, "suspended", True)
    assert not Invitation.objects.filter(expires_at__gt=timezone.now()).exists()
    house.world.quietly("staff_member", house.anna.id, suspended_by_id=None)
    house.confirm(house.propose("suspended", False))
    assert TotpDevice.objects.filter(user_id=house.anna.id).exists()


def test_a_reset_takes_every_factor_and_every_link(house: House) -> None:
    give_factors(house.world, house.anna)
    world, anna = house.world, house.anna
    world.insert(
        "django_otp_webauthn_webauthncredential",
        user_id=anna.id,
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
    sheet = world.insert(
        "staff_recoverydevice", user_id=anna.id, name="codes", confirmed=True, throttling_failure_count=0
    )
    world.insert("staff_recoverycode", device_id=sheet, digest=b"2" * 32)
    call_command("invite", anna.number)
    hers = house.by(anna)
    assert house.confirm(house.propose("factor", "reset"), house.ola) == ""
    for table in (
        "staff_totpdevice",
        "staff_recoverycode",
        "staff_recoverydevice",
        "django_otp_webauthn_webauthncredential",
    ):
        assert world.setup.execute(f"SELECT count(*) FROM {table}".encode()).fetchone() == (0,)
    assert session_of(hers.digest).ended_at is not None
    assert not Invitation.objects.filter(expires_at__gt=timezone.now()).exists()


# Each guard is worth its line: on a twin without it the same attack succeeds


def after_its_time(house: House) -> str:
    proposal = house.propose()
    house.world.change("staff_proposal", proposal, expires_at=now())
    return house.confirm(proposal)


def against_another_state(house: House) -> str:
    house.given(roles=["consultant", "manager"])
    proposal = house.propose("roles", ["people"])
    people.change_member(house.by(house.jan), house.anna.number, "roles", ["manager"])
    return house.confirm(proposal)


def of_an_officer_who_is_one_no_more(house: House) -> str:
    proposal = house.propose()
    house.world.quietly("staff_member", house.ewa.id, suspended_at=now())
    return house.confirm(proposal)


def decided_before(house: House) -> str:
    proposal = house.propose()
    house.decline(proposal)
    return house.confirm(proposal)


def a_commands_own(house: House) -> str:
    give_factors(house.world, house.ewa)
    sign_in(house.world, house.ewa)
    take(line(house.anna.number, roles=["people"], manager=house.boss.number))
    return house.confirm(int(Proposal.objects.get().pk), house.ola)


def by_a_command_alone(house: House) -> str:
    give_factors(house.world, house.ewa)
    sign_in(house.world, house.ewa)
    take(line(house.anna.number, roles=["people"], manager=house.boss.number))
    return "" if member(house.anna).roles == ["people"] else "proposed"


def alone(house: House) -> str:
    return people.change_member(house.by(house.ewa), house.anna.number, "manager", None)


def by_two_of_whom_one_suspended(house: House) -> str:
    people.change_member(house.by(house.ewa), house.anna.number, "suspended", True)
    return house.confirm(house.propose("suspended", False))


def with_the_old_signature(house: House) -> str:
    house.given(left_on=YESTERDAY)
    house.confirm(house.propose("left_on", None))
    return people.authorize(house.by(house.anna), "own")


GUARDS: dict[Callable[[House], str], tuple[str, str, str]] = {
    after_its_time: ("decide_proposal", "p.expires_at <= clock_timestamp()", "false"),
    against_another_state: ("decide_proposal", "<> coalesce(p.before, 'null')", "IS NULL"),
    of_an_officer_who_is_one_no_more: (
        "decide_proposal",
        "staff.still_may(p.proposed_by_id, CASE WHEN suspends THEN 'suspend' ELSE 'people' END)",
        "true",
    ),
    decided_before: ("decide_proposal", "p.state <> 'pending'", "false"),
    a_commands_own: ("decide_proposal", "p.source <> '' AND decision = 'confirmed'", "false"),
    by_a_command_alone: ("apply_members", "boolean := staff.is_set_up()", "boolean := false"),
    alone: ("needs_second_person", "WHEN 'manager' THEN true", ""),
    by_two_of_whom_one_suspended: ("propose", "m.suspended_by_id = proposer", "false"),
    with_the_old_signature: (
        "apply_change",
        "PERFORM staff.reset_returning_member(m.id, m.left_on, p_by);",
        "",
    ),
}


@pytest.mark.parametrize("attack", GUARDS)
def test_with_its_guard_the_attack_fails_and_without_it_succeeds(
    setup_connection: Connection, twins: Twins, attack: Callable[[House], str]
) -> None:
    world = World(setup_connection)
    if attack is by_two_of_whom_one_suspended:  # to propose is what fails
        with pytest.raises(AssertionError):
            attack(House(world))
    else:
        assert attack(House(world)) != ""
    empty_tables()
    twins.without(*GUARDS[attack])
    assert attack(House(world)) == ""
