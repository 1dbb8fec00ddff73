"""What access rests on changes only together with its entry: feeds record what they change, and the database
refuses whatever writes such a fact without, the owner by hand included."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import psycopg
import pytest
from django.core.management import call_command
from psycopg.types.json import Jsonb

from audit.models import Entry
from gatekeeper.feeds import doubts, tickets
from gatekeeper.feeds import store as storing
from gatekeeper.feeds.account_lines import AccountLine
from gatekeeper.feeds.jsonlines import parse
from gatekeeper.feeds.participant_lines import ParticipantLine
from gatekeeper.models import Account, Feed
from tests.conftest import Connection
from tests.world import now
from tests.world.importing import PERSON, account
from tests.world.importing import REFERENCE as IMPORTED
from tests.world.scene import REFERENCE, TICKET, Scene

if TYPE_CHECKING:
    from tests.conftest import AsRole

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

SOURCE: Final = "import_accounts (tests)"
OTHER: Final = "MOC-40002"


@pytest.fixture
def scene(setup_connection: Connection) -> Scene:
    made = Scene(setup_connection)
    made.world.account(OTHER)
    made.world.participants(REFERENCE, 2)
    return made


def told(event: str, **columns: Any) -> list[dict[str, Any]]:
    """The details of the entries of an event, the oldest first."""
    found = Entry.objects.filter(event=event, **columns).order_by("id")
    return [one.details for one in found if one.details is not None]


# Consents and restriction


def store(minutes: int, **changes: Any) -> str:
    line = parse(json.dumps(account(minutes, **changes)).encode(), AccountLine)
    return storing.store_accounts([line], SOURCE)[IMPORTED]


def consent(**times: str) -> dict[str, Any]:
    return {"consent": times}


SINCE: Final = {"support_since": "2025-01-01T00:00:00Z"}
PAST, FUTURE = "2025-02-01T00:00:00Z", "2090-01-01T00:00:00Z"
RESTRICTED: Final = {"restricted_at": "2025-06-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("before", "after", "details"),
    [
        (consent(), consent(**SINCE), {"support": ["missing", "running"]}),
        (consent(**SINCE), consent(), {"support": ["running", "missing"]}),
        (consent(**SINCE), consent(**SINCE, support_until=PAST), {"support": ["running", "expired"]}),
        (consent(**SINCE, support_until=PAST), consent(**SINCE), {"support": ["expired", "running"]}),
        (consent(**SINCE), consent(**SINCE, support_until=FUTURE), {"support": ["running", "running"]}),
        (consent(), consent(participants_since=FUTURE), {"participants": ["missing", "planned"]}),
        (
            consent(**SINCE),
            consent(participants_since=PAST),
            {"support": ["running", "missing"], "participants": ["missing", "running"]},
        ),
        (RESTRICTED, {}, {"restricted": [True, False]}),
        ({}, RESTRICTED, {"restricted": [False, True]}),
        (RESTRICTED, {"restricted_at": "2025-07-01T00:00:00Z"}, None),
        ({}, {"plan": "free"}, None),
    ],
)
def test_a_change_of_consent_or_restriction_is_an_entry_of_the_account(
    before: dict[str, Any], after: dict[str, Any], details: dict[str, Any] | None
) -> None:
    assert store(0, **before) == "new"
    assert told("change") == []
    assert store(1, **after) == "changed"
    found = Entry.objects.filter(event="change")
    assert [one.details for one in found] == ([] if details is None else [details])
    assert {(one.account, one.source, one.outcome) for one in found} <= {(IMPORTED, SOURCE, "allowed")}
    assert [one["stored"]["changed"] for one in told("import")] == [0, 1]
    assert store(2, **after) == "same"
    assert Entry.objects.count() == (2 if details is None else 3)


def test_of_a_restriction_that_a_command_holds_up_the_entry_says_so() -> None:
    store(0, **RESTRICTED)
    assert storing.restrict_account(IMPORTED, "tests", restrict=True) == "restricted"
    store(1)
    assert told("change")[-1] == {"restricted": [True, True], "held": True}
    assert Account.objects.get().restricted_at is not None


def test_no_value_stands_in_what_was_recorded(setup_connection: Connection) -> None:
    store(0, **RESTRICTED)
    store(1, contact={"name": "Anders Nilsson", "email": "anders@canaria.example"})
    storing.store_participants([parse(json.dumps(PERSON).encode(), ParticipantLine)], SOURCE)
    [(log,)] = setup_connection.execute("SELECT string_agg(e::text, ' ') FROM audit_entry e").fetchall()
    for value in ("Zuzanna", "Anders", "canaria", "Paweł", "2025-06-01"):
        assert value not in log


def person(number: int, **changes: Any) -> ParticipantLine:
    line = PERSON | {"reference": f"{IMPORTED}-P{number}"} | changes
    return parse(json.dumps(line).encode(), ParticipantLine)


def test_participants_are_one_entry_and_an_objection_is_one_of_its_account() -> None:
    store(0)
    objected = {"account": IMPORTED, "reference": f"{IMPORTED}-P3", "objected": True}
    line = parse(json.dumps(objected).encode(), ParticipantLine)
    storing.store_participants([person(1), person(2), line], SOURCE)
    assert told("import")[-1] == {"what": "participants", "stored": {"new": 3, "changed": 0, "objected": 1}}
    assert told("change") == []
    again = [json.dumps(objected | {"reference": f"{IMPORTED}-P{n}"}).encode() for n in (1, 2)]
    storing.store_participants([parse(one, ParticipantLine) for one in again], SOURCE)
    entry = Entry.objects.get(event="change")
    assert (entry.account, entry.records, entry.details) == (IMPORTED, [1, 2], {"objected": [False, True]})
    storing.store_participants([person(3)], SOURCE)
    entry = Entry.objects.filter(event="change").latest("id")
    assert (entry.records, entry.details) == ([3], {"objected": [True, False]})


# The helpdesk's contact


def contacts() -> list[list[str | None]]:
    return [one["contact"] for one in told("change", details__has_key="contact")]


def test_the_contact_is_an_entry_when_it_turns_stale_or_fresh_and_no_other_time(scene: Scene) -> None:
    tickets.record_contact("helpdesk")
    tickets.record_contact("helpdesk")
    assert contacts() == []
    scene.world.contact(now() - timedelta(hours=3))
    for _ in range(2):
        call_command("tidy", verbosity=0)
    assert contacts() == [["fresh", "stale"]]
    assert Entry.objects.latest("id").source == "tidy"
    tickets.record_contact("helpdesk")
    assert contacts()[1:] == [["stale", "fresh"]]
    assert Entry.objects.latest("id").source == "helpdesk"
    call_command("tidy", verbosity=0)
    assert len(contacts()) == 2


def test_that_it_is_heard_for_the_first_time_is_one(setup_connection: Connection) -> None:
    tickets.record_contact("helpdesk")
    assert contacts() == [[None, "fresh"]]


def test_whoever_comes_first_says_that_it_had_turned(scene: Scene) -> None:
    scene.world.contact(now() - timedelta(hours=3))
    tickets.record_contact("helpdesk")
    assert contacts() == [["fresh", "stale"], ["stale", "fresh"]]


def test_a_doubt_that_has_grown_old_turns_it_and_settling_turns_it_back(scene: Scene) -> None:
    doubts.doubt(doubts.HELPDESK, Feed.Doubt.DIGEST, "helpdesk")
    scene.world.setup.execute("UPDATE gatekeeper_feed SET doubted_at = doubted_at - interval '3 hours'")
    call_command("tidy", verbosity=0)
    assert contacts() == [["fresh", "stale"]]
    doubts.settle(doubts.HELPDESK, now(), "helpdesk")
    assert contacts()[1:] == [["stale", "fresh"]]


# No other write

OF_MEMBER: Final = "UPDATE public.staff_member SET {} = {} WHERE number = %(number)s"
OF_TICKET: Final = "UPDATE public.gatekeeper_ticket SET {} = {}"
OF_ACCOUNT: Final = "UPDATE public.gatekeeper_account SET {} = now() WHERE reference = %(account)s"
#: A write of a fact, as the owner by hand; what an entry must be about to admit it; what another entry says.
WRITES: Final[dict[str, tuple[str, dict[str, Any], dict[str, Any]]]] = {
    "a member": (
        "INSERT INTO public.staff_member (number, name, email, roles, language, theme, password, created_at)"
        " VALUES ('K-7777', 'A', 'a@firma.example', '{}', 'en', 'auto', '!', now())",
        {"subject": "K-7777"},
        {"subject": "K-7778"},
    ),
    "a role": (
        "UPDATE public.staff_member SET roles = '{manager}' WHERE number = %(number)s",
        {"subject": "%(number)s"},
        {"subject": "K-7778"},
    ),
    "a suspension": (
        "UPDATE public.staff_member SET suspended_at = now() WHERE number = %(number)s",
        {"subject": "%(number)s"},
        {"subject": "K-7778"},
    ),
    **{
        f"a member's {column}": (
            OF_MEMBER.format(column, value),
            {"subject": "%(number)s"},
            {"subject": "K-7778"},
        )
        for column, value in {
            "name": "'Another'",
            "email": "'another@firma.example'",
            "manager_id": "NULL",
            "starts_on": "'2019-01-01'",
            "left_on": "'2030-01-01'",
            "password": "'!another'",
        }.items()
    },
    "a signature": (
        "INSERT INTO public.staff_signature SELECT (x).* FROM (SELECT jsonb_populate_record(s,"
        " '{\"id\": 1000000}') AS x FROM public.staff_signature s WHERE id = %(signature)s) y",
        {"subject": "%(number)s"},
        {"subject": "K-7778"},
    ),
    "a withdrawal": (
        "UPDATE public.staff_signature SET withdrawn_at = now(), withdrawn_why = 'revoked'"
        " WHERE id = %(signature)s",
        {"subject": "%(number)s"},
        {"subject": "K-7778"},
    ),
    "a version": (
        "INSERT INTO public.staff_ndaversion SELECT (x).* FROM (SELECT jsonb_populate_record(v,"
        ' \'{"number": 2, "effective_at": "2030-01-01Z"}\') AS x FROM public.staff_ndaversion v) y',
        {"details": {"nda_version": 2}},
        {"details": {"recalled": True}},
    ),
    "a ticket": (
        "UPDATE public.gatekeeper_ticket SET state = 'solved'",
        {"ticket": TICKET},
        {"ticket": "ZD-10002"},
    ),
    "a new ticket": (
        "INSERT INTO public.gatekeeper_ticket SELECT (x).* FROM (SELECT jsonb_populate_record(t,"
        ' \'{"id": 1000000, "number": "ZD-99999"}\') AS x FROM public.gatekeeper_ticket t) y',
        {"ticket": "ZD-99999"},
        {"ticket": TICKET},
    ),
    **{
        f"a ticket's {column}": (
            OF_TICKET.format(column, value),
            {"ticket": TICKET},
            {"ticket": "ZD-10002"},
        )
        for column, value in {"kind": "'billing'", "accounts": "'{}'", "assignee_id": "NULL"}.items()
    },
    "an assignment": (
        "UPDATE public.gatekeeper_assignment SET ended_at = now()",
        {"ticket": TICKET},
        {"ticket": "ZD-10002"},
    ),
    "a consent": (
        "UPDATE public.gatekeeper_account SET support_until = now() WHERE reference = %(account)s",
        {"account": REFERENCE},
        {"account": OTHER},
    ),
    **{
        f"an account's {column}": (
            OF_ACCOUNT.format(column),
            {"account": REFERENCE},
            {"account": OTHER},
        )
        for column in ("participants_since", "participants_until", "support_since")
    },
    "a hold": (
        "UPDATE vault.account SET held_at = now() WHERE account_id = %(id)s",
        {"account": REFERENCE},
        {"account": OTHER},
    ),
    "a participant": (
        "UPDATE vault.participant SET account_id = account_id WHERE account_id = %(id)s",
        {"account": REFERENCE},
        {"account": OTHER},
    ),
    "a restriction": (
        "UPDATE public.gatekeeper_account SET restricted_at = now() WHERE reference = %(account)s",
        {"account": REFERENCE},
        {"account": OTHER},
    ),
    "a restriction in the vault": (
        "UPDATE vault.account SET restricted_at = now() WHERE account_id = %(id)s",
        {"account": REFERENCE},
        {"account": OTHER},
    ),
    "an erasure": (
        "UPDATE public.gatekeeper_account SET erased_at = now() WHERE reference = %(account)s",
        {"account": REFERENCE},
        {"account": OTHER},
    ),
    "an account": (
        "INSERT INTO public.gatekeeper_account (reference, plan, language, filled, participants)"
        " VALUES ('MOC-77777', '', '', '{}', 0)",
        {"account": "MOC-77777"},
        {"account": OTHER},
    ),
    "values": (
        "UPDATE vault.account SET ciphertexts = fields::text[]::bytea[] WHERE account_id = %(id)s",
        {"account": REFERENCE},
        {"account": OTHER},
    ),
    "an objection": (
        "UPDATE vault.participant SET objected = NOT objected WHERE account_id = %(id)s",
        {"account": REFERENCE},
        {"account": OTHER},
    ),
    "a removal": (
        "DELETE FROM vault.participant WHERE account_id = %(id)s",
        {"account": REFERENCE},
        {"account": OTHER},
    ),
    "a limit": (
        "UPDATE public.audit_limit SET value = '999' WHERE name = 'views_per_grant'",
        {"details": {"limits": {}}},
        {"details": {"feed": "tickets"}},
    ),
    "a new limit": (
        "INSERT INTO public.audit_limit VALUES ('another', '1')",
        {"details": {"limits": {}}},
        {"details": {"feed": "tickets"}},
    ),
    "a limit that is gone": (
        "DELETE FROM public.audit_limit WHERE name = 'odd.volume.least'",
        {"details": {"limits": {}}},
        {"details": {"feed": "tickets"}},
    ),
    "a doubt": (
        "UPDATE public.gatekeeper_feed SET doubted_at = now()",
        {"details": {"feed": "tickets"}},
        {"details": {"feed": "accounts"}},
    ),
}


def write(
    owner: Connection,
    scene: Scene,
    statement: str,
    about: dict[str, Any] | None,
    event: str = "change",
    outcome: str = "allowed",
) -> None:
    """Write, in a transaction that has an entry about something, or none."""
    names = {
        "number": scene.anna.number,
        "signature": scene.signatures[scene.anna.id],
        "account": REFERENCE,
        "id": scene.account,
    }
    with owner.transaction(force_rollback=True):
        owner.execute("SET LOCAL recording.off = 'on'")  # the suite's own watch is not what is tested
        if about is not None:
            facts = {"source": "tests", "details": {"by": "hand"}} | about
            if "subject" in facts:
                facts["subject"] %= names
            owner.execute("SELECT audit.write_entry(%s, %s, %s)", [event, outcome, Jsonb(facts)])
        owner.execute(statement.encode(), names)
        owner.execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.parametrize("what", WRITES)
def test_the_owner_by_hand_changes_a_fact_with_its_own_entry_alone(
    scene: Scene, as_role: AsRole, what: str
) -> None:
    statement, own, other = WRITES[what]
    owner = as_role("gatekeeper_migrator")
    owner.execute("SET ROLE gatekeeper_owner")
    for about in (None, other):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="with its entry alone"):
            write(owner, scene, statement, about)
    write(owner, scene, statement, own)


#: Entries that are about the fact, and of another kind: by the fact, with the event and the outcome.
OF_ANOTHER_KIND: Final[list[tuple[str, dict[str, Any], str, str]]] = [
    ("a role", {"subject": "%(number)s", "reason": "no_change"}, "change", "refused"),
    ("a ticket", {"ticket": TICKET, "reason": "no_change"}, "change", "refused"),
    ("a ticket", {"ticket": TICKET}, "review", "allowed"),
    ("values", {"account": REFERENCE, "reason": "no_change"}, "change", "refused"),
    ("values", {}, "change", "allowed"),
    ("values", {}, "import", "failed"),
    ("values", {"account": OTHER}, "import", "allowed"),
    ("a consent", {"account": REFERENCE}, "import", "allowed"),
    ("a restriction", {"account": REFERENCE, "reason": "no_change"}, "change", "refused"),
    ("a limit", {"details": {"limits": {}}, "reason": "no_change"}, "change", "refused"),
    ("a doubt", {"details": {"feed": "tickets"}, "reason": "no_change"}, "change", "refused"),
]


@pytest.mark.parametrize(("what", "about", "event", "outcome"), OF_ANOTHER_KIND)
def test_an_entry_of_another_kind_admits_nothing(
    scene: Scene, as_role: AsRole, what: str, about: dict[str, Any], event: str, outcome: str
) -> None:
    owner = as_role("gatekeeper_migrator")
    owner.execute("SET ROLE gatekeeper_owner")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="with its entry alone"):
        write(owner, scene, WRITES[what][0], about, event, outcome)


def test_an_erasure_may_change_an_accounts_state(scene: Scene, as_role: AsRole) -> None:
    owner = as_role("gatekeeper_migrator")
    owner.execute("SET ROLE gatekeeper_owner")
    write(owner, scene, WRITES["a restriction"][0], {"account": REFERENCE, "fields": []}, "erase")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE public.staff_member SET roles = roles",
        "UPDATE public.gatekeeper_ticket SET state = state",
        "UPDATE public.gatekeeper_account SET restricted_at = restricted_at",
        "UPDATE vault.account SET restricted_at = restricted_at, held_at = held_at",
        "UPDATE public.audit_limit SET value = value",
        "UPDATE public.gatekeeper_feed SET contact_at = contact_at",
    ],
)
def test_what_changes_nothing_needs_no_entry(scene: Scene, as_role: AsRole, statement: str) -> None:
    owner = as_role("gatekeeper_migrator")
    owner.execute("SET ROLE gatekeeper_owner")
    scene.world.contact(
        now() - timedelta(hours=3)
    )  # time alone has turned it: that is recorded when it is heard
    write(owner, scene, statement, None)


def test_a_feeds_doubt_is_its_own(scene: Scene, as_role: AsRole) -> None:
    scene.world.insert("gatekeeper_feed", name="accounts", contact_at=now(), contact="fresh")
    owner = as_role("gatekeeper_migrator")
    owner.execute("SET ROLE gatekeeper_owner")
    doubt = WRITES["a doubt"][0] + " WHERE name = 'tickets'"
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="with its entry alone"):
        write(owner, scene, doubt, None)
    write(owner, scene, doubt, {"details": {"feed": "tickets"}})


def test_so_does_the_hour_until_which_a_suspension_holds(scene: Scene, as_role: AsRole) -> None:
    scene.world.quietly("staff_member", scene.anna.id, suspended_at=now())
    owner = as_role("gatekeeper_migrator")
    owner.execute("SET ROLE gatekeeper_owner")
    shorter = "UPDATE public.staff_member SET suspended_until = now() WHERE number = %(number)s"
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="with its entry alone"):
        write(owner, scene, shorter, None)
    write(owner, scene, shorter, {"subject": scene.anna.number})


def test_an_entry_of_an_earlier_transaction_admits_nothing(scene: Scene, as_role: AsRole) -> None:
    owner = as_role("gatekeeper_migrator")
    owner.execute("SET ROLE gatekeeper_owner")
    facts = Jsonb({"source": "tests", "account": REFERENCE, "details": {}})
    owner.execute("SELECT audit.write_entry('change', 'allowed', %s)", [facts])
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="with its entry alone"):
        write(owner, scene, WRITES["a restriction"][0], None)


@pytest.mark.parametrize(
    ("what", "event", "about"),
    [("a restriction", "change", {"account": REFERENCE}), ("values", "import", {})],
)
def test_anothers_entry_of_the_same_moment_admits_nothing(
    scene: Scene, as_role: AsRole, what: str, event: str, about: dict[str, Any]
) -> None:
    owner, other = as_role("gatekeeper_migrator"), as_role("gatekeeper_migrator")
    for connection in (owner, other):
        connection.execute("SET ROLE gatekeeper_owner")
    facts = Jsonb({"source": "tests", "details": {}} | about)
    with owner.transaction(force_rollback=True):
        owner.execute("SET LOCAL recording.off = 'on'")
        owner.execute(WRITES[what][0].encode(), {"account": REFERENCE, "id": scene.account})
        other.execute("SELECT audit.write_entry(%s, 'allowed', %s)", [event, facts])
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="with its entry alone"):
            owner.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_a_batch_admits_new_accounts_and_no_change_of_state(scene: Scene, as_role: AsRole) -> None:
    owner = as_role("gatekeeper_migrator")
    owner.execute("SET ROLE gatekeeper_owner")
    for what in ("an account", "values"):
        write(owner, scene, WRITES[what][0], {}, "import")
    for what in ("a consent", "a restriction", "an objection"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="with its entry alone"):
            write(owner, scene, WRITES[what][0], {}, "import")


def test_whoever_hears_the_helpdesk_records_the_turn(scene: Scene, as_role: AsRole) -> None:
    owner = as_role("gatekeeper_migrator")
    owner.execute("SET ROLE gatekeeper_owner")
    tickets.record_contact("helpdesk")
    scene.world.contact(now() - timedelta(hours=3))
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="contact turns with its entry alone"):
        write(owner, scene, "UPDATE public.gatekeeper_feed SET contact_at = now() - interval '2 hours'", None)
    write(owner, scene, "UPDATE public.gatekeeper_feed SET contact_at = now()", None)
