"""Limits of suspension: what one person's suspension does, for how long, and who must confirm it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connections
from psycopg.types.json import Jsonb

from audit.models import Entry
from gatekeeper.installation import roles
from gatekeeper.models import Grant
from staff.directory import people, proposals
from staff.frame.callers import Caller
from staff.models import Member, Proposal
from tests import environment
from tests.conftest import AsRole, Connection
from tests.world import LONG_AGO, Person, World, now, racing
from tests.world.entries import entry
from tests.world.house import newest, state_of
from tests.world.keys import session_of
from tests.world.officers import (
    Company,
    able,
    changed,
    company,  # noqa: F401  # a fixture
    is_let_in,
    running,
    waiting,
)
from tests.world.people import member
from tests.world.scene import Scene
from tests.world.twins import Twins

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

HOURS = timedelta(hours=settings.LIMITS["suspension_hours"])
HELD = "held"


# Who is able to act


def test_two_of_each_are_able(company: Company) -> None:
    assert able("people") == {one.id for one in company.officers}
    assert able("reviewer") == {one.id for one in company.reviewers}
    assert able("administrator") == {one.id for one in company.administrators}


NOT_ABLE: dict[str, Callable[[World, Person], None]] = {
    "not started": changed("staff_member", "id", starts_on=date(2099, 1, 1)),
    "no first day": changed("staff_member", "id", starts_on=None),
    "left": changed("staff_member", "id", left_on=date(2021, 1, 1)),
    "suspended": changed("staff_member", "id", suspended_at=LONG_AGO),
    "suspended for some hours": changed(
        "staff_member", "id", suspended_at=LONG_AGO, suspended_until=now() + timedelta(days=9)
    ),
    "another role": changed("staff_member", "id", roles=["privacy"]),
    "a factor that is not in use": changed("staff_totpdevice", "user_id", confirmed=False),
    "an NDA that was withdrawn": changed("staff_signature", "member_id", withdrawn_at=LONG_AGO),
    "an NDA past its end": changed(
        "staff_signature",
        "member_id",
        signed_at=LONG_AGO,
        counts_from=LONG_AGO,
        valid_until=LONG_AGO + timedelta(days=400),
    ),
}


@pytest.mark.parametrize("how", NOT_ABLE)
def test_whoever_lacks_one_condition_is_not_able(company: Company, how: str) -> None:
    first, second = company.officers
    NOT_ABLE[how](company.world, first)
    assert able("people") == {second.id}


def test_a_passkey_in_use_is_a_second_factor_too(company: Company) -> None:
    first, second = company.officers
    changed("staff_totpdevice", "user_id", confirmed=False)(company.world, first)
    key = company.passkey(first)
    assert able("people") == {first.id, second.id}
    company.world.quietly("django_otp_webauthn_webauthncredential", key, confirmed=False)
    assert able("people") == {second.id}
    company.world.quietly(
        "django_otp_webauthn_webauthncredential", key, confirmed=True, user_id=company.anna.id
    )
    assert able("people") == {second.id}


def test_a_suspension_that_has_lapsed_leaves_them_able(company: Company) -> None:
    changed("staff_member", "id", suspended_at=LONG_AGO, suspended_until=LONG_AGO)(
        company.world, company.officers[0]
    )
    assert able("people") == {one.id for one in company.officers}


# How far one person's suspension goes


def test_everybody_else_is_suspended_until_it_is_lifted(company: Company) -> None:
    company.able("people")  # of three, two are left
    for subject, by in (
        (company.anna, company.boss),
        (company.officers[0], company.boss),
        (company.boss, company.reviewers[0]),
    ):
        assert company.suspend(subject, by) == ""
        assert (member(subject).suspended_until, is_let_in(subject)) == (None, False)
    assert not Proposal.objects.exists()


@pytest.mark.parametrize("role", ["officers", "reviewers", "administrators"])
def test_one_of_the_last_two_is_suspended_at_once_and_for_four_hours(company: Company, role: str) -> None:
    first, second = getattr(company, role)
    company.world.session(first)
    assert company.suspend(first, company.boss) == HELD
    one = member(first)
    assert one.suspended_at is not None
    assert one.suspended_until is not None
    assert timedelta(0) <= one.suspended_until - one.suspended_at - HOURS < timedelta(minutes=1)
    assert (running(first), is_let_in(first)) == (0, False)
    assert {second.id} == able(member(first).roles[0])
    proposal = waiting(first)
    assert (proposal.proposed_by_id, proposal.value, proposal.expires_at) == (
        company.boss.id,
        True,
        one.suspended_until,
    )
    told = newest()
    assert (told.event, told.outcome, told.member) == ("change", "allowed", company.boss.number)
    assert isinstance(told.details, dict)
    was, until = told.details["suspended"]
    assert (was, datetime.fromisoformat(until)) == (False, one.suspended_until)
    assert told.details["proposal"] == proposal.pk


def test_who_stands_above_is_suspended_for_four_hours(company: Company) -> None:
    low = company.able("manager", manager=company.boss)
    for above in (company.director, company.boss):
        assert company.suspend(above, low) == HELD
    assert company.suspend(low, company.director) == "member_suspended"  # who is, suspends nobody


def test_who_is_not_able_yet_is_held_where_the_role_is_short(company: Company) -> None:
    """As those whom `recover` has just brought back: or one person would take them for good."""
    fresh = company.world.member("people")
    assert company.suspend(fresh, company.boss) == ""  # two others are able
    changed("staff_totpdevice", "user_id", confirmed=False)(company.world, company.officers[0])
    assert company.suspend(company.officers[0], company.boss) == HELD


@pytest.mark.parametrize("role", ["officers", "reviewers", "administrators"])
def test_the_last_one_is_not_suspended_before_a_second_person(company: Company, role: str) -> None:
    first, last = getattr(company, role)
    assert company.suspend(first, company.boss) == HELD
    company.world.session(last)
    assert company.suspend(last, company.director) == "proposed"
    assert (member(last).suspended_at, running(last)) == (None, 1)
    assert newest().details == {
        "proposal": waiting(last).pk,
        "proposed": {"suspended": [False, True]},
    }
    proposal = int(waiting(last).pk)
    assert company.decide(proposal, company.director) == "second_person"
    assert member(last).suspended_at is None
    assert company.decide(proposal, company.boss) == ""
    one = member(last)
    assert (one.suspended_until, one.suspended_by_id, running(last)) == (None, company.director.id, 0)


# A second person


@pytest.mark.parametrize("who", ["director", "reviewer", "officer"])
def test_a_second_person_makes_it_hold_until_it_is_lifted(company: Company, who: str) -> None:
    first, second = company.officers
    by = {"director": company.director, "reviewer": company.reviewers[0], "officer": second}[who]
    company.suspend(first, company.boss)
    began = member(first).suspended_at
    until = member(first).suspended_until
    assert company.decide(int(waiting(first).pk), by) == ""
    one = member(first)
    assert (one.suspended_at, one.suspended_until, one.suspended_by_id) == (began, None, company.boss.id)
    assert until is not None
    details = newest().details
    assert isinstance(details, dict)
    assert (details["decision"], details["proposed_by"]) == ("confirmed", company.boss.number)
    assert (datetime.fromisoformat(details["suspended"][0]), details["suspended"][1]) == (until, True)
    company.later(hours=5)
    assert not is_let_in(first)


def test_nobody_else_confirms(company: Company) -> None:
    first = company.officers[0]
    before = company.world.session(first)
    company.suspend(first, company.boss)
    proposal = int(waiting(first).pk)
    assert company.decide(proposal, company.boss) == "second_person"
    assert company.decide(proposal, company.administrators[0]) == "role_missing"
    assert company.decide(proposal, company.anna) == "role_missing"
    assert proposals.decide(before, proposal, confirm=True) != ""
    assert company.decide(proposal, first) != ""
    assert member(first).suspended_until is not None


def test_to_suspend_what_waits_is_to_confirm_it(company: Company) -> None:
    first = company.officers[0]
    company.suspend(first, company.boss)
    proposal = int(waiting(first).pk)
    assert company.suspend(first, company.boss) == "proposal_waits"  # the same person is no second one
    assert company.suspend(first, company.director) == ""
    assert (member(first).suspended_until, state_of(proposal)) == (None, "confirmed")
    assert company.suspend(first, company.reviewers[0]) == "no_change"


def test_what_its_proposer_may_do_no_more_is_not_confirmed(company: Company) -> None:
    first = company.officers[0]
    company.suspend(first, company.boss)
    proposal = int(waiting(first).pk)
    assert company.suspend(company.boss, company.director) == ""
    assert company.decide(proposal, company.director) == "proposal_lapsed"
    assert member(first).suspended_until is not None


def test_declined_it_holds_until_its_hour_all_the_same(company: Company) -> None:
    """To open up before takes the right and two people, as ever."""
    first, second = company.officers
    company.suspend(first, company.boss)
    until = member(first).suspended_until
    assert company.decide(int(waiting(first).pk), company.director, confirm=False) == ""
    assert (member(first).suspended_until, is_let_in(first)) == (until, False)
    assert people.change_member(company.world.session(second), first.number, "suspended", False) == "proposed"
    lift = int(Proposal.objects.get(subject_id=first.id, state="pending").pk)
    assert company.decide(lift, company.boss) == "role_missing"
    assert company.decide(lift, company.administrators[0]) == ""
    assert is_let_in(first)


# Time


def test_it_lapses_by_time_alone_and_what_it_ended_stays_ended(setup_connection: Connection) -> None:
    scene = Scene(setup_connection)
    scene.opened()
    low = scene.world.member("manager", manager=scene.boss)
    scene.world.signature(low)
    assert people.change_member(scene.world.session(low), scene.boss.number, "suspended", True) == HELD
    assert Grant.objects.get(pk=scene.grant).end_reason == "member_suspended"
    setup_connection.execute("UPDATE staff_member SET suspended_until = now() WHERE id = %s", [scene.boss.id])
    assert is_let_in(scene.boss)  # no job has run
    again = scene.world.session(scene.boss)
    assert people.authorize(again, "approve") == ""
    assert session_of(scene.manager.digest).ended_at is not None
    assert Grant.objects.get(pk=scene.grant).ended_at is not None
    assert scene.reason() == "grant_ended"


def test_what_happens_to_the_member_later_ends_no_grant_because_of_it(setup_connection: Connection) -> None:
    """A suspension that lapsed is none, tidied or not."""
    scene = Scene(setup_connection)
    scene.world.quietly("staff_member", scene.boss.id, suspended_at=LONG_AGO, suspended_until=LONG_AGO)
    scene.opened()
    scene.world.change("staff_member", scene.boss.id, roles=["consultant", "manager"])
    assert Grant.objects.get(pk=scene.grant).ended_at is None


def test_tidying_says_that_it_lapsed(company: Company) -> None:
    first = company.officers[0]
    company.suspend(first, company.boss)
    proposal = int(waiting(first).pk)
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT gatekeeper.tidy()")
        assert member(first).suspended_at is not None
        company.later(hours=5)
        assert company.decide(proposal, company.director) == "proposal_lapsed"
        cursor.execute("SELECT gatekeeper.tidy()")
    one = member(first)
    assert (one.suspended_at, one.suspended_until, one.suspended_by_id) == (None, None, None)
    told = Entry.objects.get(subject=first.number, source="gatekeeper", details__why="lapsed")
    assert isinstance(told.details, dict)
    assert told.details["suspended"][1] is False


def test_the_same_person_does_not_repeat_it(company: Company) -> None:
    first = company.officers[0]
    assert company.suspend(first, company.boss) == HELD
    company.later(hours=5)
    assert company.suspend(first, company.boss) == "proposed"
    assert is_let_in(first)
    assert company.decide(int(waiting(first).pk), company.boss, confirm=False) == ""
    assert company.suspend(first, company.director) == HELD  # another may
    company.later(hours=5)
    company.later(hours=24 * 30)
    assert company.suspend(first, company.boss) == HELD


def test_nor_after_two_people_have_lifted_it(company: Company) -> None:
    first, second = company.officers
    company.suspend(first, company.boss)
    company.suspend(first, company.director)
    people.change_member(company.world.session(second), first.number, "suspended", False)
    lift = int(Proposal.objects.get(subject_id=first.id, state="pending").pk)
    assert company.decide(lift, company.administrators[0]) == ""
    assert company.suspend(first, company.boss) == "proposed"


def test_whoever_had_it_lifted_may_begin_one(company: Company) -> None:
    """To propose that it be lifted is no suspension by the same person."""
    first, second = company.officers
    assert company.suspend(first, company.boss) == HELD
    assert company.decide(int(waiting(first).pk), company.director, confirm=False) == ""
    assert people.change_member(company.world.session(second), first.number, "suspended", False) == "proposed"
    lift = int(Proposal.objects.get(subject_id=first.id, proposed_by_id=second.id).pk)
    assert company.decide(lift, company.administrators[0]) == ""
    assert company.suspend(first, second) == HELD


def test_what_only_waited_is_no_repetition(company: Company) -> None:
    first, last = company.officers
    assert company.suspend(first, company.boss) == HELD
    assert company.suspend(last, company.director) == "proposed"
    assert company.decide(int(waiting(last).pk), company.boss, confirm=False) == ""
    company.later(hours=5)
    assert company.suspend(last, company.director) == HELD


def test_to_suspend_anew_says_that_the_one_before_has_lapsed_and_no_others(company: Company) -> None:
    first, another = company.officers[0], company.reviewers[0]
    assert [company.suspend(one, company.boss) for one in (first, another)] == [HELD] * 2
    company.later(hours=5)
    assert company.suspend(first, company.director) == HELD
    told = Entry.objects.filter(source="gatekeeper", details__why="lapsed")
    assert [one.subject for one in told] == [first.number]


def to_lift(company: Company, subject: Person, by: Person) -> int:
    """A suspension of some hours that nobody confirms, and the number of what would lift it."""
    if member(subject).suspended_at is None:
        assert company.suspend(subject, company.boss) == HELD
        assert company.decide(int(waiting(subject).pk), company.director, confirm=False) == ""
    assert people.change_member(company.world.session(by), subject.number, "suspended", False) == "proposed"
    return int(waiting(subject).pk)


def test_to_suspend_ends_what_would_lift_it_and_no_more(company: Company) -> None:
    first, second = company.officers
    declined = to_lift(company, first, second)
    assert company.decide(declined, company.administrators[0], confirm=False) == ""
    lift, another = to_lift(company, first, second), to_lift(company, company.reviewers[0], second)
    assert company.suspend(first, company.director) == HELD
    assert [state_of(one) for one in (declined, lift, another)] == ["declined", "lapsed", "pending"]
    entry = Entry.objects.get(details__proposal=lift, details__decision="lapsed")
    assert (entry.event, entry.outcome, entry.subject) == ("change", "allowed", first.number)


def test_what_waits_of_another_fact_or_another_member_holds_up_no_suspension(company: Company) -> None:
    first, second = company.officers
    caller = company.world.session(second)
    assert people.change_member(caller, first.number, "left_on", "2099-01-01") == "proposed"
    assert company.suspend(company.reviewers[0], company.boss) == HELD
    assert company.suspend(first, company.boss) == HELD
    assert Proposal.objects.filter(state="pending").count() == 3  # nor does it end any of them


def test_who_is_one_of_three_again_is_suspended_until_it_is_lifted(company: Company) -> None:
    first = company.officers[0]
    assert company.suspend(first, company.boss) == HELD
    for _ in range(2):
        company.able("people")
    assert company.suspend(first, company.boss) == ""
    assert member(first).suspended_until is None


def test_without_the_days_of_the_settings_nobody_repeats_it(company: Company) -> None:
    [(days,)] = company.world.setup.execute(
        "DELETE FROM audit_limit WHERE name = 'suspension_repeat_days' RETURNING value"
    )
    try:
        assert company.suspend(company.officers[0], company.boss) == "proposed"
    finally:
        company.world.insert("audit_limit", name="suspension_repeat_days", value=days)


def test_the_hours_are_a_limit_of_the_settings(company: Company) -> None:
    change = "UPDATE audit_limit SET value = %s WHERE name = 'suspension_hours'"
    usual = settings.LIMITS["suspension_hours"]
    company.world.setup.execute(change, [str(2 * usual)])
    try:
        company.suspend(company.officers[0], company.boss)
        one = member(company.officers[0])
        assert one.suspended_at is not None
        assert one.suspended_until is not None
        assert one.suspended_until - one.suspended_at > 2 * HOURS - timedelta(minutes=6)
    finally:
        company.world.setup.execute(change, [str(usual)])


def test_without_the_hours_of_the_settings_nobody_is_held(company: Company) -> None:
    [(hours,)] = company.world.setup.execute(
        "DELETE FROM audit_limit WHERE name = 'suspension_hours' RETURNING value"
    )
    try:
        with pytest.raises(Exception, match="suspension_hours"):
            company.suspend(company.reviewers[0], company.boss)
    finally:
        company.world.insert("audit_limit", name="suspension_hours", value=hours)


# By other ways


SHUTTING: dict[str, tuple[str, Any]] = {
    "no role": ("roles", []),
    "another role": ("roles", ["consultant"]),
    "a last day that has passed": ("left_on", "2026-01-01"),
    "a last day to come": ("left_on", "2099-01-01"),
    "a first day to come": ("starts_on", "2099-01-01"),
    "no first day": ("starts_on", None),
}


@pytest.mark.parametrize("how", SHUTTING)
def test_one_of_the_last_two_is_shut_out_by_two_people_alone(company: Company, how: str) -> None:
    fact, value = SHUTTING[how]
    caller = company.world.session(company.officers[0])
    for subject in (company.reviewers[0], company.officers[1]):
        before = Member.objects.filter(pk=subject.id).values().get()
        assert people.change_member(caller, subject.number, fact, value) == "proposed"
        assert Member.objects.filter(pk=subject.id).values().get() == before
    proposal = int(Proposal.objects.get(subject_id=company.reviewers[0].id).pk)
    assert company.decide(proposal, company.officers[0]) == "second_person"
    assert company.decide(proposal, company.administrators[0]) == ""
    one = member(company.reviewers[0])
    stored = getattr(one, fact)
    assert (stored.isoformat() if isinstance(stored, date) else stored) == value
    company.able("administrator")
    assert people.change_member(caller, company.administrators[0].number, fact, value) == ""


def test_a_last_day_that_is_taken_back_shuts_nobody_out(company: Company) -> None:
    first, second = company.officers
    changed("staff_member", "id", left_on=date(2099, 1, 1))(company.world, first)
    assert people.change_member(company.world.session(second), first.number, "left_on", None) == ""
    assert member(first).left_on is None


def test_so_is_who_stands_above(company: Company) -> None:
    officer = company.able("people", manager=company.boss)
    caller = company.world.session(officer)
    assert people.change_member(caller, company.director.number, "left_on", "2026-01-01") == "proposed"
    assert people.change_member(caller, company.boss.number, "roles", []) == "proposed"
    assert people.change_member(caller, company.anna.number, "left_on", "2026-01-01") == ""


def test_the_personnel_system_does_not_shut_out_the_last_two(company: Company) -> None:
    """Of four whom one file demotes or moves away, two go and two wait for a people officer."""
    more = [company.able("reviewer") for _ in range(2)]
    everybody = [*company.reviewers, *more]
    lines = [
        {
            "number": one.number,
            "name": f"Member {one.number}",
            "email": f"{one.number.lower()}@firma.example",
            "roles": ["consultant"] if place % 2 else ["reviewer"],
            "manager": None,
            "language": "en",
            "starts_on": "2020-01-01" if place % 2 else "2099-01-01",
        }
        for place, one in enumerate(everybody)
    ]
    signed_in(company.world, company.anna)
    outcomes = [outcome for _, outcome in people.apply_members(lines, "import_staff (root)")]
    assert outcomes == ["changed", "changed", "proposed", "proposed"]
    assert able("reviewer") == {one.id for one in more}
    assert {one.fact for one in Proposal.objects.all()} == {"roles", "starts_on"}
    assert [outcome for _, outcome in people.apply_members(lines[2:], "import_staff (root)")] == ["same"] * 2


def signed_in(world: World, person: Person) -> None:
    """Somebody has signed in with a second factor: first set-up is over."""
    entry(world, event="sign_in", member=person.number, factor="totp", object_repr="tests")


# Two at once


def both(company: Company, row: int, *acts: Callable[[], Any]) -> list[Any]:
    """Let all acts wait for one member's row, then go at the same moment."""
    with (
        ThreadPoolExecutor(len(acts)) as pool,
        psycopg.connect(environment.setup_url(environment.database_name())) as holder,
    ):
        holder.execute("SELECT FROM staff_member WHERE id = %s FOR UPDATE", [row])
        going = [pool.submit(act) for act in acts]
        racing.until_waiting(company.world.setup, len(acts))
        holder.rollback()
        return [one.result() for one in going]


def suspending(as_role: AsRole, caller: Caller, number: str) -> Callable[[], str]:
    """The act on a connection of its own."""
    web = as_role(roles.WEB)
    sql = "SELECT staff.change_member(%s::bytea, %s::jsonb, %s::text, 'suspended', 'true')"
    return lambda: str(racing.row(web, sql, [caller.digest, Jsonb(caller.context), number])[0])


@pytest.mark.parametrize("role", ["officers", "reviewers", "administrators"])
def test_of_two_who_take_the_last_two_at_once_one_waits(company: Company, as_role: AsRole, role: str) -> None:
    first, second = getattr(company, role)
    acts = [
        suspending(as_role, company.world.session(company.boss), first.number),
        suspending(as_role, company.world.session(company.director), second.number),
    ]
    assert sorted(both(company, first.id, *acts)) == [HELD, "proposed"]
    assert len(able(member(first).roles[0])) == 1


def test_of_two_who_suspend_each_other_one_does(company: Company, as_role: AsRole) -> None:
    first, second = company.officers
    acts = [
        suspending(as_role, company.world.session(first), second.number),
        suspending(as_role, company.world.session(second), first.number),
    ]
    results = both(company, first.id, *acts)
    assert HELD in results
    assert set(results) - {HELD} <= {"member_suspended", "session_missing"}
    assert len(able("people")) == 1


def test_of_two_who_suspend_one_the_second_is_told_what_waits(company: Company, as_role: AsRole) -> None:
    first = company.officers[0]
    acts = [
        suspending(as_role, company.world.session(by), first.number)
        for by in (company.boss, company.director)
    ]
    assert sorted(both(company, first.id, *acts)) == [HELD, "proposal_waits"]
    assert Proposal.objects.filter(subject_id=first.id).count() == 1


def test_many_who_suspend_many_do_not_deadlock(company: Company, as_role: AsRole) -> None:
    """Everybody suspends everybody, and somebody of each role is left who can undo it."""
    managers = [company.able("manager") for _ in range(3)]
    everybody = [*company.officers, *company.reviewers, *company.administrators]
    acts = [
        suspending(as_role, company.world.session(by), subject.number)
        for by in managers
        for subject in everybody
    ]
    with ThreadPoolExecutor(len(acts)) as pool:
        results = [one.result() for one in [pool.submit(act) for act in acts]]
    assert set(results) <= {HELD, "proposed", "proposal_waits", "", "proposal_decided", "no_change"}
    assert len(Member.objects.filter(suspended_at=None)) >= len(managers)


# What each guard is worth: without it the limit is broken


def takes_the_last(company: Company) -> bool:
    first, last = company.officers
    changed("staff_member", "id", suspended_at=LONG_AGO)(company.world, first)
    company.suspend(last, company.boss)
    return not able("people")


def takes_one_of_two_for_good(company: Company) -> bool:
    company.suspend(company.officers[0], company.boss)
    one = member(company.officers[0])
    return one.suspended_at is not None and one.suspended_until is None


def takes_who_stands_above_for_good(company: Company) -> bool:
    company.suspend(company.director, company.boss)
    return member(company.director).suspended_until is None


def repeats_it(company: Company) -> bool:
    company.suspend(company.officers[0], company.boss)
    company.later(hours=5)
    return company.suspend(company.officers[0], company.boss) == HELD


def is_out_when_time_is_over(company: Company) -> bool:
    company.suspend(company.officers[0], company.boss)
    company.later(hours=5)
    return not is_let_in(company.officers[0])


def demotes_one_of_two_alone(company: Company) -> bool:
    caller = company.world.session(company.officers[0])
    return people.change_member(caller, company.reviewers[0].number, "roles", []) == ""


GUARDS: list[tuple[Callable[[Company], bool], str, str, str]] = [
    (takes_the_last, "reach_of_suspension", "able = ARRAY[p_subject]", "false"),
    (takes_one_of_two_for_good, "reach_of_suspension", "cardinality(others) <= 1", "false"),
    (takes_who_stands_above_for_good, "reach_of_suspension", "staff.stands_above(p_subject, p_by)", "false"),
    (repeats_it, "reach_of_suspension", "jsonb_typeof(x.before) = 'string'", "false"),
    (is_out_when_time_is_over, "is_suspended", "OR clock_timestamp() < p_until", "OR true"),
    (demotes_one_of_two_alone, "weakens_guarded_role", "cardinality(able) <= 2", "false"),
]


@pytest.mark.parametrize(
    ("attack", "function", "guard", "instead"), GUARDS, ids=[one[0].__name__ for one in GUARDS]
)
def test_without_its_guard_the_limit_is_broken(
    company: Company,
    twins: Twins,
    attack: Callable[[Company], bool],
    function: str,
    guard: str,
    instead: str,
) -> None:
    twins.without(function, guard, instead)
    assert attack(company)


@pytest.mark.parametrize("attack", [one[0] for one in GUARDS])
def test_with_it_it_is_not(company: Company, attack: Callable[[Company], bool]) -> None:
    assert not attack(company)


def test_without_the_locks_two_at_once_take_the_last_two(
    company: Company, as_role: AsRole, twins: Twins
) -> None:
    """Each counts before the other has written."""
    twins.without("lock_members", "m.roles::text[] && ARRAY(", "false AND m.roles::text[] && ARRAY(")
    first, second = company.officers
    acts = [
        suspending(as_role, company.world.session(by), one.number)
        for by, one in ((company.boss, first), (company.director, second))
    ]
    with (
        ThreadPoolExecutor(2) as pool,
        psycopg.connect(environment.setup_url(environment.database_name())) as holder,
    ):
        # Both wait in the writing of their entry, after they have counted.
        holder.execute("LOCK TABLE audit_entry IN SHARE ROW EXCLUSIVE MODE")
        going = [pool.submit(act) for act in acts]
        racing.until_waiting(company.world.setup, 2)
        holder.rollback()
        assert [one.result() for one in going] == [HELD, HELD]
    assert not able("people")
