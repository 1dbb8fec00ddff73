"""Asking, deciding, opening, ending: what each does, who may, and what ends with what."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command
from django.db import connections
from django.test import Client, override_settings
from django.urls import reverse
from guardian.shortcuts import remove_perm

from audit.models import Entry
from gatekeeper import catalogue
from gatekeeper.access import grants, requests, typed_reasons
from gatekeeper.feeds import store, tickets
from gatekeeper.feeds.ticket_lines import TicketLine
from gatekeeper.gate import answers, decision
from gatekeeper.gate.backends import VIEW_PERSONAL_DATA
from gatekeeper.models import AccessRequest, Account, AccountPermission, Grant
from staff.frame import background
from staff.frame.callers import Caller
from tests.conftest import Connection
from tests.world import now
from tests.world.notices import none_taken
from tests.world.people import member
from tests.world.scene import REFERENCE, TICKET, Scene, deputise, newest, signed

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

HOUR = timedelta(hours=1)


def grant_of(scene: Scene) -> Grant:
    return Grant.objects.get(pk=scene.grant)


def request_of(number: int) -> AccessRequest:
    return AccessRequest.objects.get(pk=number)


def near(moment: datetime | None, expected: datetime) -> bool:
    return moment is not None and abs(moment - expected) < timedelta(minutes=5)


def run_out(scene: Scene, **more: Any) -> None:
    """The window is over."""
    past = now() - timedelta(seconds=1)
    scene.world.quietly("gatekeeper_grant", scene.grant, window_ends_at=past, **more)


def opens(scene: Scene) -> str:
    """Open the window; return '' or why not."""
    refused = grants.open_window(scene.caller, grant=scene.grant, account=REFERENCE)
    return refused.reason if refused else ""


# Asking


def test_a_request_waits_for_eight_hours_and_is_recorded(scene: Scene) -> None:
    asked = request_of(scene.ask())
    assert (asked.state, asked.member_id, asked.assignment_id) == (
        "pending",
        scene.anna.id,
        scene.assignment,
    )
    assert asked.expires_at - asked.requested_at == pytest.approx(8 * HOUR, abs=timedelta(minutes=1))
    entry = newest("request")
    assert (entry.outcome, entry.request_id, entry.account, entry.ticket) == (
        "allowed",
        asked.pk,
        REFERENCE,
        TICKET,
    )
    assert (entry.categories, entry.purpose) == (["contact", "company", "support"], "support_request")
    assert entry.details == {"minutes": 60, "while_open": False, "why": "reproduce_fault"}


def test_asking_twice_is_asking_once(scene: Scene) -> None:
    assert scene.ask() == scene.ask(categories=["support", "company", "contact"])
    assert AccessRequest.objects.get().categories == ["contact", "company", "support"]
    assert Entry.objects.filter(event="request").count() == 1


@pytest.mark.parametrize(
    "change",
    [
        {"categories": ["contact", "company", "support", "billing"]},
        {"minutes": 120},
        {"while_open": True},
        {"purpose": "incident"},
        {"reason": "other"},
        {"text": "Sound is missing in the recording."},
    ],
    ids=lambda change: next(iter(change)),
)
def test_an_edited_request_takes_the_place_of_the_one_that_waits(
    scene: Scene, change: dict[str, Any]
) -> None:
    first = scene.ask()
    second = scene.ask(**change)
    assert (request_of(first).state, request_of(second).state) == ("lapsed", "pending")
    entry = newest("end")
    assert (entry.request_id, entry.outcome, entry.details) == (first, "allowed", {"why": "replaced"})
    assert scene.approve(first) == "already_decided"
    assert scene.approve(second) == ""


def test_participants_are_asked_for_under_support_tickets_only(scene: Scene) -> None:
    scene.world.change("gatekeeper_ticket", scene.ticket, kind="privacy")
    asked = requests.ask(scene.caller, changes(purpose="privacy_request", categories=["participants"]))
    assert (asked.request, asked.reason) == (None, "category_not_covered")
    assert newest("request").outcome == "refused"


@pytest.mark.parametrize(("kind", "purpose"), [("support", "privacy_request"), ("privacy", "incident")])
def test_the_purpose_fits_the_ticket(scene: Scene, kind: str, purpose: str) -> None:
    scene.world.change("gatekeeper_ticket", scene.ticket, kind=kind)
    assert requests.ask(scene.caller, changes(purpose=purpose)).request is None
    assert not AccessRequest.objects.exists()


def changes(**changes: Any) -> requests.RequestDraft:
    facts: dict[str, Any] = {
        "account": REFERENCE,
        "ticket": TICKET,
        "purpose": "support_request",
        "categories": ["contact"],
        "minutes": 60,
        "while_open": False,
        "reason": "other",
    }
    return requests.RequestDraft(**(facts | changes))


# Approving


def test_an_approval_once_gives_one_window(scene: Scene) -> None:
    scene.approved()
    grant = grant_of(scene)
    assert near(grant.open_before, now() + 8 * HOUR)
    assert (grant.opened_at, grant.window_ends_at) == (None, None)
    assert (grant.signature_id, grant.approver_id) == (scene.signatures[scene.anna.id], scene.boss.id)
    assert opens(scene) == ""
    assert near(grant_of(scene).window_ends_at, now() + HOUR)
    run_out(scene)
    assert opens(scene) == "grant_expired"
    assert grant_of(scene).openings == 1


def test_while_the_ticket_is_open_each_opening_starts_a_window_and_is_an_entry(scene: Scene) -> None:
    scene.approved(while_open=True, minutes=30)
    assert near(grant_of(scene).open_before, now() + timedelta(days=5))
    for opening in (1, 2, 3):
        assert opens(scene) == ""
        assert grant_of(scene).openings == opening
        assert near(grant_of(scene).window_ends_at, now() + HOUR / 2)
        assert Entry.objects.filter(event="start", outcome="allowed").count() == opening
        run_out(scene)
        assert scene.reason() == "grant_not_started"
    scene.world.quietly("gatekeeper_grant", scene.grant, open_before=now() - timedelta(seconds=1))
    assert opens(scene) == "grant_expired"


def test_opening_an_open_window_changes_nothing(scene: Scene) -> None:
    scene.opened()
    ends = grant_of(scene).window_ends_at
    assert opens(scene) == ""
    assert (grant_of(scene).window_ends_at, grant_of(scene).openings) == (ends, 1)
    assert Entry.objects.filter(event="start").count() == 1


def test_the_first_reveal_opens_the_window_when_it_says_so(scene: Scene) -> None:
    scene.approved()
    assert scene.reason() == "grant_not_started"
    shown = decision.reveal(
        scene.caller, account=REFERENCE, grant=scene.grant, fields=["contact.name"], open_window=True
    )
    assert isinstance(shown, answers.Reveal)
    assert newest("start").pk < shown.entry
    assert near(grant_of(scene).window_ends_at, now() + HOUR)


def test_an_approval_may_be_shorter_narrower_and_stretched(scene: Scene) -> None:
    request = scene.ask(minutes=120)
    assert scene.approve(request, categories=["company"], minutes=30, while_open=True) == ""
    grant = Grant.objects.get()
    assert (grant.categories, grant.minutes, grant.while_open) == (["company"], 30, True)
    entry = newest("approve")
    assert (entry.outcome, entry.grant_id, entry.member, entry.subject) == (
        "allowed",
        grant.pk,
        scene.boss.number,
        scene.anna.number,
    )
    assert entry.categories == ["company"]
    assert AccountPermission.objects.filter(user=scene.anna.id, content_object=scene.account).exists()


@pytest.mark.parametrize(
    "wider",
    [{"categories": ["contact", "billing"]}, {"categories": []}, {"minutes": 90}, {"categories": ["*"]}],
)
def test_an_approval_is_never_wider(scene: Scene, wider: dict[str, Any]) -> None:
    request = scene.ask()
    reason = "category_not_covered" if wider.get("categories") != [] else "value_refused"
    assert scene.approve(request, **wider) == reason
    assert (newest("approve").outcome, newest("approve").reason) == ("refused", reason)
    assert request_of(request).state == "pending"
    assert not Grant.objects.exists()


# Who may approve


def test_a_manager_above_indirectly_may(scene: Scene) -> None:
    top = signed(scene, "manager")
    scene.world.change("staff_member", scene.boss.id, manager_id=top.id)
    assert scene.approve(scene.ask(), by=scene.world.session(top)) == ""


@pytest.mark.parametrize("role", ["manager", "consultant", "people", "reviewer", "administrator", "privacy"])
def test_nobody_else_may(scene: Scene, role: str) -> None:
    request = scene.ask()
    assert scene.approve(request, by=scene.world.session(signed(scene, role))) == "role_missing"
    assert (
        requests.deny(scene.world.session(signed(scene, role)), request, denial="unclear") == "role_missing"
    )
    assert request_of(request).state == "pending"


def test_nobody_below_may(scene: Scene) -> None:
    below = signed(scene, "manager", manager=scene.anna)
    assert scene.approve(scene.ask(), by=scene.world.session(below)) == "role_missing"


def boss(scene: Scene, table: str = "staff_member", **facts: Any) -> None:
    ids = {"staff_member": scene.boss.id, "staff_signature": scene.signatures[scene.boss.id]}
    scene.world.quietly(table, ids[table], **facts)


@pytest.mark.parametrize(
    ("take_away", "reason"),
    [
        (lambda s: boss(s, roles=["consultant"]), "role_missing"),
        (lambda s: boss(s, suspended_at=now()), "member_suspended"),
        (lambda s: boss(s, starts_on=None), "member_not_started"),
        (lambda s: boss(s, "staff_signature", withdrawn_at=now()), "nda_withdrawn"),
        (lambda s: boss(s, "staff_signature", valid_until=now()), "nda_expired"),
    ],
)
def test_the_approver_meets_the_conditions_at_that_moment(
    scene: Scene, take_away: Callable[[Scene], None], reason: str
) -> None:
    request = scene.ask()
    take_away(scene)
    assert scene.approve(request) == reason
    assert (newest("approve").outcome, newest("approve").reason) == ("refused", reason)


def test_the_approver_is_verified_freshly(scene: Scene) -> None:
    request = scene.ask()
    stale = scene.world.session(scene.boss, verified_at=now() - HOUR)
    assert scene.approve(request, by=stale) == "mfa_stale"
    assert requests.deny(stale, request, denial="unclear") == "mfa_stale"


def test_nobody_approves_for_themselves(scene: Scene) -> None:
    both(scene)
    request = scene.ask()
    assert scene.approve(request, by=scene.caller) == "role_missing"
    assert requests.deny(scene.caller, request, denial="unclear") == "role_missing"


def test_in_a_circle_of_managers_nobody_approves_for_themselves(scene: Scene) -> None:
    both(scene)
    scene.world.quietly("staff_member", scene.boss.id, manager_id=scene.anna.id)
    request = scene.ask()
    assert scene.approve(request, by=scene.caller) == "role_missing"
    assert scene.approve(request) == ""


def test_not_as_the_deputy_of_ones_own_manager_either(scene: Scene) -> None:
    both(scene)
    deputise(scene, scene.anna)
    request = scene.ask()
    assert scene.approve(request, by=scene.caller) == "role_missing"
    scene.world.ticket("ZD-10002", assignee=scene.carl)
    theirs = scene.ask(scene.world.session(scene.carl), ticket="ZD-10002")
    assert scene.approve(theirs, by=scene.caller) == ""


def both(scene: Scene) -> None:
    """Anna is a manager as well."""
    scene.world.change("staff_member", scene.anna.id, roles=["consultant", "manager"])


# Decided once


def test_of_two_managers_at_once_one_decides(scene: Scene) -> None:
    top = signed(scene, "manager")
    scene.world.change("staff_member", scene.boss.id, manager_id=top.id)
    request = scene.ask()

    def decide(by: Caller) -> str:
        try:
            return scene.approve(request, by=by)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        given = sorted(pool.map(decide, [scene.manager, scene.world.session(top)]))
    assert given == ["", "already_decided"]
    assert Grant.objects.count() == 1
    outcomes = Entry.objects.filter(event="approve").values_list("outcome", flat=True)
    assert sorted(outcomes) == ["allowed", "refused"]


def test_of_a_request_that_was_replaced_the_manager_hears_that(scene: Scene) -> None:
    request = scene.ask()
    client = scene.browser(scene.boss)
    newer = scene.ask(categories=["company"])
    assert newer != request
    response = client.post(reverse("approve", args=[request]), {"categories": ["contact"]}, follow=True)
    said = response.content.decode()
    assert "Not done: this request was replaced by a newer one. The newer one is on this page." in said
    assert f'id="request-{newer}"' in said
    assert re.search(r'<div role="status">\s*<ul class="messages">', said)
    scene.world.quietly("gatekeeper_accessrequest", newer, expires_at=now())
    response = client.post(reverse("approve", args=[newer]), {"categories": ["company"]}, follow=True)
    assert "Not done: this request is over: Expired" in response.content.decode()
    assert not Grant.objects.exists()


def test_the_second_sees_who_decided(scene: Scene) -> None:
    top = signed(scene, "manager")
    scene.world.change("staff_member", scene.boss.id, manager_id=top.id)
    request = scene.ask()
    client = scene.browser(top)
    assert scene.approve(request) == ""
    response = client.post(reverse("approve", args=[request]), {"categories": ["contact"]}, follow=True)
    assert "Already decided: Approved, Member " + scene.boss.number in response.content.decode()
    assert Grant.objects.count() == 1


def test_a_denied_request_stays_denied_and_is_shown_with_the_next(scene: Scene) -> None:
    request = scene.ask()
    assert requests.deny(scene.manager, request, denial="too_wide") == ""
    assert (request_of(request).state, request_of(request).denial) == ("denied", "too_wide")
    assert (newest("deny").outcome, (newest("deny").details or {})["denial"]) == ("allowed", "too_wide")
    assert scene.approve(request) == "already_decided"
    assert scene.ask(categories=["contact"]) != request
    page = scene.browser(scene.boss).get(reverse("inbox")).content.decode()
    assert "Rejected earlier" in page
    assert "Ask for fewer categories" in page


def test_a_withdrawn_request_is_withdrawn_by_its_member_alone(scene: Scene) -> None:
    request = scene.ask()
    for other in (scene.manager, scene.world.session(scene.carl)):
        assert requests.withdraw(other, request) == "role_missing"
    assert newest("withdraw").outcome == "refused"
    assert requests.withdraw(scene.caller, request) == ""
    assert (request_of(request).state, newest("withdraw").outcome) == ("withdrawn", "allowed")
    assert scene.approve(request) == "already_decided"
    assert requests.withdraw(scene.caller, request) == "already_decided"


def test_withdrawing_what_was_decided_says_so_without_a_list(scene: Scene) -> None:
    request = scene.ask()
    assert scene.approve(request) == ""
    answer = scene.browser().post(reverse("withdraw", args=[request]), follow=True)
    assert "Nothing was done: this was decided meanwhile." in answer.content.decode()


def test_a_request_lapses_by_time_and_tidying_records_it(scene: Scene) -> None:
    request = scene.ask()
    scene.world.quietly("gatekeeper_accessrequest", request, expires_at=now())
    assert scene.approve(request) == "already_decided"
    assert decision.evaluate(scene.caller, account=REFERENCE).reason == "approval_missing"
    call_command("tidy", verbosity=0)
    assert request_of(request).state == "lapsed"
    assert (newest("end").request_id, newest("end").details) == (request, {"why": "lapsed"})
    assert scene.ask() != request


def test_what_is_lapsed_and_not_tidied_makes_room_for_the_next(scene: Scene) -> None:
    request = scene.ask()
    scene.world.quietly("gatekeeper_accessrequest", request, expires_at=now())
    assert scene.ask() != request
    assert request_of(request).state == "lapsed"


def test_a_grant_that_was_not_opened_in_time_lapses(scene: Scene) -> None:
    scene.approved()
    scene.world.quietly("gatekeeper_grant", scene.grant, open_before=now())
    assert opens(scene) == "grant_start_lapsed"
    assert AccountPermission.objects.exists()
    call_command("tidy", verbosity=0)
    assert grant_of(scene).end_reason == "expired"
    assert not AccountPermission.objects.exists()


@pytest.mark.parametrize("while_open", [False, True])
def test_tidying_leaves_what_may_still_open(scene: Scene, while_open: bool) -> None:
    scene.opened(while_open=while_open)
    call_command("tidy", verbosity=0)
    assert grant_of(scene).ended_at is None
    run_out(scene)
    call_command("tidy", verbosity=0)
    assert (grant_of(scene).ended_at is None) is while_open


# The window's end is the least of


def test_the_signatures_end(scene: Scene) -> None:
    ends = now() + HOUR / 3
    scene.world.quietly("staff_signature", scene.signatures[scene.anna.id], valid_until=ends)
    scene.opened()
    assert grant_of(scene).window_ends_at == ends


def test_the_stretchs_end(scene: Scene) -> None:
    ends = now() + HOUR / 3
    scene.approved(while_open=True)
    scene.world.quietly("gatekeeper_grant", scene.grant, open_before=ends)
    assert opens(scene) == ""
    assert grant_of(scene).window_ends_at == ends


@pytest.fixture
def late_evening(setup_connection: Connection) -> Iterator[timezone]:
    """The company's clock shows some minutes past eleven in the evening."""
    hours = 23 - datetime.now(tz=UTC).hour
    hours -= 24 if hours > 14 else 0
    statement = "UPDATE audit_limit SET value = %s WHERE name = 'time_zone'"
    setup_connection.execute(statement, [f"Etc/GMT{-hours:+d}"])
    yield timezone(timedelta(hours=hours))
    setup_connection.execute(statement, ["Europe/Vilnius"])


def test_the_end_of_the_last_day(scene: Scene, late_evening: timezone) -> None:
    today = datetime.now(tz=late_evening).date()
    scene.world.change("staff_member", scene.anna.id, left_on=today)
    scene.opened(minutes=120)
    midnight = datetime.combine(today + timedelta(days=1), datetime.min.time(), tzinfo=late_evening)
    assert grant_of(scene).window_ends_at == midnight


# Ended by what it rested on

Act = Callable[[Scene], object]


def told(scene: Scene, minutes: int, **facts: Any) -> None:
    """The helpdesk tells the ticket again."""
    line: dict[str, Any] = {
        "number": TICKET,
        "kind": "support",
        "accounts": [REFERENCE],
        "state": "open",
        "assignee": scene.anna.number,
        "opened_by": "customer",
        "opened_at": (now() - 9 * HOUR).isoformat(),
        "updated_at": (now() + timedelta(minutes=minutes)).isoformat(),
        "closed_at": None,
    } | facts
    outcome = tickets.apply([TicketLine.model_validate(line)], "helpdesk")
    assert outcome == {TICKET: "changed"}


def change(table: str, whose: Callable[[Scene], int], **facts: Any) -> Act:
    return lambda s: s.world.change(table, whose(s), **facts)


def anna(s: Scene) -> int:
    return s.anna.id


def approver(s: Scene) -> int:
    return s.boss.id


def paper(s: Scene) -> int:
    return s.signatures[s.anna.id]


LONG_GONE = now().date() - timedelta(days=3)
#: sentence, what happens, the end's reason, and what undoes it ('' has nothing to undo).
CASCADES: list[tuple[str, Act, str, Act | None]] = [
    ("the ticket is solved", lambda s: told(s, 1, state="solved"), "ticket_closed", lambda s: told(s, 2)),
    (
        "the ticket is reassigned",
        lambda s: told(s, 1, assignee=s.carl.number),
        "ticket_not_yours",
        lambda s: told(s, 2),
    ),
    (
        "the ticket is nobody's",
        lambda s: told(s, 1, assignee=None),
        "ticket_not_yours",
        lambda s: told(s, 2),
    ),
    (
        "the ticket moves to another account",
        lambda s: told(s, 1, accounts=["MOC-40002"]),
        "ticket_other_account",
        lambda s: told(s, 2),
    ),
    (
        "the ticket is blocked by an unusable message",
        lambda s: tickets.block_named(b'{"number": "ZD-10001"}', now(), "helpdesk"),
        "ticket_closed",
        lambda s: told(s, 2),
    ),
    (
        "the agreement is withdrawn",
        change("staff_signature", paper, withdrawn_at=now()),
        "nda_withdrawn",
        lambda s: s.world.signature(s.anna),
    ),
    (
        "she is suspended",
        change("staff_member", anna, suspended_at=now()),
        "member_suspended",
        change("staff_member", anna, suspended_at=None),
    ),
    (
        "she has left",
        change("staff_member", anna, left_on=LONG_GONE),
        "member_left",
        change("staff_member", anna, left_on=None),
    ),
    (
        "her start is taken back",
        change("staff_member", anna, starts_on=None),
        "member_not_started",
        change("staff_member", anna, starts_on=LONG_GONE),
    ),
    (
        "she is no consultant any more",
        change("staff_member", anna, roles=["manager"]),
        "role_missing",
        change("staff_member", anna, roles=["consultant"]),
    ),
    (
        "the approver is suspended",
        change("staff_member", approver, suspended_at=now()),
        "member_suspended",
        change("staff_member", approver, suspended_at=None),
    ),
    (
        "the approver has left",
        change("staff_member", approver, left_on=LONG_GONE),
        "member_left",
        change("staff_member", approver, left_on=None),
    ),
    (
        "the approver is no manager any more",
        change("staff_member", approver, roles=["consultant"]),
        "role_missing",
        change("staff_member", approver, roles=["manager"]),
    ),
    ("the account is erased", lambda s: store.erase_account(REFERENCE, "test"), "account_erased", None),
    (
        "guardian's row is deleted",
        lambda s: remove_perm(VIEW_PERSONAL_DATA, member(s.anna), Account.objects.get(pk=s.account)),
        "permission_removed",
        lambda s: None,
    ),
]
cascade = pytest.mark.parametrize(
    ("act", "why", "undo"), [row[1:] for row in CASCADES], ids=[row[0] for row in CASCADES]
)


@cascade
def test_the_grant_ends_with_it_and_nothing_revives_it(
    scene: Scene, act: Act, why: str, undo: Act | None
) -> None:
    scene.opened(while_open=True)
    act(scene)
    grant = grant_of(scene)
    assert (grant.ended_at is not None, grant.end_reason, grant.ended_by) == (True, why, None)
    entries = Entry.objects.filter(event__in=["end", "revoke"], grant_id=scene.grant)
    assert [(e.outcome, e.subject, e.account, e.details["why"]) for e in entries] == [
        ("allowed", scene.anna.number, "" if why == "account_erased" else REFERENCE, why)
    ]
    assert not AccountPermission.objects.exists()
    assert scene.reason() != ""
    if undo is None:
        return
    undo(scene)
    scene.caller = scene.world.session(scene.anna)
    assert scene.reason() == "grant_ended"
    assert opens(scene) == "grant_ended"
    assert decision.evaluate(scene.caller, account=REFERENCE).reason in ("grant_ended", "approval_missing")
    assert grant_of(scene).ended_at == grant.ended_at


WAITING = [row for row in CASCADES if not row[0].startswith(("the approver", "guardian", "the agreement"))]


@pytest.mark.parametrize(
    ("act", "why", "undo"), [row[1:] for row in WAITING], ids=[row[0] for row in WAITING]
)
def test_a_waiting_request_ends_with_it(scene: Scene, act: Act, why: str, undo: Act | None) -> None:
    request = scene.ask()
    act(scene)
    assert request_of(request).state == "lapsed"
    assert (newest("end").request_id, newest("end").details) == (request, {"why": why})
    if undo is not None:
        undo(scene)
        assert scene.approve(request) == "already_decided"
    assert not Grant.objects.exists()


def test_when_the_agreement_runs_out_tidying_ends_the_grant(scene: Scene) -> None:
    scene.opened()
    scene.world.quietly("staff_signature", scene.signatures[scene.anna.id], valid_until=now())
    assert scene.reason() == "nda_expired"
    call_command("tidy", verbosity=0)
    assert grant_of(scene).end_reason == "nda_expired"
    scene.world.signature(scene.anna)
    assert scene.reason() == "grant_ended"


def test_another_signature_does_not_carry_the_grant(scene: Scene) -> None:
    """Even before tidying: the grant is bound to the signature under which it was approved."""
    scene.opened()
    scene.world.signature(scene.anna)
    scene.world.quietly("staff_signature", scene.signatures[scene.anna.id], valid_until=now())
    assert scene.reason() == "grant_ended"


def test_the_grants_of_others_live_on(scene: Scene) -> None:
    scene.opened()
    scene.world.ticket("ZD-10002", assignee=scene.carl)
    caller = scene.world.session(scene.carl)
    request = scene.ask(caller, ticket="ZD-10002")
    assert scene.approve(request) == ""
    scene.world.change("staff_member", scene.anna.id, suspended_at=now())
    assert Grant.objects.get(request=request).ended_at is None
    assert AccountPermission.objects.get().user_id == scene.carl.id


@pytest.mark.parametrize("role", ["manager", "reviewer", "people"])
def test_those_who_watch_end_any_grant(scene: Scene, role: str) -> None:
    scene.opened()
    officer = signed(scene, role)
    assert grants.end(scene.world.session(officer), scene.grant) == ""
    assert (grant_of(scene).end_reason, grant_of(scene).ended_by_id) == ("revoked", officer.id)
    entry = newest("revoke")
    assert (entry.member, entry.subject, entry.grant_id) == (officer.number, scene.anna.number, scene.grant)
    assert scene.reason() == "grant_revoked"


@pytest.mark.parametrize("role", ["consultant", "privacy", "administrator"])
def test_nobody_else_ends_anothers_grant(scene: Scene, role: str) -> None:
    scene.opened()
    assert grants.end(scene.world.session(signed(scene, role)), scene.grant) == "role_missing"
    assert newest("revoke").outcome == "refused"
    assert scene.reason() == ""


def test_ones_own_grant_ends_at_ones_own_word(scene: Scene) -> None:
    scene.opened()
    assert grants.end(scene.caller, scene.grant) == ""
    assert (newest("end").member, newest("end").grant_id) == (scene.anna.number, scene.grant)
    assert scene.reason() == "grant_ended"


# The page of asking

FORM: dict[str, Any] = {
    "ticket": TICKET,
    "purpose": "support_request",
    "reason": "reproduce_fault",
    "categories": ["contact"],
    "minutes": "60",
    "stretch": "once",
    "text": "",
}


def send(client: Client, **changes: Any) -> Any:
    return client.post(reverse("ask", args=[REFERENCE]), FORM | changes)


def ask_page(client: Client) -> str:
    text: str = client.get(reverse("ask", args=[REFERENCE]), {"ticket": TICKET}).content.decode()
    return text


def test_the_page_names_those_who_could_approve(scene: Scene) -> None:
    client = scene.browser()
    assert f"Member {scene.boss.number}" in ask_page(client)
    scene.world.change("staff_member", scene.boss.id, suspended_at=now())
    page = ask_page(client)
    assert "Nobody could approve this now" in page
    assert f"Member {scene.boss.number}" not in page


def test_a_waiting_request_says_that_nobody_could_approve(scene: Scene) -> None:
    client = scene.browser()
    scene.world.quietly("staff_member", scene.anna.id, manager_id=None)
    request = scene.ask()
    text = client.get(reverse("approval", args=[request])).content.decode()
    assert "Nobody could approve this now" in text


def test_the_new_assignee_finds_the_request_prefilled(scene: Scene) -> None:
    scene.ask(categories=["billing", "activity"], minutes=90, reason="check_payment", text="Only this once")
    told(scene, 1, assignee=scene.carl.number)
    page = ask_page(scene.browser(scene.carl))
    assert "Filled in from an earlier request" in page
    for value in ("billing", "activity", "90", "check_payment"):
        assert checked(page, value), value
    assert not checked(page, "contact")
    assert "Only this once" not in page


def checked(page: str, value: str) -> bool:
    boxes = [tag for tag in page.split("<input") if f'value="{value}"' in tag.partition(">")[0]]
    assert boxes, value
    return any("checked" in tag.partition(">")[0] for tag in boxes)


PERSONAL = [
    "write to aldona@klient.example",
    "call +48 601 234 567",
    "call 601-234-567 today",
    "transfer from PL61109010140000071219812874",
    "transfer from PL61 1090 1014 0000 0712 1981 2874",
    "card 4111 1111 1111 1111",
    "card 4111111111111111",
]


@pytest.mark.parametrize("text", PERSONAL)
def test_a_reason_with_somebodys_data_is_refused_and_kept_nowhere(
    scene: Scene, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    client = scene.browser()
    response = send(client, text=text)
    assert response.status_code in (200, 422)
    assert not AccessRequest.objects.exists()
    assert (newest("request").outcome, newest("request").reason) == ("refused", "value_refused")
    assert not Entry.objects.filter(details__icontains=text[-9:]).exists()
    assert text not in caplog.text


@pytest.mark.parametrize("text", ["Ticket says 3 of 25 slides are missing", "Błąd 500 od wersji 2.14.1"])
def test_an_ordinary_reason_is_taken(scene: Scene, text: str) -> None:
    send(scene.browser(), text=text)
    assert typed_reasons.of(AccessRequest.objects.get()) == text


def test_other_needs_a_sentence(scene: Scene) -> None:
    client = scene.browser()
    for text in ("", ".", "\u200b\u200b", "\u3164", "\u2800", "\u00ad", "… –"):
        answer = send(client, reason="other", text=text)
        assert "Say in a sentence what will be checked." in answer.content.decode(), ascii(text)
    assert not AccessRequest.objects.exists()
    send(client, reason="other", text="Compare the settings")
    assert AccessRequest.objects.exists()


def test_a_typed_reason_is_encrypted_and_goes_with_the_account(scene: Scene) -> None:
    text = "Compare the settings with yesterday"
    request = scene.ask(text=text)
    kept = bytes(request_of(request).reason_text or b"")
    assert kept
    assert text.encode() not in kept
    page = scene.browser(scene.boss).get(reverse("approval", args=[request])).content.decode()
    assert text in page
    store.erase_account(REFERENCE, "test")
    assert request_of(request).reason_text is None
    assert typed_reasons.of(request_of(request)) == ""


# Mail


@pytest.fixture
def mailing() -> Iterator[None]:
    with override_settings(EMAIL_HOST="mail.firma.example"):
        yield


@pytest.mark.usefixtures("mailing")
def test_those_who_could_approve_are_told_without_personal_data(scene: Scene) -> None:
    top = signed(scene, "manager", language="pl")
    scene.world.change("staff_member", scene.boss.id, manager_id=top.id)
    response = send(scene.browser(), text="Compare the settings")
    request = AccessRequest.objects.get()
    background.finish()
    recipients = sorted(address for message in mail.outbox for address in message.to)
    assert recipients == sorted([member(scene.boss).email, member(top).email])
    for message in mail.outbox:
        text = f"{message.subject}\n{message.body}"
        assert reverse("approval", args=[request.pk]) in text
        for telling in (REFERENCE, TICKET, scene.anna.number, f"Member {scene.anna.number}", "Compare"):
            assert telling not in text
    assert "2 people will be notified by e-mail." in response.client.get("/").content.decode()


@pytest.mark.usefixtures("mailing")
@pytest.mark.parametrize(("while_open", "told"), [(True, 1), (False, 0)])
def test_each_opening_while_the_ticket_is_open_is_told_to_the_approver(
    scene: Scene, while_open: bool, told: int
) -> None:
    client = scene.browser()
    scene.approved(while_open=while_open)
    client.post(reverse("open_window", args=[REFERENCE]), {"grant": scene.grant})
    assert grant_of(scene).openings == 1
    background.finish()
    assert [message.to for message in mail.outbox] == [[member(scene.boss).email]] * told
    assert all(REFERENCE not in f"{message.subject}{message.body}" for message in mail.outbox)


@pytest.mark.usefixtures("mailing")
def test_an_opening_and_its_notice_are_one(scene: Scene) -> None:
    client = scene.browser()
    scene.approved(while_open=True)
    with none_taken(scene.world):
        client.post(reverse("open_window", args=[REFERENCE]), {"grant": scene.grant})
    assert grant_of(scene).openings == 0


def test_without_a_mail_server_no_mail_leaves(scene: Scene) -> None:
    send(scene.browser())
    assert AccessRequest.objects.exists()
    background.finish()
    assert mail.outbox == []


# Limits


def test_the_view_that_reaches_the_limit_is_the_last(scene: Scene) -> None:
    scene.opened()
    scene.world.quietly("gatekeeper_grant", scene.grant, views=499)
    assert scene.reason() == ""
    assert scene.reason() == "view_limit_reached"
    assert grant_of(scene).views == 500


def with_participants(scene: Scene, count: int, **changes: Any) -> None:
    scene.world.participants(REFERENCE, count)
    scene.opened(categories=["participants"], **changes)


def people(scene: Scene, page: int) -> answers.Reveal | answers.Refusal:
    return decision.participants(scene.caller, account=REFERENCE, grant=scene.grant, page=page)


def find(scene: Scene, **by: Any) -> list[str] | str:
    shown = decision.find_participant(scene.caller, account=REFERENCE, grant=scene.grant, **by)
    return list(shown.values) if isinstance(shown, answers.Reveal) else shown.reason


@pytest.mark.parametrize(("page", "numbers"), [(1, range(1, 26)), (3, range(51, 61)), (4, range(0))])
def test_participants_come_in_pages_of_25_an_entry_each(scene: Scene, page: int, numbers: range) -> None:
    with_participants(scene, 60)
    shown = people(scene, page)
    assert isinstance(shown, answers.Reveal)
    assert list(shown.values) == [f"participants.{number}" for number in numbers]
    entry = newest("view")
    assert (entry.pk, entry.records, entry.results) == (shown.entry, list(numbers), len(numbers))
    assert entry.fields == ["participants"]
    assert grant_of(scene).participants_shown == len(numbers)


def test_a_grant_shows_two_hundred_at_most(scene: Scene) -> None:
    with_participants(scene, 60)
    scene.world.quietly("gatekeeper_grant", scene.grant, participants_shown=175)
    assert isinstance(people(scene, 1), answers.Reveal)
    refused = people(scene, 2)
    assert isinstance(refused, answers.Refusal)
    assert refused.reason == "view_limit_reached"
    assert (newest("view").outcome, newest("view").records) == ("refused", None)
    assert find(scene, number=1) == "view_limit_reached"
    assert grant_of(scene).participants_shown == 200


def test_who_objected_is_left_out_of_pages_and_searches(scene: Scene) -> None:
    with_participants(scene, 4)
    scene.world.setup.execute("UPDATE vault.participant SET objected = true WHERE number IN (2, 3)")
    shown = people(scene, 1)
    assert isinstance(shown, answers.Reveal)
    assert list(shown.values) == ["participants.1", "participants.4"]
    assert find(scene, number=2) == []
    assert find(scene, email="p3@gosc.example") == []


def test_a_search_is_exact_and_shows_the_match_alone(scene: Scene) -> None:
    with_participants(scene, 12)
    assert find(scene, number=1) == ["participants.1"]
    assert find(scene, email=" P7@GOSC.example ") == ["participants.7"]
    assert find(scene, email="p@gosc.example") == []
    assert find(scene, email="%") == []
    entries = Entry.objects.filter(event="search").order_by("id")
    assert [(entry.records, entry.results) for entry in entries] == [([1], 1), ([7], 1), ([], 0), ([], 0)]
    assert grant_of(scene).misses == 2


def test_after_ten_misses_nothing_is_found_any_more(scene: Scene) -> None:
    with_participants(scene, 3)
    for guess in range(10):
        assert find(scene, email=f"guess{guess}@gosc.example") == []
    assert find(scene, email="p1@gosc.example") == "daily_budget_reached"
    assert (newest("search").outcome, newest("search").reason) == ("refused", "daily_budget_reached")


def test_another_accounts_participant_is_not_found_here(scene: Scene) -> None:
    scene.world.account("MOC-40002")
    scene.world.participants("MOC-40002", 1)
    client = scene.browser()
    with_participants(scene, 1)
    url = reverse("participants", args=[REFERENCE])
    page = client.post(url, {"grant": scene.grant, "q": "MOC-40002-P1"}).content.decode()
    assert "No participant matches exactly" in page
    page = client.post(url, {"grant": scene.grant, "q": "MOC-40001-P1"}).content.decode()
    assert "Gość 1" in page


def test_participants_are_shown_under_support_tickets_only(scene: Scene) -> None:
    with_participants(scene, 3)
    scene.world.quietly("gatekeeper_ticket", scene.ticket, kind="privacy")
    refused = people(scene, 1)
    assert isinstance(refused, answers.Refusal)
    assert refused.reason == "category_not_covered"


@pytest.mark.parametrize(
    ("facts", "reason"),
    [({"participants_since": None}, "consent_missing"), ({"participants_until": now()}, "consent_expired")],
)
def test_participants_are_shown_while_they_consented(
    scene: Scene, facts: dict[str, Any], reason: str
) -> None:
    with_participants(scene, 3)
    scene.world.quietly("gatekeeper_account", scene.account, **facts)
    refused = people(scene, 1)
    assert isinstance(refused, answers.Refusal)
    assert refused.reason == reason
    assert find(scene, number=1) == reason


def test_participants_are_no_field_among_others(scene: Scene) -> None:
    scene.world.participants(REFERENCE, 1)
    scene.opened(categories=["contact", "participants"])
    assert scene.reason("participants") == "check_failed"
    assert scene.reason("contact.name", "participants") == "check_failed"


def test_the_categories_are_the_catalogues(scene: Scene) -> None:
    response = send(scene.browser(), categories=["everything"])
    assert response.status_code in (200, 422)
    assert not AccessRequest.objects.exists()
    assert {code for code, _ in catalogue.CATEGORIES} >= set(request_of(scene.ask()).categories)
