"""What is flagged in the log: each rule flags what it says and nothing else; nothing is judged too early."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connections
from psycopg.types.json import Jsonb

from audit import detections
from audit.database import rows
from audit.models import Entry, Flag, Round
from gatekeeper.access import grants
from gatekeeper.frame.health_row import Health
from gatekeeper.installation import roles
from gatekeeper.installation.checks import limits_wanted
from gatekeeper.models import Review
from gatekeeper.pages import people_health, review_health, sign_in_health
from gatekeeper.reviews import finding
from tests.world import World
from tests.world.log import VIEW
from tests.world.past import Past
from tests.world.scene import Scene, newest

if TYPE_CHECKING:
    from tests.conftest import AsRole, Connection, Thresholds

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

SOURCE = "tests"
VILNIUS = ZoneInfo("Europe/Vilnius")
#: A Wednesday at noon, where the company is.
NOON = datetime(2026, 11, 18, 12, tzinfo=VILNIUS)


@pytest.fixture
def past(setup_connection: Connection) -> Past:
    return Past(setup_connection)


def flagged(rule: str) -> list[int]:
    """Run the rules; the entries that this one flagged."""
    finding.find(SOURCE)
    return list(Flag.objects.filter(rule=rule).order_by("entry").values_list("entry", flat=True))


def looked(past: Past, days_ago: float = 0, **facts: Any) -> int:
    return past.write("view", NOON - timedelta(days=days_ago), **facts)


# The rules


@pytest.mark.parametrize(
    ("at", "flagged_then"),
    [
        (NOON, False),
        (NOON.replace(hour=7), False),
        (NOON.replace(hour=6, minute=59), True),
        (NOON.replace(hour=18, minute=59), False),
        (NOON.replace(hour=19), True),
        (NOON + timedelta(days=3), True),  # a Saturday
        # Summer time: five in the morning in UTC is eight in Vilnius in July, seven in November.
        (datetime(2026, 7, 15, 4, 30, tzinfo=UTC), False),
        (datetime(2026, 11, 18, 4, 30, tzinfo=UTC), True),
    ],
)
def test_outside_working_hours(past: Past, at: datetime, flagged_then: bool) -> None:
    entry = past.write("view", at)
    assert flagged("hours") == ([entry] if flagged_then else [])


@pytest.mark.parametrize(
    ("hours", "at", "flagged_then"),
    [
        ("6-22 1-7 Europe/Vilnius", NOON.replace(hour=21), False),
        ("6-22 1-7 Europe/Vilnius", NOON + timedelta(days=3), False),
        ("6-22 1-7 Europe/Vilnius", NOON.replace(hour=5), True),
        ("9-18 1-5 America/New_York", NOON, True),  # five in the morning there
        ("9-18 1-5 America/New_York", NOON.replace(hour=23), False),
        ("21-7 1-5 Europe/Vilnius", NOON, True),
        ("21-7 1-5 Europe/Vilnius", NOON.replace(hour=3), False),
        ("21-7 1-5 Europe/Vilnius", NOON + timedelta(days=2, hours=15), False),  # into Saturday's morning
        ("21-7 1-5 Europe/Vilnius", NOON + timedelta(days=3, hours=10), True),
    ],
)
def test_a_team_has_hours_of_its_own(
    past: Past, settings: Any, hours: str, at: datetime, flagged_then: bool
) -> None:
    boss = past.world.member("manager")
    between = past.world.member("manager", manager=boss)
    person, other = past.world.member("consultant", manager=between), past.world.member("consultant")
    past.world.insert("audit_limit", name=f"hours.{boss.number}", value=hours)
    try:
        entry = past.write("view", at, member=person.number)
        past.write("view", NOON, member=other.number)
        assert flagged("hours") == ([entry] if flagged_then else [])
    finally:
        past.setup.execute("DELETE FROM audit_limit WHERE name LIKE 'hours.%'")


def test_the_nearest_leaders_hours_count(past: Past, settings: Any) -> None:
    settings.TEAM_HOURS = {"K-1000": "1-2 1-5 UTC", "K-1001": "0-24 1-7 UTC"}
    boss = past.world.member("manager")
    between = past.world.member("manager", manager=boss)
    person = past.world.member("consultant", manager=between)
    assert (boss.number, between.number) == ("K-1000", "K-1001")
    for name, value in limits_wanted().items():
        if name.startswith("hours."):
            past.world.insert("audit_limit", name=name, value=value)
    try:
        past.write("view", NOON, member=person.number)
        at_one = past.write("view", NOON, member=boss.number)
        assert flagged("hours") == [at_one]
    finally:
        past.setup.execute("DELETE FROM audit_limit WHERE name LIKE 'hours.%'")


def test_half_as_many_views_again_as_on_99_of_100_days(past: Past, thresholds: Thresholds) -> None:
    thresholds({"volume": {"history": 3, "least": 2, "percent": 150}})
    for day in (4, 3, 2):
        for _ in range(3):
            looked(past, day)
    usual = [looked(past) for _ in range(4)]
    assert flagged("volume") == []
    one_more, _two_more = looked(past), looked(past)
    assert flagged("volume") == [one_more]
    assert one_more not in usual


def test_a_member_without_a_history_has_no_usual_day(past: Past, thresholds: Thresholds) -> None:
    thresholds({"volume": {"history": 3, "least": 1}})
    for _ in range(5):
        looked(past)
    assert flagged("volume") == []


def test_a_burst_of_refusals(past: Past) -> None:
    spread = [past.write("view", NOON + timedelta(minutes=11 * n), "refused") for n in range(5)]
    burst = [past.write("view", NOON + timedelta(hours=3, minutes=n), "refused") for n in range(6)]
    assert flagged("refusals") == [burst[4]]
    assert burst[4] not in spread


def test_releases_refused_after_the_record_are_refusals_too(past: Past) -> None:
    """A member whose gate closes under them, and who goes on asking."""
    shown = past.write("view", NOON)
    refused = [past.write("view", NOON + timedelta(minutes=n), "refused") for n in range(1, 3)]
    held = [past.write("view", NOON + timedelta(minutes=n), "withheld", answers=shown) for n in range(3, 7)]
    assert flagged("refusals") == [held[2]]
    assert held[2] not in refused


def wrong(past: Past, minute: int, **facts: Any) -> int:
    """A wrong password of somebody who is not signed in, for Anna's address."""
    stranger = {"actor_id": None, "session": None, "account": None, "reason": "password_wrong"}
    at = NOON + timedelta(minutes=minute)
    return past.write("sign_in_failed", at, "refused", **stranger | {"object_repr": "password"} | facts)


def test_wrong_passwords_of_a_stranger_are_no_refusals_of_the_member(past: Past) -> None:
    for minute in range(6):
        wrong(past, minute)
    assert flagged("refusals") == []


def test_wrong_codes_of_whoever_had_the_password_are(past: Past) -> None:
    signed_in = [wrong(past, n, actor_id=1, session=7, reason="code_wrong") for n in range(5)]
    assert flagged("refusals") == [signed_in[4]]


def test_guesses_are_of_a_network_whomever_they_name_and_of_no_member(past: Past) -> None:
    person = past.world.member("consultant")
    named = [wrong(past, n, member=person.number if n % 2 else None) for n in range(9)]
    wrong(past, 9, remote_addr="198.51.100.7")
    wrong(past, 9, actor_id=1, session=7)
    tenth = wrong(past, 10, member=person.number, remote_addr="192.0.2.200")
    assert flagged("guesses") == [tenth]
    assert tenth not in named
    assert not Review.objects.exists()
    row = sign_in_health.guesses()
    assert (row.state, "192.0.2.200" in row.sentence) == ("to_fix", True)


def test_guesses_spread_over_hours_are_none(past: Past) -> None:
    for n in range(12):
        wrong(past, 7 * n)
    assert flagged("guesses") == []
    assert sign_in_health.guesses().state == "ok"


def approved(past: Past, days_ago: float, by: str = "K-0020", of: str = "K-0193", **facts: Any) -> int:
    at = NOON - timedelta(days=days_ago)
    return past.write("approve", at, member=by, subject=of, approver=None, **facts)


def test_the_same_pair_far_beyond_the_others_of_the_team(past: Past, thresholds: Thresholds) -> None:
    thresholds({"same_pair": {"count": 3, "times": 2}})
    approved(past, 9)
    approved(past, 2)
    approved(past, 2, of="K-0200")
    approved(past, 1, by="K-0021")
    approved(past, 1)
    third = approved(past, 0)
    assert flagged("same_pair") == [third]


def test_a_pair_that_is_as_the_others_is_not_odd(past: Past, thresholds: Thresholds) -> None:
    thresholds({"same_pair": {"count": 3, "times": 2}})
    for days_ago in (3, 2, 1):
        approved(past, days_ago)
        approved(past, days_ago, of="K-0200")
        approved(past, days_ago, by="K-0021")  # who decides for one alone
    assert flagged("same_pair") == []


def test_approvals_that_nobody_can_have_read(past: Past, thresholds: Thresholds) -> None:
    thresholds({"instant": {"count": 3}})

    def decided(number: int, seconds: int, of: str = "K-0193") -> int:
        at = NOON + timedelta(minutes=number)
        past.write("request", at, member=of, request_id=number, grant_id=None)
        later = at + timedelta(seconds=seconds)
        return past.write("approve", later, member="K-0020", subject=of, approver=None, request_id=number)

    decided(1, 4)
    decided(2, 4, of="K-0200")
    decided(3, 11)
    decided(4, 9)
    third = decided(5, 2)
    assert flagged("instant") == [third]


def test_approved_by_another_than_who_rejected(past: Past) -> None:
    past.write("deny", NOON - timedelta(hours=30), member="K-0020", subject="K-0193", account="MOC-40018")
    past.write("deny", NOON - timedelta(hours=1), member="K-0020", subject="K-0193", grant_id=None)
    approved(past, 0, by="K-0021", account="MOC-40018")
    approved(past, 0, by="K-0021", of="K-0200")
    approved(past, 0, by="K-0020")
    another = approved(past, 0, by="K-0021")
    assert flagged("second_opinion") == [another]


def ended(past: Past, seconds: int, why: str, **facts: Any) -> int:
    """The end of an access, so long after its first view."""
    at = NOON + timedelta(seconds=seconds)
    return past.write(
        "end", at, member=None, session=None, source="gatekeeper", details={"why": why}, **facts
    )


@pytest.mark.parametrize("why", ["ticket_closed", "ticket_not_yours"])
def test_a_ticket_that_is_closed_or_passed_on_right_after_a_view(past: Past, why: str) -> None:
    for grant in (1, 2, 3):
        past.write("view", NOON, grant_id=grant)
    past.write("view", NOON + timedelta(seconds=50), grant_id=2)
    at_once = ended(past, 59, why, grant_id=1)
    ended(past, 61, why, grant_id=2)
    ended(past, 10, "expired", grant_id=3)
    ended(past, 10, why, grant_id=4)
    assert flagged("brief") == [at_once]


def started(past: Past, days_ago: float, **facts: Any) -> int:
    return past.write("start", NOON - timedelta(days=days_ago), **facts)


def test_the_same_account_under_ticket_after_ticket(past: Past, thresholds: Thresholds) -> None:
    thresholds({"same_account": {"count": 3}})
    started(past, 75, ticket="ZD-1")
    for days_ago, ticket in ((9, "ZD-2"), (8, "ZD-3"), (7, "ZD-3")):
        started(past, days_ago, ticket=ticket)
        started(past, days_ago, ticket=ticket, member="K-0200", account="MOC-40018")
    third = started(past, 6, ticket="ZD-4")
    started(past, 5, ticket="ZD-4")
    fourth = started(past, 4, ticket="ZD-5")
    assert flagged("same_account") == [third, fourth]


def gathered(past: Past, days_ago: float, count: int, member: str = "K-0193") -> None:
    for number in range(count):
        started(past, days_ago, member=member, account=f"MOC-{50000 + number}")


def test_slow_gathering_is_found_in_the_week_after_it(past: Past, thresholds: Thresholds) -> None:
    thresholds({"harvest": {"least": 4}})
    for member in ("K-0200", "K-0201"):
        gathered(past, 10, 2, member)
    gathered(past, 9, 5)
    gathered(past, 8, 5, "K-0202")
    first, _second = started(past, 0), started(past, 0)
    assert flagged("harvest") == [first]


def test_who_always_does_more_gathers_nothing(past: Past, thresholds: Thresholds) -> None:
    thresholds({"harvest": {"least": 4}})
    gathered(past, 40, 5)
    gathered(past, 10, 2, "K-0200")
    gathered(past, 10, 2, "K-0201")
    gathered(past, 9, 5)
    started(past, 0)
    assert flagged("harvest") == []


def test_a_look_in_the_middle_of_a_leave_is_found_on_the_return(past: Past) -> None:
    signed_in(past, 24 * 20)
    signed_in(past, 24 * 10)
    alone = started(past, 9.9)
    assert flagged("alone") == []
    signed_in(past, 24 * 3)
    started(past, 2.9)
    signed_in(past, 0)
    assert flagged("alone") == [alone]


def test_many_searches_that_find_none(past: Past, thresholds: Thresholds) -> None:
    thresholds({"misses": {"count": 3}})

    def searched(days_ago: float, *found: int, **facts: Any) -> int:
        shown: dict[str, Any] = {"records": list(found), "results": len(found)}
        return past.write("search", NOON - timedelta(days=days_ago), **shown | facts)

    searched(9)
    searched(3)
    searched(2, 5)
    searched(1, member="K-0200")
    searched(1)
    third = searched(0, grant_id=9)
    assert flagged("misses") == [third]


def test_refused_at_account_after_account(past: Past, thresholds: Thresholds) -> None:
    thresholds({"probing": {"count": 3}})

    def refused(days_ago: float, account: int, **facts: Any) -> int:
        at = NOON - timedelta(days=days_ago)
        return past.write("view", at, "refused", account=f"MOC-{account}", **facts)

    refused(10, 40001)
    for account in (40002, 40002, 40003):
        refused(2, account)
    refused(1, 40005, member="K-0200")
    third = refused(0, 40004)
    refused(0, 40004)
    assert flagged("probing") == [third]


@pytest.mark.parametrize(
    ("rule", "facts"),
    [
        ("first_days", {"starts_on": NOON.date() - timedelta(days=3)}),
        ("leaving", {"left_on": NOON.date() + timedelta(days=3)}),
    ],
)
def test_many_accesses_in_the_first_and_in_the_last_days(
    past: Past, thresholds: Thresholds, rule: str, facts: dict[str, Any]
) -> None:
    thresholds({rule: {"count": 3}})
    person, other = past.world.member("consultant", **facts), past.world.member("consultant")
    for hours in (3, 2):
        started(past, hours / 24, member=person.number)
        started(past, hours / 24, member=other.number)
    started(past, 0, member=other.number)
    third = started(past, 0, member=person.number)
    assert flagged(rule) == [third]


def test_a_network_that_the_member_has_not_used(past: Past) -> None:
    looked(past, 40, remote_addr="192.0.2.1")
    looked(past, 4, remote_addr="192.0.2.200")
    elsewhere = looked(past, 3, remote_addr="198.51.100.7")
    looked(past, 2, remote_addr="198.51.100.9")
    sixth = looked(past, 1, remote_addr="2001:db8:0:1::1")
    looked(past, 0, remote_addr="2001:db8:0:2::1")
    assert flagged("new_network") == [elsewhere, sixth]


def test_who_signed_in_from_a_new_network_is_found_once(past: Past) -> None:
    looked(past, 40, remote_addr="192.0.2.1")
    at_the_door = past.write("sign_in", NOON, remote_addr="198.51.100.7")
    looked(past, remote_addr="198.51.100.7")
    assert flagged("new_network") == [at_the_door]


def test_who_is_new_has_no_usual_network(past: Past) -> None:
    looked(past, 13, remote_addr="192.0.2.1")
    looked(past, 0, remote_addr="198.51.100.7")
    assert flagged("new_network") == []


def test_the_first_network_of_all_is_not_odd(past: Past) -> None:
    past.write("sign_in", NOON, remote_addr="203.0.113.1")
    assert flagged("new_network") == []


def test_many_that_were_approved_and_never_opened(
    setup_connection: Connection, thresholds: Thresholds
) -> None:
    thresholds({"unopened": {"count": 2}})
    scene = Scene(setup_connection)
    for opened in (False, True, False):
        grant = scene.opened() if opened else scene.approved()
        assert grants.end(scene.caller, grant) == ""
    flags = flagged("unopened")
    assert flags == [newest("end").pk]


def test_all_categories_at_once(past: Past) -> None:
    most = ["contact", "company", "billing", "activity"]
    looked(past, categories=most)
    everything = looked(past, categories=[*most, "support"])
    assert flagged("everything") == [everything]


def test_many_participants_under_one_grant(past: Past, thresholds: Thresholds) -> None:
    thresholds({"participants": {"count": 4}})
    looked(past, records=[1, 2, 3])
    looked(past, records=[1, 2, 3], grant_id=5)
    looked(past, records=[4])
    crossing = looked(past, records=[5, 6])
    looked(past, records=[7])
    assert flagged("participants") == [crossing]


def test_what_was_taken_out(past: Past) -> None:
    past.write("export", NOON, "refused", reason="mfa_stale")
    taken = past.write("export", NOON)
    past.write("export", NOON, member=None, source="prove (root)")
    assert flagged("export") == [taken]


@pytest.mark.parametrize(
    ("opened_by", "minutes", "flagged_then"),
    [("K-0193", 4, True), ("K-0200", 4, True), ("K-0193", 6, False), ("customer", 1, False)],
)
def test_opened_soon_after_a_ticket_of_the_staffs_own(
    past: Past, opened_by: str, minutes: int, flagged_then: bool
) -> None:
    World(past.setup).ticket(opened_by=opened_by, opened_at=NOON)
    entry = past.write("start", NOON + timedelta(minutes=minutes))
    assert flagged("own_ticket") == ([entry] if flagged_then else [])


def suspended(past: Past, minute: int, now_so: Any = True, **facts: Any) -> int:
    """An entry of a suspension as the function writes it."""
    told = {"details": {"suspended": [False, now_so]}, "member": "K-0020", "subject": "K-0193"}
    return past.write("change", NOON + timedelta(minutes=minute), **(told | facts))


def test_several_suspensions_by_one_person_in_a_short_time(past: Past) -> None:
    suspended(past, 0)
    suspended(past, 1, member="K-0021")
    suspended(past, 2, "2026-11-18T14:00:00+00:00")
    third = suspended(past, 59)
    assert flagged("suspensions") == [third]
    later = suspended(past, 60)  # the first is an hour old, and two are left with it
    assert flagged("suspensions") == [third, later]
    suspended(past, 130)
    assert flagged("suspensions") == [third, later]


def test_who_is_refused_or_lifts_or_is_the_job_suspends_nobody(past: Past) -> None:
    for minute in range(3):
        suspended(past, minute, outcome="refused", reason="no_change")
        suspended(past, minute, now_so=False)
        suspended(past, minute, member="", source="gatekeeper")
        past.write("change", NOON, details={"roles": [["consultant"], []]}, member="K-0020", subject="K-0193")
    assert flagged("suspensions") == []


def test_suspensions_are_an_alarm_until_a_reviewer_has_seen_them(past: Past) -> None:
    person = past.world.member("manager")
    for minute in range(3):
        suspended(past, minute, member=person.number, grant_id=None, account=None)
    assert people_health.suspensions().state == "ok"
    finding.find(SOURCE)
    assert people_health.suspensions().state == "to_fix"
    assert "Reviews about it: 1." in people_health.suspensions().cause
    past.setup.execute("UPDATE gatekeeper_review SET closed_at = now(), state = 'in_order'")
    assert people_health.suspensions().state == "ok"


# Rules as data


def test_every_rule_of_the_paper_is_there_with_its_words_and_a_reason() -> None:
    names = {
        *("hours", "volume", "harvest", "same_account", "brief", "alone", "first_days", "leaving"),
        *("refusals", "probing", "misses", "guesses", "same_pair", "instant", "second_opinion"),
        *("new_network", "unopened", "everything", "participants", "export", "own_ticket", "unproved"),
        "suspensions",
    }
    assert {one.name for one in detections.rules()} == names
    assert all(one.title() and one.rationale().endswith(".") for one in detections.rules())


def test_a_threshold_that_there_is_not_is_refused(settings: Any) -> None:
    settings.DETECTION_THRESHOLDS = {"hours": {"midnight": 1}}
    with pytest.raises(ImproperlyConfigured, match=r"hours\.midnight"):
        detections.rules()


def test_an_entrys_words_come_in_the_rules_order(past: Past) -> None:
    entry = past.write("view", NOON.replace(hour=3))
    plain = past.write("sign_out", NOON)
    finding.find(SOURCE)
    said = detections.words([entry, plain])
    assert list(said) == [entry]
    assert said[entry] == [
        "By a session of which no sign-in with a second factor is recorded",
        "Outside the working hours of the member’s team",
    ]


# When they run


def test_an_entry_that_was_being_written_is_judged_later(past: Past) -> None:
    writer = psycopg.connect(past.setup.info.dsn, password=past.setup.info.password, autocommit=False)
    try:
        writer.execute("SET LOCAL ROLE gatekeeper_owner")
        facts = Jsonb(VIEW | {"actor_id": 1, "details": {"what": "log"}})
        [(slow,)] = writer.execute("SELECT audit.write_entry('export', 'allowed', %s)", [facts]).fetchall()
        quick = past.write("export", NOON)
        assert quick > slow
        assert flagged("export") == [quick]
        writer.commit()
    finally:
        writer.close()
    assert flagged("export") == [slow, quick]


def test_what_was_judged_is_not_flagged_twice(past: Past) -> None:
    past.write("export", NOON)
    assert finding.find(SOURCE)["export"] == 1
    assert finding.find(SOURCE) == {}


def test_a_later_run_goes_on_where_the_last_one_stood(past: Past) -> None:
    old = past.write("export", NOON)
    finding.find(SOURCE)
    with past.setup.transaction():
        past.setup.execute("SET LOCAL session_replication_role = replica")
        past.setup.execute("DELETE FROM audit_flag")
    new = past.write("export", NOON)
    # A transaction of somebody else's, older than the first entry's, would have it judged once more.
    stood = Round.objects.latest("pk")
    again = past.setup.execute(
        "SELECT id FROM audit_entry WHERE id = %s AND xid >= %s::text::xid8", [old, str(stood.horizon)]
    ).fetchall()
    assert flagged("export") == [*(number for (number,) in again), new]


def test_another_cluster_is_judged_by_the_numbers_of_entries(past: Past) -> None:
    """Restored elsewhere, transactions are numbered again, and lie below the horizon that was."""
    past.world.insert("audit_round", system=1, horizon=str(2**40), lowest=0, done_at=NOON)
    entry = past.write("export", NOON)
    assert flagged("export") == [entry]


def test_a_long_log_is_judged_in_parts(past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    """However far apart its numbers are: empty parts would be gone through for hours."""
    monkeypatch.setattr(finding, "BATCH", 2)
    entries = [past.write("export", NOON) for _ in range(3)]
    [(number,)] = past.setup.execute("SELECT setval('audit_entry_id_seq', %s)", [entries[-1] + 10**9])
    entries += [past.write("export", NOON) for _ in range(2)]
    past.setup.execute("SELECT setval('audit_entry_id_seq', %s)", [number - 10**9])
    assert flagged("export") == entries


def test_what_was_being_written_in_the_middle_of_a_run_is_judged_by_the_next(
    past: Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run in parts: an entry with a number that it has passed becomes visible before it is done."""
    monkeypatch.setattr(finding, "BATCH", 2)
    writer = psycopg.connect(past.setup.info.dsn, password=past.setup.info.password, autocommit=False)
    try:
        writer.execute("SET LOCAL ROLE gatekeeper_owner")
        facts = Jsonb(VIEW | {"actor_id": 1, "details": {"what": "log"}})
        [(slow,)] = writer.execute("SELECT audit.write_entry('export', 'allowed', %s)", [facts]).fetchall()
        others = [past.write("export", NOON) for _ in range(3)]
        [(more, _counts)] = rows("SELECT * FROM gatekeeper.judge('tests', 2)", using="watch")
        assert more
        writer.commit()
    finally:
        writer.close()
    stood = Round.objects.latest("pk")
    assert (stood.upto, stood.newest) == (others[1], others[2])
    assert flagged("export") == others
    assert flagged("export") == [slow, *others]


def test_the_rules_are_silent_for_no_want_of_a_threshold(past: Past) -> None:
    looked(past)
    with past.setup.transaction(force_rollback=True):
        past.setup.execute("DELETE FROM audit_limit WHERE name = 'odd.brief.seconds'")
        past.setup.execute("SET LOCAL ROLE gatekeeper_owner")
        with pytest.raises(psycopg.Error, match=r"brief\.seconds is not set"):
            past.setup.execute("SELECT * FROM gatekeeper.judge('tests', 100)")


def test_each_rule_has_its_words_and_its_function(past: Past) -> None:
    found = past.setup.execute(
        "SELECT substr(proname, 8) FROM pg_proc WHERE pronamespace IN ('audit'::regnamespace,"
        " 'gatekeeper'::regnamespace) AND proname LIKE 'detect\\_%'"
    ).fetchall()
    assert {name for (name,) in found} == {one.name for one in detections.rules()}


def test_rounds_of_three_months_ago_go(past: Past) -> None:
    for _ in range(3):
        past.world.insert("audit_round", system=1, horizon="0", lowest=0, done_at=NOON - timedelta(days=200))
    finding.find(SOURCE)
    assert Round.objects.count() == 2


# Who runs them


@pytest.mark.parametrize("role", roles.RUN_TIME)
@pytest.mark.parametrize("table", ["audit_flag", "audit_round"])
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO public.{} DEFAULT VALUES",
        "UPDATE public.{} SET {} = {}",
        "DELETE FROM public.{}",
        "TRUNCATE public.{}",
    ],
)
def test_nobody_writes_a_flag_or_a_round_or_takes_one_away(
    as_role: AsRole, role: str, table: str, statement: str
) -> None:
    column = "entry" if table == "audit_flag" else "lowest"
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_role(role).execute(statement.format(table, column, column).encode())


@pytest.mark.parametrize("statement", ["UPDATE audit_flag SET rule = rule", "DELETE FROM audit_flag"])
def test_not_even_a_migration_takes_a_flag_away(past: Past, as_role: AsRole, statement: str) -> None:
    looked(past)
    finding.find(SOURCE)
    migrator = as_role(roles.MIGRATOR)
    migrator.execute("SET ROLE gatekeeper_owner")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
        migrator.execute(statement.encode())


def test_the_command_says_what_was_found(past: Past, capsys: pytest.CaptureFixture[str]) -> None:
    past.write("export", NOON)
    call_command("detect")
    assert "export: 1" in capsys.readouterr().out
    assert connections[finding.WATCH].settings_dict["USER"] == roles.WATCH


def test_the_command_wants_the_link_of_those_who_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    links = {alias: link for alias, link in settings.DATABASES.items() if alias != finding.WATCH}
    monkeypatch.setattr(settings, "DATABASES", links)
    with pytest.raises(CommandError, match="GATEKEEPER_DATABASE_URL_WATCH"):
        call_command("detect")


def test_once_more_over_what_was_judged_finds_the_flag_that_is_lacking(
    past: Past, capsys: pytest.CaptureFixture[str]
) -> None:
    kept, lost = past.write("export", NOON), past.write("export", NOON)
    finding.find(SOURCE)
    with past.setup.transaction():
        past.setup.execute("SET LOCAL session_replication_role = replica")
        past.setup.execute("DELETE FROM audit_flag WHERE entry = %s AND rule = 'export'", [lost])
    # Not by a round: while any transaction of the server is older, one judges them once more.
    assert list(Flag.objects.filter(rule="export").values_list("entry", flat=True)) == [kept]
    with pytest.raises(CommandError, match="1 flags were lacking"):
        call_command("detect", "--from", str(kept))
    assert "export: 1" in capsys.readouterr().out
    assert flagged("export") == [kept, lost]
    again = Entry.objects.filter(event="review", details__act="judge_again").latest("pk")
    assert (again.results, again.details["from"], again.details["lacking"]) == (1, kept, {"export": 1})
    call_command("detect", "--from", "1")
    assert "No flag was lacking." in capsys.readouterr().out


# A session that nobody signed in to


def signed_in(past: Past, hours_ago: float = 1, **facts: Any) -> int:
    return past.write("sign_in", NOON - timedelta(hours=hours_ago), account=None, **facts)


def test_a_session_without_a_recorded_sign_in_is_odd(past: Past) -> None:
    signed_in(past, session=7)
    looked(past, session=7)
    made_up = looked(past, session=8)
    others = looked(past, session=7, member="K-0200")
    assert flagged("unproved") == [made_up, others]


def test_a_session_without_a_recorded_second_factor_is_odd(past: Past) -> None:
    signed_in(past, factor=None, object_repr="password")
    before = looked(past)
    signed_in(past)
    looked(past)
    assert flagged("unproved") == [before]


def test_a_sign_in_of_before_the_session_can_have_begun_proves_none(past: Past) -> None:
    signed_in(past, 13)
    late = looked(past)
    assert flagged("unproved") == [late]


def test_what_needs_no_second_factor_is_not_odd(past: Past) -> None:
    past.write("sign_out", NOON)
    past.write("view", NOON, "refused")
    past.write("change", NOON, account=None, details=None, object_repr="passkey added")
    past.write("import", NOON, member=None, session=None, source="feed", account=None)
    assert flagged("unproved") == []


def test_where_retention_took_the_sign_in_nothing_is_said_of_the_session(past: Past) -> None:
    gone = signed_in(past)
    past.world.insert("audit_leaf", place=0, entry=gone, number=1, hash=b"", tag=b"")
    with past.setup.transaction():
        past.setup.execute("SET LOCAL session_replication_role = replica")
        past.setup.execute("DELETE FROM audit_entry WHERE id = %s", [gone])
    looked(past)
    next_day = past.write("view", NOON + timedelta(hours=13))
    assert flagged("unproved") == [next_day]


def test_it_is_queued_at_once_and_an_alarm_until_it_is_reviewed(past: Past) -> None:
    def row() -> Health:
        return review_health.unproved()

    person = past.world.member("consultant")
    past.write("search", NOON, member=person.number, grant_id=None, account=None)
    assert row().state == "ok"
    finding.find(SOURCE)
    assert row().state == "to_fix"
    assert "Reviews about it: 1." in row().cause
    past.setup.execute("UPDATE gatekeeper_review SET state = 'in_order', closed_at = now()")
    assert row().state == "ok"
