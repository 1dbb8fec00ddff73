"""Which facts an entry must carry: the table in audit/facts.py against the database, fact by fact."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, Final

import psycopg
import pytest
from psycopg import sql
from psycopg.types.json import Jsonb

from audit import facts
from audit.models import Entry, Event, Outcome

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from tests.conftest import Connection

#: A value for every fact that any entry must carry.
VALUES: Final[dict[str, Any]] = {
    "cid": "c-1",
    "member": "K-0193",
    "member_name": "Katarzyna Przykładowa",
    "actor_id": 17,
    "session": 7,
    "factor": "totp",
    "role": "consultant",
    "signature": 5,
    "nda_ends": "2030-01-01T00:00:00Z",
    "account": "MOC-40001",
    "ticket": "ZD-10001",
    "ticket_kind": "support",
    "ticket_state": "open",
    "purpose": "support_request",
    "categories": ["contact"],
    "request_id": 3,
    "grant_id": 4,
    "approver": "K-0020",
    "source": "seal_log (root)",
    "details": Jsonb({"quiet": True}),
    "reason": "ticket_closed",
    "failed": ["ticket_closed"],
    "fields": ["contact.name"],
    "records": [1],
    "results": 1,
    "answers": 1,
    "subject": "K-0194",
    "object_repr": "code",
}
ALWAYS: Final = {"object_pk": "", "action": 3, "changes_text": ""}
KINDS: Final = [(str(event), str(outcome)) for event in Event for outcome in Outcome]


def lacking(event: str, outcome: str, given: Collection[str], values: dict[str, Any]) -> set[str]:
    """By the table: what an entry with these facts lacks; 'kind' where there is no such entry."""
    rules = facts.RULES.get((event, outcome))
    if rules is None:
        return {"kind"}
    rule = next((one for one in rules if set(one.marks) <= set(given)), None)
    if rule is None:
        return {mark for one in rules for mark in one.marks} - set(given)
    missing = set(rule.facts) - set(given)
    if outcome == Outcome.WITHHELD and "answers" not in given and values.get("reason") not in facts.NOBODY:
        missing |= {"answers"}
    if event == Event.SIGN_IN and values.get("object_repr") in facts.BEFORE_FACTOR:
        missing -= {"factor"}
    typed = (event, outcome) == (Event.SIGN_IN_FAILED, Outcome.REFUSED)  # may be nobody's
    if not typed and rule.facts & {"reason"} and not rule.facts & {"source", "session"}:
        # Only a session that failed explains that nobody is named.
        missing |= set() if values.get("reason") in facts.NOBODY else set(facts.PERSON) - set(given)
    return missing


class Probe:
    """Inserts entries as the owner of the log does, and takes each back."""

    def __init__(self, setup: Connection) -> None:
        self.setup = setup
        self.records = {event: self.recorded(event) for event in ("view", "copy", "search")}

    def recorded(self, event: str) -> int:
        """What a refused release of that event can name."""
        whole = facts.RULES[(event, "allowed")][-1].facts
        given = Jsonb({name: VALUES[name].obj if name == "details" else VALUES[name] for name in whole})
        [(number,)] = self.setup.execute(
            "SELECT audit.write_entry(%s, 'allowed', %s)", [event, given]
        ).fetchall()
        return int(number)

    def refusal(self, event: str, outcome: str, values: dict[str, Any]) -> str:
        """The fact that the database misses; '' when it takes the entry."""
        row = ALWAYS | {"object_repr": ""} | values | {"event": event, "outcome": outcome}
        if "answers" in row:  # which names a record of the same session
            row["answers"] = self.records.get(event) if "session" in row else None
        statement = sql.SQL("INSERT INTO audit_entry ({}) VALUES ({})").format(
            sql.SQL(", ").join(map(sql.Identifier, row)), sql.SQL(", ").join(sql.Placeholder() * len(row))
        )
        try:
            with self.setup.transaction(force_rollback=True):
                self.setup.execute(statement, list(row.values()))
        except psycopg.errors.RaiseException as error:
            words, _, fact = str(error.diag.message_primary).rpartition(" lacks its ")
            assert words == f"an entry {event} {outcome}"
            return fact
        return ""

    def agrees(self, event: str, outcome: str, values: dict[str, Any]) -> bool:
        """Whether table and database say the same of an entry."""
        missing = lacking(event, outcome, values, values)
        said = self.refusal(event, outcome, values)
        assert said in missing if missing else said == "", (event, outcome, sorted(values), missing, said)
        return not missing


@pytest.fixture
def probe(setup_connection: Connection) -> Iterator[Probe]:
    with setup_connection.transaction(force_rollback=True):
        setup_connection.execute("SET LOCAL ROLE gatekeeper_owner")
        yield Probe(setup_connection)


def test_every_fact_of_the_table_is_a_column_and_has_a_value_here() -> None:
    named = {fact for rules in facts.RULES.values() for rule in rules for fact in rule.facts}
    assert named == set(VALUES)
    assert named <= {field.attname for field in Entry._meta.concrete_fields}


def test_every_event_stands_in_the_table() -> None:
    assert {event for event, _outcome in facts.RULES} == set(Event)


@pytest.mark.parametrize(("event", "outcome"), KINDS)
def test_with_its_facts_it_is_taken_and_without_one_it_is_not(probe: Probe, event: str, outcome: str) -> None:
    assert probe.refusal(event, outcome, VALUES) == ("" if (event, outcome) in facts.RULES else "kind")
    for rule in facts.RULES.get((event, outcome), ()):
        whole = {fact: VALUES[fact] for fact in rule.facts}
        unnamed = "session" not in rule.facts or (outcome == Outcome.WITHHELD and "answers" not in rule.facts)
        if unnamed and "reason" in rule.facts and "source" not in rule.facts:
            whole |= {"reason": "session_missing"}
        assert probe.agrees(event, outcome, whole)
        for fact in rule.facts:
            probe.agrees(event, outcome, {name: value for name, value in whole.items() if name != fact})
        nobody = (
            whole.get("reason") == "session_missing"
        )  # without a reason for it, somebody is missing first
        for fact in rule.facts - set(rule.marks) - ({"reason"} if nobody else set()):
            rest = {name: value for name, value in whole.items() if name != fact}
            assert probe.refusal(event, outcome, rest) == fact


@pytest.mark.parametrize(("event", "outcome"), KINDS)
def test_whatever_is_there_or_not_both_say_the_same(probe: Probe, event: str, outcome: str) -> None:
    chance = random.Random(f"{event} {outcome}")  # noqa: S311  # the same ones every time
    unusual = {"reason": "session_missing", "object_repr": "password"}
    for _ in range(60):
        left_out = chance.sample(sorted(VALUES), chance.randint(0, 6))
        values = {name: value for name, value in VALUES.items() if name not in left_out}
        values |= {name: unusual[name] for name in unusual if name in values and chance.random() < 0.5}
        probe.agrees(event, outcome, values)


def test_an_empty_number_of_a_request_is_none(probe: Probe) -> None:
    assert probe.refusal("view", "allowed", VALUES | {"source": "", "cid": ""}) == "cid"
