"""An approval lives no longer than the word of whoever gave it, nor that than what it rests on."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest
from django.core.management import call_command

from audit.models import Entry
from gatekeeper.access import deputies, grants
from gatekeeper.models import AccountPermission, Grant
from staff.directory import people
from staff.nda import signatures
from tests.world import now
from tests.world.scene import REFERENCE, Scene, deputise, signed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staff.frame.callers import Caller
    from tests.world import Person
    from tests.world.twins import Twins

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

MINUTE: Final = timedelta(minutes=1)
SOON: Final = timedelta(minutes=5)
SET_ZONE: Final = "UPDATE audit_limit SET value = %s WHERE name = 'time_zone'"


@pytest.fixture
def late(scene: Scene) -> Iterator[tuple[Scene, date, datetime]]:
    """A scene in a time zone in which it is past ten in the evening, its day, and the end of that day."""
    [(before,)] = scene.world.setup.execute(
        "SELECT value FROM audit_limit WHERE name = 'time_zone'"
    ).fetchall()
    east = (22 - now().hour + 12) % 24 - 12
    scene.world.setup.execute(SET_ZONE, [f"Etc/GMT{-east:+d}"])
    today = (now() + timedelta(hours=east)).date()
    midnight = datetime(today.year, today.month, today.day, tzinfo=UTC) + timedelta(days=1, hours=-east)
    yield scene, today, midnight
    scene.world.setup.execute(SET_ZONE, [before])


def the_grant(scene: Scene) -> Grant:
    return Grant.objects.get(pk=scene.grant)


def ended(scene: Scene) -> str:
    """Why the grant ended, with its one entry and guardian's row gone; '' while it lives."""
    grant = the_grant(scene)
    entries = Entry.objects.filter(event__in=["end", "revoke"], grant_id=scene.grant)
    if grant.ended_at is None:
        assert not entries.exists()
        return ""
    assert [(one.outcome, one.details) for one in entries] == [
        ("allowed", {"why": grant.end_reason, "views": grant.views})
    ]
    assert not AccountPermission.objects.exists()
    assert scene.reason() == "grant_ended"
    return grant.end_reason


def open_it(scene: Scene) -> str:
    refused = grants.open_window(scene.caller, grant=scene.grant, account=REFERENCE)
    return refused.reason if refused else ""


def by_deputy(scene: Scene, **changes: Any) -> tuple[Person, int]:
    """A deputy of Boss' who has approved, and the number of their time."""
    deputy = signed(scene, "manager")
    named = deputise(scene, deputy)
    request = scene.ask(**changes)
    assert scene.approve(request, by=scene.world.session(deputy)) == ""
    scene.grant = int(Grant.objects.get(request=request).pk)
    return deputy, named


@pytest.fixture
def officer(scene: Scene) -> Caller:
    return scene.world.session(signed(scene, "people"))


# The end that is written at opening


def ends(scene: Scene) -> datetime:
    found = the_grant(scene).window_ends_at
    assert found is not None
    return found


@pytest.mark.parametrize("who", ["the member", "the approver"])
def test_a_window_ends_with_the_last_day(late: tuple[Scene, date, datetime], who: str) -> None:
    scene, today, midnight = late
    leaver = scene.anna if who == "the member" else scene.boss
    scene.world.change("staff_member", leaver.id, left_on=today)
    scene.opened(minutes=120)
    assert ends(scene) == midnight


@pytest.mark.parametrize("who", ["the member", "the approver"])
def test_a_window_ends_with_the_agreement(scene: Scene, who: str) -> None:
    signer = scene.anna if who == "the member" else scene.boss
    over = now() + 20 * MINUTE
    scene.world.quietly("staff_signature", scene.signatures[signer.id], valid_until=over)
    scene.opened()
    assert ends(scene) == over


def test_a_window_ends_with_the_grace_for_the_approvers_version(scene: Scene) -> None:
    begun = now() - timedelta(days=14) + 20 * MINUTE
    scene.world.version(2, effective_at=begun)
    scene.world.signature(scene.anna, version=2)
    scene.opened()
    assert ends(scene) == begun + timedelta(days=14)


@pytest.mark.parametrize("version", [1, 2])
def test_a_signature_that_takes_over_without_a_gap_carries_on(scene: Scene, version: int) -> None:
    """Of the same version, or of one that is required by then."""
    over = now() + 20 * MINUTE
    scene.world.quietly("staff_signature", scene.signatures[scene.boss.id], valid_until=over)
    scene.world.version(2, effective_at=over - MINUTE)
    scene.world.signature(scene.boss, version=version)
    scene.opened()
    assert abs(ends(scene) - now() - 60 * MINUTE) < SOON


def test_a_signature_that_counts_only_after_a_gap_does_not(scene: Scene) -> None:
    over = now() + 20 * MINUTE
    scene.world.quietly("staff_signature", scene.signatures[scene.boss.id], valid_until=over)
    scene.world.version(2, effective_at=over + MINUTE)
    scene.world.signature(scene.boss, version=2)
    scene.opened()
    assert ends(scene) == over


def test_a_window_ends_with_the_deputys_time(scene: Scene) -> None:
    _, named = by_deputy(scene)
    over = now() + 20 * MINUTE
    scene.world.quietly("gatekeeper_deputy", named, ends_at=over)
    assert open_it(scene) == ""
    assert ends(scene) == over


def test_a_window_ends_with_the_last_day_of_who_named_the_deputy(late: tuple[Scene, date, datetime]) -> None:
    scene, today, midnight = late
    _, named = by_deputy(scene, minutes=120)
    scene.world.quietly("gatekeeper_deputy", named, ends_at=now() + timedelta(days=1))
    scene.world.change("staff_member", scene.boss.id, left_on=today)
    assert open_it(scene) == ""
    assert ends(scene) == midnight


# What changes it ends the access at once


@pytest.mark.parametrize("who", ["the member", "the approver", "who named the deputy"])
@pytest.mark.parametrize(("minutes", "why"), [(30, ""), (120, "member_left")])
def test_a_last_day_that_is_set_ends_what_would_outlast_it(
    late: tuple[Scene, date, datetime], who: str, minutes: int, why: str
) -> None:
    scene, today, _ = late
    if who == "who named the deputy":
        _, named = by_deputy(scene, minutes=minutes)
        scene.world.quietly("gatekeeper_deputy", named, ends_at=now() + timedelta(days=1))
        assert open_it(scene) == ""
    else:
        scene.opened(minutes=minutes)
    leaver = scene.anna if who == "the member" else scene.boss
    by = scene.world.session(signed(scene, "people"))
    assert people.change_member(by, leaver.number, "left_on", (today + timedelta(days=1)).isoformat()) == ""
    assert ended(scene) == ""
    assert people.change_member(by, leaver.number, "left_on", today.isoformat()) == ""
    found = ended(scene)
    assert found == (why if who == "the member" or not why else "approver_gone")


def test_withdrawing_the_approvers_agreement_ends_what_they_approved(scene: Scene, officer: Caller) -> None:
    scene.opened()
    assert signatures.withdraw(officer, scene.signatures[scene.boss.id], "revoked") == ""
    assert ended(scene) == "nda_withdrawn"


def test_but_not_where_another_of_theirs_is_in_force(scene: Scene, officer: Caller) -> None:
    scene.opened()
    scene.world.signature(scene.boss)
    assert signatures.withdraw(officer, scene.signatures[scene.boss.id], "revoked") == ""
    assert ended(scene) == ""


def test_withdrawing_it_ends_what_waits_to_be_opened(scene: Scene, officer: Caller) -> None:
    scene.approved(while_open=True)
    assert signatures.withdraw(officer, scene.signatures[scene.boss.id], "revoked") == ""
    assert ended(scene) == "nda_withdrawn"


@pytest.mark.parametrize(("grace", "why"), [(0, "approver_gone"), (14, "")])
def test_a_new_version_ends_what_its_approver_may_approve_no_more(
    scene: Scene, officer: Caller, grace: int, why: str
) -> None:
    scene.opened()
    sql = "SELECT staff.publish_nda_version(%s, '{\"cid\": 1}', 2, now(), 365, %s, false, 'New.', 'Nowa.')"
    assert scene.world.setup.execute(sql, [officer.digest, grace]).fetchone() == ("",)
    assert (the_grant(scene).ended_at is None, the_grant(scene).end_reason) == (not why, why)


@pytest.mark.parametrize("opened", [True, False])
def test_ending_a_deputy_ends_what_they_approved(scene: Scene, opened: bool) -> None:
    _, named = by_deputy(scene)
    assert not opened or open_it(scene) == ""
    assert deputies.end(scene.manager, named) == ""
    assert ended(scene) == "approver_gone"


def test_but_not_what_they_may_approve_by_another_right(scene: Scene) -> None:
    deputy, named = by_deputy(scene)
    assert open_it(scene) == ""
    scene.world.change("staff_member", scene.boss.id, manager_id=deputy.id)
    assert deputies.end(scene.manager, named) == ""
    assert ended(scene) == ""


def test_nor_what_the_manager_approved_while_they_had_a_deputy(scene: Scene) -> None:
    named = deputise(scene, signed(scene, "manager"))
    scene.opened()
    assert deputies.end(scene.manager, named) == ""
    assert ended(scene) == ""


def test_suspending_who_named_the_deputy_ends_what_the_deputy_approved(scene: Scene, officer: Caller) -> None:
    by_deputy(scene)
    assert open_it(scene) == ""
    assert people.change_member(officer, scene.boss.number, "suspended", value=True) == ""
    assert ended(scene) == "member_suspended"


def test_another_manager_ends_what_the_one_before_approved(scene: Scene) -> None:
    other = signed(scene, "manager")
    scene.opened()
    scene.world.change("staff_member", scene.anna.id, manager_id=other.id)
    assert ended(scene) == "approver_gone"


def test_so_it_does_for_those_below(scene: Scene) -> None:
    """Top approved; Boss now reports to somebody else, and Anna with them."""
    top, other = signed(scene, "manager"), signed(scene, "manager")
    scene.world.change("staff_member", scene.boss.id, manager_id=top.id)
    request = scene.ask()
    assert scene.approve(request, by=scene.world.session(top)) == ""
    scene.grant = int(Grant.objects.get(request=request).pk)
    assert open_it(scene) == ""
    scene.world.change("staff_member", scene.boss.id, manager_id=other.id)
    assert ended(scene) == "approver_gone"


def test_a_new_manager_above_the_approver_changes_nothing(scene: Scene) -> None:
    scene.opened()
    scene.world.change("staff_member", scene.boss.id, manager_id=signed(scene, "manager").id)
    assert ended(scene) == ""


# What time alone has ended


def run_out(scene: Scene) -> None:
    scene.world.quietly("staff_signature", scene.signatures[scene.boss.id], valid_until=now())


def leave(scene: Scene) -> None:
    scene.world.quietly("staff_member", scene.boss.id, left_on=date(2020, 2, 1))


@pytest.mark.parametrize("by_time", [run_out, leave])
@pytest.mark.parametrize("while_open", [False, True])
def test_what_an_approver_of_yesterday_approved_is_not_opened(
    scene: Scene, by_time: Any, while_open: bool
) -> None:
    scene.approved(while_open=while_open)
    by_time(scene)
    assert scene.evaluate().reason == "grant_ended"
    assert (scene.reason(), open_it(scene)) == ("grant_ended", "grant_ended")
    assert the_grant(scene).opened_at is None
    call_command("tidy", verbosity=0)
    assert the_grant(scene).end_reason == "approver_gone"


def test_nor_after_the_deputys_time(scene: Scene) -> None:
    _, named = by_deputy(scene)
    scene.world.quietly("gatekeeper_deputy", named, ends_at=now())
    assert (scene.reason(), open_it(scene)) == ("grant_ended", "grant_ended")


def test_no_second_window_while_the_ticket_is_open(scene: Scene) -> None:
    scene.opened(while_open=True)
    scene.world.quietly("gatekeeper_grant", scene.grant, window_ends_at=now())
    run_out(scene)
    assert open_it(scene) == "grant_ended"


# What each guard is worth


def test_without_the_written_end_an_access_survives_its_approver(scene: Scene, twins: Twins) -> None:
    over = now() + 20 * MINUTE
    scene.world.quietly("staff_signature", scene.signatures[scene.boss.id], valid_until=over)
    twins.without("start_window", "gatekeeper.approval_ends(g.member_id, g.approver_id)", "NULL")
    scene.opened()
    assert ends(scene) > over + 30 * MINUTE


def test_without_the_question_at_opening_it_is_opened_for_an_approver_of_yesterday(
    scene: Scene, twins: Twins
) -> None:
    scene.approved()
    run_out(scene)
    assert open_it(scene) == "grant_ended"
    twins.without("time_code", "(p_approval_ends > p_at) IS NOT TRUE", "false")
    assert open_it(scene) == ""


def test_without_the_cascade_it_outlives_the_deputy(scene: Scene, twins: Twins) -> None:
    _, named = by_deputy(scene)
    assert open_it(scene) == ""
    twins.without("cascade", "approved := gatekeeper.resting_on(ARRAY[NEW.deputy_id], false);")
    assert deputies.end(scene.manager, named) == ""
    assert scene.reason() == ""
