"""Which of two messages about a ticket stands: the newer one; of one moment, the one that takes away."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest

from audit.models import Entry
from gatekeeper.feeds import tickets
from gatekeeper.feeds.jsonlines import parse
from gatekeeper.feeds.ticket_lines import TicketLine
from gatekeeper.models import Assignment, Delivery, Ticket
from tests.world.importing import member
from tests.world.messages import TICKETS, said, send

if TYPE_CHECKING:
    from tests.conftest import Connection

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

MOMENT = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
#: Every state, assignee and list of accounts that makes a difference.
FACTS: list[dict[str, Any]] = [
    {"state": state, "assignee": assignee, "accounts": accounts}
    for state in ("open", "pending", "solved", "closed")
    for assignee in ("K-1000", "K-2000", None)
    for accounts in (["MOC-48213"], ["MOC-40000"])
]
PAIRS = list(itertools.product(FACTS, FACTS))


def line(number: int, facts: dict[str, Any], *, at: datetime = MOMENT) -> TicketLine:
    values = {"number": f"ZD-{number}", "kind": "support", "updated_at": at.isoformat()} | facts
    return parse(json.dumps(values).encode(), TicketLine)


def held() -> dict[str, tuple[str, str | None, list[str]]]:
    return {
        t.number: (t.state, t.assignee.number if t.assignee else None, t.accounts)
        for t in Ticket.objects.select_related("assignee")
    }


def is_open(facts: dict[str, Any]) -> bool:
    return facts["state"] in ("open", "pending")


def expected(first: dict[str, Any], second: dict[str, Any]) -> str:
    """The rule in other words than the database's."""
    if first == second:
        return "same"
    if is_open(first) and not is_open(second):
        return "changed"
    if is_open(first) and is_open(second) and first["assignee"] and not second["assignee"]:
        return "changed"
    return "tied"


@pytest.fixture(autouse=True)
def _members(setup_connection: Connection) -> None:
    member("K-1000", setup_connection)
    member("K-2000", setup_connection)


def test_every_two_of_one_moment() -> None:
    tickets.apply([line(n, first) for n, (first, _) in enumerate(PAIRS)], "test")
    outcomes = tickets.apply([line(n, second) for n, (_, second) in enumerate(PAIRS)], "test")
    after = held()
    running = dict(Assignment.objects.filter(ended_at=None).values_list("ticket__number", "member__number"))
    for n, (first, second) in enumerate(PAIRS):
        number, verdict = f"ZD-{n}", expected(first, second)
        assert outcomes[number] == verdict, (first, second)
        stands = second if verdict == "changed" else first
        assert after[number] == (stands["state"], stands["assignee"], stands["accounts"])
        assert running.get(number) == (stands["assignee"] if is_open(stands) else None)


def test_either_order_ends_alike_where_one_takes_away() -> None:
    """Whichever comes first: what is closed stays closed, what is nobody's stays nobody's."""
    for start, order in ((0, 1), (len(PAIRS), -1)):
        for place in (0, 1):
            lines = [line(start + n, pair[::order][place]) for n, pair in enumerate(PAIRS)]
            tickets.apply(lines, "test")
    after = held()
    for n, (one, other) in enumerate(PAIRS):
        there, back = after[f"ZD-{n}"], after[f"ZD-{n + len(PAIRS)}"]
        if is_open(one) != is_open(other):
            assert there[0] in ("solved", "closed")
            assert back[0] in ("solved", "closed")
        elif is_open(one) and bool(one["assignee"]) != bool(other["assignee"]):
            assert there[1] is back[1] is None


def test_older_never_overwrites_newer_and_newer_always_does() -> None:
    tickets.apply([line(n, first) for n, (first, _) in enumerate(PAIRS)], "test")
    before = held()
    earlier = MOMENT - timedelta(microseconds=1)
    outcomes = tickets.apply([line(n, second, at=earlier) for n, (_, second) in enumerate(PAIRS)], "test")
    assert set(outcomes.values()) == {"older"}
    assert held() == before
    later = MOMENT + timedelta(microseconds=1)
    outcomes = tickets.apply([line(n, second, at=later) for n, (_, second) in enumerate(PAIRS)], "test")
    assert set(outcomes.values()) == {"same", "changed"}
    assert held() == {
        f"ZD-{n}": (second["state"], second["assignee"], second["accounts"])
        for n, (_, second) in enumerate(PAIRS)
    }


def test_complete_list_is_the_last_word_about_a_moment_before_it() -> None:
    tickets.apply([line(n, first) for n, (first, _) in enumerate(PAIRS)], "test")
    second = [line(n, other) for n, (_, other) in enumerate(PAIRS)]
    outcomes = tickets.apply(second, "test", as_of=MOMENT + timedelta(seconds=1))
    assert "tied" in outcomes.values(), "it may have been made within the same second"
    outcomes = tickets.apply(second, "test", as_of=MOMENT + timedelta(seconds=1, microseconds=1))
    assert set(outcomes.values()) == {"same", "changed"}
    assert held() == {
        f"ZD-{n}": (other["state"], other["assignee"], other["accounts"])
        for n, (_, other) in enumerate(PAIRS)
    }


def test_a_tie_asks_the_sender_to_repeat_and_the_repetition_counts() -> None:
    """Reassigned twice within one second of the sender's clock: neither is lost, nobody is guessed."""

    def message(assignee: str, at: datetime) -> dict[str, Any]:
        return {
            "number": "ZD-1",
            "kind": "support",
            "accounts": ["MOC-48213"],
            "state": "open",
            "assignee": assignee,
            "updated_at": at.isoformat(),
        }

    assert said(send("POST", TICKETS, message("K-1000", MOMENT))) == (200, "new")
    entries = Entry.objects.count()
    status, reason = said(send("POST", TICKETS, message("K-2000", MOMENT), webhook_id="again"))
    assert (status, reason.split(":")[0]) == (HTTPStatus.CONFLICT, "updated_at")
    assert held()["ZD-1"][1] == "K-1000"
    assert Entry.objects.count() == entries, "nothing changed, and nothing is recorded"
    assert not Delivery.objects.using("migrator").filter(webhook_id="again").exists(), (
        "the same identifier may come again"
    )
    later = message("K-2000", MOMENT + timedelta(milliseconds=1))
    assert said(send("POST", TICKETS, later, webhook_id="again")) == (200, "changed")
    assert held()["ZD-1"][1] == "K-2000"
