"""The heartbeat that vouches: a lost message is found, and its README's two examples are its form."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from audit.models import Entry
from gatekeeper.feeds import tickets
from gatekeeper.feeds.ticket_api import PAGE
from gatekeeper.feeds.ticket_words import sent_assignee
from gatekeeper.frame.health_row import Health
from gatekeeper.gate import decision
from gatekeeper.models import Feed, Ticket
from gatekeeper.pages import health
from tests import readme
from tests.world import programs
from tests.world.importing import member
from tests.world.messages import HEARTBEAT, TICKETS, send
from tests.world.scene import REFERENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from tests.conftest import Connection
    from tests.world.scene import Scene

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

EMPTY = hashlib.sha256().hexdigest()
START = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)


class Helpdesk:
    """A helpdesk's own tickets; some of its messages get lost."""

    def __init__(self) -> None:
        self.tickets: dict[str, dict[str, Any]] = {}
        self.minutes = 0

    def change(self, number: str, *, lost: bool = False, **facts: Any) -> None:
        self.minutes += 1
        known = self.tickets.get(number, {"number": number, "kind": "support", "accounts": [REFERENCE]})
        at = START + timedelta(seconds=self.minutes)
        self.tickets[number] = (
            {"state": "open", "assignee": None} | known | facts | {"updated_at": at.isoformat()}
        )
        if not lost:
            assert send("POST", TICKETS, self.tickets[number]).status_code == HTTPStatus.OK

    def lines(self) -> list[str]:
        """The lines of the digest, in other words than the database's."""
        found = [t for t in self.tickets.values() if t["state"] in ("open", "pending")]
        return sorted(
            f"{t['number']}\t{(t['assignee'] or '').strip(' ').lower()}\t{t['state']}" for t in found
        )

    def vouch(self, **more: Any) -> tuple[int, dict[str, Any]]:
        """Send a heartbeat as of now; status and answer."""
        lines = self.lines()
        digest = hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()
        # Two seconds ahead, for the time of sending counts whole seconds; it never counts as later than now.
        answer = send("POST", HEARTBEAT, {"open": len(lines), "digest": digest} | more, age=-2)
        return answer.status_code, json.loads(answer.content)


@pytest.fixture
def helpdesk(setup_connection: Connection) -> Helpdesk:
    member("K-1000", setup_connection)
    return Helpdesk()


def row() -> Health:
    return next(row for row in health.rows() if row.id == "gatekeeper.feed")


def test_a_lost_solved_is_found_named_and_settled(helpdesk: Helpdesk) -> None:
    for number in ("ZD-1", "ZD-2", "ZD-10"):
        helpdesk.change(number, assignee="K-1000")
    assert helpdesk.vouch() == (200, {"outcome": "heard"})
    assert row().state == "ok"

    helpdesk.change("ZD-2", state="solved", lost=True)
    status, answer = helpdesk.vouch()
    assert (status, answer["open"], answer["not_vouched_for"]) == (409, 3, ["ZD-1", "ZD-10", "ZD-2"])
    status, answer = helpdesk.vouch(tickets=helpdesk.lines())
    assert (status, answer["not_vouched_for"], answer["lacking"]) == (409, ["ZD-2"], [])
    red = row()
    assert red.state == "to_fix"
    assert "other open tickets" in red.cause
    of_doubts = Entry.objects.filter(event="change", details__has_key="doubt").order_by("id")
    [entry] = of_doubts
    assert entry.details == {"feed": "tickets", "doubt": [None, "digest"]}, "once, not with each heartbeat"

    helpdesk.change("ZD-2", state="solved")
    assert helpdesk.vouch() == (200, {"outcome": "heard"})
    assert row().state == "ok"
    assert of_doubts.all()[1].details == {"feed": "tickets", "doubt": ["digest", None]}


@pytest.mark.parametrize(
    "lost",
    [
        {"state": "pending"},
        {"assignee": None},
        {"assignee": "other@firma.example"},
        {"number": "ZD-3"},
    ],
)
def test_any_lost_change_is_found(helpdesk: Helpdesk, lost: dict[str, Any]) -> None:
    helpdesk.change("ZD-1", assignee="K-1000")
    facts = dict(lost)
    number = facts.pop("number", "ZD-1")
    helpdesk.change(number, lost=True, **facts)
    status, answer = helpdesk.vouch(tickets=helpdesk.lines())
    assert status == HTTPStatus.CONFLICT
    assert (answer["not_vouched_for"], answer["lacking"]) == (
        ([], ["ZD-3"]) if number == "ZD-3" else (["ZD-1"], [])
    )


def test_gate_goes_stale_at_its_age_unless_a_matching_heartbeat_came_first(scene: Scene) -> None:
    scene.world.contact()

    def reason() -> str | None:
        return decision.evaluate(scene.caller, account=REFERENCE).codes["ticket"]

    answer = send("POST", HEARTBEAT, {"open": 0, "digest": EMPTY})
    assert answer.status_code == HTTPStatus.CONFLICT
    assert reason() == "passed"
    age = timedelta(minutes=settings.LIMITS["ticket_feed_max_age_minutes"])
    scene.world.setup.execute("UPDATE gatekeeper_feed SET doubted_at = doubted_at - %s", [age])
    assert send("POST", HEARTBEAT, {}).status_code == HTTPStatus.OK
    assert reason() == "ticket_feed_stale", "that the sender lives does not help"
    count = {"open": Ticket.objects.filter(state__in=["open", "pending"]).count()}
    assert send("POST", HEARTBEAT, count).status_code == HTTPStatus.OK
    assert reason() == "ticket_feed_stale", "nor that the number is right"
    lines = "".join(f"{line}\n" for line in tickets.open_lines().values())
    digest = hashlib.sha256(lines.encode()).hexdigest()
    assert send("POST", HEARTBEAT, {"digest": digest}, age=-2).status_code == HTTPStatus.OK
    assert reason() == "passed"


def test_heartbeat_that_is_older_than_the_doubt_settles_nothing(helpdesk: Helpdesk) -> None:
    send("POST", TICKETS, b"noise")
    answer = send("POST", HEARTBEAT, {"open": 0, "digest": EMPTY}, age=60)
    assert answer.status_code == HTTPStatus.OK
    assert Feed.objects.filter(doubted_at__isnull=False).exists()
    assert helpdesk.vouch()[0] == HTTPStatus.OK
    assert not Feed.objects.filter(doubted_at__isnull=False).exists()


def test_answer_is_bounded_and_goes_on(setup_connection: Connection) -> None:
    setup_connection.execute(
        "INSERT INTO gatekeeper_ticket (number, kind, state, accounts, opened_by, updated_at)"
        " SELECT 'ZD-' || n, 'support', 'open', '{MOC-48213}', '', now() FROM generate_series(1, %s) n",
        [2 * PAGE + 5],
    )
    named: list[str] = []
    more = True
    while more:
        answer = send("POST", HEARTBEAT, {"digest": EMPTY, "after": named[-1] if named else ""})
        told = json.loads(answer.content)
        assert len(told["not_vouched_for"]) <= PAGE
        named += told["not_vouched_for"]
        more = told["more"]
    assert named == sorted(f"ZD-{n}" for n in range(1, 2 * PAGE + 6))


@pytest.mark.parametrize(
    "body",
    [
        {"open": -1},
        {"open": "3"},
        {"open": True},
        {"digest": "x"},
        {"digest": EMPTY.upper()},
        {"tickets": {}},
        {"tickets": ["x" * 401]},
        {"other": 1},
    ],
)
def test_heartbeat_that_cannot_be_used_is_an_alarm(body: dict[str, Any]) -> None:
    assert send("POST", HEARTBEAT, body).status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert row().state == "to_fix"
    assert not Feed.objects.filter(contact_at__isnull=False).exists()


# The examples of gatekeeper/feeds/README.md


def example(name: str) -> str:
    """The code between two marks of gatekeeper/feeds/README.md."""
    found = re.search(r"```\w+\n(.*?)```", readme.stands(name), re.DOTALL)
    assert found
    return found[1]


def by_python(lines: Iterable[str], _folder: Path) -> dict[str, Any]:
    return _run([sys.executable, "-c", example("digest in Python")], lines)


def by_shell(lines: Iterable[str], folder: Path) -> dict[str, Any]:
    programs.need("jq")
    return _run(["sh", "-euc", example("digest in shell")], lines, cwd=folder)


def _run(command: list[str], lines: Iterable[str], **more: Any) -> dict[str, Any]:
    text = "".join(f"{line}\n" for line in lines).encode()
    told = subprocess.run(command, input=text, stdout=subprocess.PIPE, check=True, timeout=60, **more)
    found: dict[str, Any] = json.loads(told.stdout)
    return found


ASSIGNEES = [None, "K-1000", " K-1000 ", "Anna.Nowak@Firma.example", "jörg@firma.example", "ÄÖ", "İ", "ß", ""]


@pytest.mark.parametrize("compute", [by_python, by_shell])
def test_readmes_examples(
    compute: Callable[[Iterable[str], Path], dict[str, Any]], helpdesk: Helpdesk, tmp_path: Path
) -> None:
    assert compute([], tmp_path) == {"open": 0, "digest": EMPTY}
    for n, assignee in enumerate(ASSIGNEES):
        for m, state in enumerate(("open", "pending", "solved")):
            facts = {"assignee": assignee, "state": state}
            helpdesk.change(f"ZD-{n}{m}", **({"state": state} if assignee == "" else facts))
    beat = compute(map(json.dumps, helpdesk.tickets.values()), tmp_path)
    assert beat["open"] == 2 * len(ASSIGNEES)
    answer = send("POST", HEARTBEAT, beat)
    assert json.loads(answer.content) == {"outcome": "heard"}


@given(assignee=st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=60))
@hypothesis_settings(max_examples=15, deadline=None)
def test_examples_and_we_write_any_assignee_alike(
    assignee: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    ticket = json.dumps({"number": "ZD-1", "assignee": assignee, "state": "open"})
    line = f"ZD-1\t{sent_assignee(assignee)}\topen\n".encode()
    expected = {"open": 1, "digest": hashlib.sha256(line).hexdigest()}
    folder = tmp_path_factory.mktemp("digest")
    assert by_python([ticket], folder) == by_shell([ticket], folder) == expected
