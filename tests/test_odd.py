"""What is odd in the log: each rule flags what it says and nothing beside it; nothing is judged too early."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connections
from psycopg.types.json import Jsonb

from audit import odd
from audit.models import Flag, Round
from audit.odd import finding
from tests.log import VIEW
from tests.past import Past
from tests.world import World

if TYPE_CHECKING:
    from tests.conftest import AsRole, Connection

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

VILNIUS = ZoneInfo("Europe/Vilnius")
#: A Wednesday at noon, where the company is.
NOON = datetime(2026, 11, 18, 12, tzinfo=VILNIUS)


@pytest.fixture
def past(setup_connection: Connection) -> Past:
    return Past(setup_connection)


def flagged(rule: str) -> list[int]:
    """Run the rules; the entries that this one flagged."""
    finding.find()
    return list(Flag.objects.filter(rule=rule).order_by("entry").values_list("entry", flat=True))


def looked(past: Past, days_ago: float = 0, **facts: Any) -> int:
    return past.write("view", NOON - timedelta(days=days_ago), **facts)


# The rules


def test_the_first_look_at_an_account_is_odd_and_the_second_is_not(past: Past) -> None:
    first = looked(past, 10)
    looked(past)
    other = looked(past, member="K-0200")
    assert flagged("new_pair") == [first, other]


def test_a_look_after_a_month_is_a_first_one_again(past: Past) -> None:
    first, again = looked(past, 31), looked(past)
    assert flagged("new_pair") == [first, again]


def test_a_refused_look_is_no_look(past: Past) -> None:
    past.write("view", NOON - timedelta(days=1), "refused", reason="ticket_closed")
    assert flagged("new_pair") == []
    first = looked(past)
    assert flagged("new_pair") == [first]


@pytest.mark.parametrize(
    ("at", "odd_then"),
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
def test_outside_working_hours(past: Past, at: datetime, odd_then: bool) -> None:
    entry = past.write("view", at)
    assert flagged("hours") == ([entry] if odd_then else [])


def test_more_views_than_on_99_of_100_days(past: Past, settings: Any) -> None:
    settings.ODD_THRESHOLDS = {"volume": {"history": 3, "least": 2}}
    for day in (4, 3, 2):
        for _ in range(3):
            looked(past, day)
    usual = [looked(past) for _ in range(3)]
    assert flagged("volume") == []
    one_more, _two_more = looked(past), looked(past)
    assert flagged("volume") == [one_more]
    assert one_more not in usual


def test_a_member_without_a_history_has_no_usual_day(past: Past, settings: Any) -> None:
    settings.ODD_THRESHOLDS = {"volume": {"history": 3, "least": 1}}
    for _ in range(5):
        looked(past)
    assert flagged("volume") == []


def test_a_burst_of_refusals(past: Past) -> None:
    spread = [past.write("view", NOON + timedelta(minutes=11 * n), "refused") for n in range(5)]
    burst = [past.write("view", NOON + timedelta(hours=3, minutes=n), "refused") for n in range(6)]
    assert flagged("refusals") == [burst[4]]
    assert burst[4] not in spread


def test_the_same_pair_again_and_again(past: Past, settings: Any) -> None:
    settings.ODD_THRESHOLDS = {"same_pair": {"count": 3}}

    def approved(days_ago: int, by: str = "K-0020") -> int:
        at = NOON - timedelta(days=days_ago)
        return past.write("approve", at, member=by, subject="K-0193", approver=None)

    approved(8)
    approved(2)
    approved(1, by="K-0021")
    approved(1)
    third = approved(0)
    assert flagged("same_pair") == [third]


def test_a_network_that_the_member_has_not_used(past: Past) -> None:
    looked(past, 5, remote_addr="192.0.2.1")
    looked(past, 4, remote_addr="192.0.2.200")
    elsewhere = looked(past, 3, remote_addr="198.51.100.7")
    looked(past, 2, remote_addr="198.51.100.9")
    sixth = looked(past, 1, remote_addr="2001:db8:0:1::1")
    looked(past, 0, remote_addr="2001:db8:0:2::1")
    assert flagged("new_network") == [elsewhere, sixth]


def test_the_first_network_of_all_is_not_odd(past: Past) -> None:
    past.write("sign_in", NOON, remote_addr="203.0.113.1")
    assert flagged("new_network") == []


def test_approved_and_never_opened(past: Past) -> None:
    past.write("start", NOON, grant_id=1)
    past.write("end", NOON, grant_id=1, details={"why": "ended"})
    unopened = past.write("end", NOON, grant_id=2, details={"why": "expired"})
    # A request that lapsed, and no grant
    past.write("end", NOON, grant_id=None, source="gatekeeper", details={"why": "lapsed"})
    assert flagged("unopened") == [unopened]


def test_all_categories_at_once(past: Past) -> None:
    most = ["contact", "company", "billing", "activity"]
    looked(past, categories=most)
    everything = looked(past, categories=[*most, "support"])
    assert flagged("everything") == [everything]


def test_many_participants_under_one_grant(past: Past, settings: Any) -> None:
    settings.ODD_THRESHOLDS = {"participants": {"count": 4}}
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
    ("opened_by", "minutes", "odd_then"),
    [("K-0193", 4, True), ("K-0200", 4, True), ("K-0193", 6, False), ("customer", 1, False)],
)
def test_opened_soon_after_a_ticket_of_the_staffs_own(
    past: Past, opened_by: str, minutes: int, odd_then: bool
) -> None:
    World(past.setup).ticket(opened_by=opened_by, opened_at=NOON)
    entry = past.write("start", NOON + timedelta(minutes=minutes))
    assert flagged("own_ticket") == ([entry] if odd_then else [])


# Rules as data


def test_every_rule_of_the_paper_is_there_with_its_words_and_a_reason() -> None:
    names = {
        *("new_pair", "hours", "volume", "refusals", "same_pair", "new_network", "unopened"),
        *("everything", "participants", "export", "own_ticket"),
    }
    assert {one.name for one in odd.rules()} == names
    assert all(one.said() and one.why().endswith(".") for one in odd.rules())


def test_a_threshold_that_there_is_not_is_refused(settings: Any) -> None:
    settings.ODD_THRESHOLDS = {"hours": {"midnight": 1}}
    with pytest.raises(ImproperlyConfigured, match=r"hours\.midnight"):
        odd.rules()


def test_an_entrys_words_come_in_the_rules_order(past: Past) -> None:
    entry = past.write("view", NOON.replace(hour=3))
    plain = past.write("sign_out", NOON)
    finding.find()
    said = odd.words([entry, plain])
    assert list(said) == [entry]
    assert said[entry] == [
        "First look of this member at this account in 30 days",
        "Outside working hours (7 to 19 o’clock)",
    ]


# When they run


def test_an_entry_that_was_being_written_is_judged_later(past: Past) -> None:
    writer = psycopg.connect(past.setup.info.dsn, password=past.setup.info.password, autocommit=False)
    try:
        writer.execute("SET LOCAL ROLE gatekeeper_owner")
        facts = Jsonb(VIEW | {"actor_id": 1, "details": {"what": "log"}})
        [(slow,)] = writer.execute("SELECT vault.write_entry('export', 'allowed', %s)", [facts]).fetchall()
        quick = past.write("export", NOON)
        assert quick > slow
        assert flagged("export") == [quick]
        writer.commit()
    finally:
        writer.close()
    assert flagged("export") == [slow, quick]


def test_what_was_judged_is_not_flagged_twice(past: Past) -> None:
    looked(past)
    assert finding.find()["new_pair"] == 1
    assert finding.find() == {}


def test_a_later_run_goes_on_where_the_last_one_stood(past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "KEPT", timedelta())
    old = past.write("export", NOON)
    finding.find()
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
    """Restored elsewhere, transactions are numbered anew, and lie below the horizon that was."""
    Round.objects.create(system=1, horizon=str(2**40), lowest=0, done_at=NOON)
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


@pytest.mark.parametrize("table", ["audit_flag", "audit_round"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET {} = {}", "DELETE FROM {}", "TRUNCATE {}"])
def test_nobody_takes_a_flag_away(as_role: AsRole, table: str, statement: str) -> None:
    column = "entry" if table == "audit_flag" else "lowest"
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_role("gatekeeper_web").execute(statement.format(table, column, column).encode())


def test_the_command_says_what_was_found(past: Past, capsys: pytest.CaptureFixture[str]) -> None:
    past.write("export", NOON)
    call_command("find_odd")
    assert "export: 1" in capsys.readouterr().out
    assert connections["default"].settings_dict["USER"] == "gatekeeper_web"
