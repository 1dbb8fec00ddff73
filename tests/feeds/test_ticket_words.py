"""Tickets as helpdesks write them: what is certain is taken, what is not closes, and nothing is an error."""

from __future__ import annotations

import itertools
import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from gatekeeper.installation.environment import Environment
from gatekeeper.models import Assignment, Ticket
from tests.world.importing import member
from tests.world.messages import TICKETS, send

if TYPE_CHECKING:
    from tests.conftest import Connection

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

WORLD: Final = Path(__file__).parents[1] / "data" / "from-the-world-tickets.jsonl"
NOBODY_KNOWS: Final = "state: a word that is not known, so it is closed"


@pytest.fixture(autouse=True)
def _member(setup_connection: Connection) -> None:
    member("K-1000", setup_connection)


def ticket(**changes: Any) -> dict[str, Any]:
    return {
        "number": "ZD-9001",
        "kind": "support",
        "accounts": ["MOC-48213"],
        "state": "open",
        "assignee": "K-1000",
        "updated_at": "2026-01-01T00:00:00Z",
    } | changes


def post(**changes: Any) -> tuple[int, dict[str, Any]]:
    answer = send("POST", TICKETS, ticket(**changes))
    return answer.status_code, json.loads(answer.content)


@pytest.mark.parametrize("line", [json.loads(text) for text in WORLD.read_text().splitlines()])
@pytest.mark.parametrize("way", ["webhook", "import"])
def test_from_the_world(
    line: dict[str, str], way: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert post(updated_at="2025-12-31T00:00:00Z") == (200, {"outcome": "new"})
    if way == "webhook":
        answer = send("POST", TICKETS, line["line"].encode())
        assert answer.status_code == HTTPStatus.OK
        said = answer.content.decode()
    else:
        (tmp_path / "lines.jsonl").write_text(line["line"] + "\n")
        call_command("import_tickets", str(tmp_path / "lines.jsonl"))
        said = capsys.readouterr().err
    found = Ticket.objects.get(number="ZD-9001")
    match line["expect"]:
        case "closes ZD-9001":
            assert found.state == "closed"
        case "closed unless mapped, and said":
            assert found.state == "closed"
            assert NOBODY_KNOWS in said
        case "in":
            assert (found.state, found.updated_at.microsecond) == ("open", 672717)
        case other:
            pytest.fail(f"not known: {other}")


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ({"number": "zd-9001"}, {}),
        ({"number": " ZD\u20119001 "}, {}),
        ({"number": "\uff3a\uff24-\uff19001"}, {}),
        ({"accounts": ["moc-48213", "MOC\u201348213"]}, {}),
        ({"accounts": "MOC-48213"}, {}),
        ({"kind": "Support"}, {}),
        ({"state": " OPEN "}, {}),
        ({"assignee": " k-1000 "}, {}),
        ({"assignee": "K-1000@Example.COM"}, {}),
        ({"updated_at": "2026-01-01T01:00:00.0000000+0100"}, {}),
        ({"updated_at": "2026-01-01T00:00:00.000000000Z"}, {}),
        ({"opened_at": "2025-01-01T00:00:00.1234567+00:00"}, {}),
        ({"state": "Solved"}, {"state": "solved"}),
        ({"opened_by": "Customer"}, {"opened_by": "customer"}),
        ({"opened_by": "k-1000"}, {"opened_by": "K-1000"}),
        ({"opened_by": "eva@kunde.example"}, {"opened_by": ""}),
    ],
)
def test_taken_as_it_is_meant(told: dict[str, Any], kept: dict[str, str]) -> None:
    assert post(**told) == (200, {"outcome": "new"})
    found = Ticket.objects.get()
    assert (found.number, found.accounts, found.kind) == ("ZD-9001", ["MOC-48213"], "support")
    assert found.updated_at == datetime(2026, 1, 1, tzinfo=UTC)
    assert found.state == kept.get("state", "open")
    assert found.opened_by == kept.get("opened_by", "")
    assert Assignment.objects.filter(ended_at=None).exists() is (found.state == "open")


@pytest.mark.parametrize(
    ("told", "remark"),
    [
        ({"state": "Pending Reminder"}, NOBODY_KNOWS),
        ({"state": "new"}, NOBODY_KNOWS),
        ({"state": "unusable"}, NOBODY_KNOWS),
        ({"state": "missing"}, NOBODY_KNOWS),
        ({"state": ""}, NOBODY_KNOWS),
        ({"state": "otwarte\u0000"}, NOBODY_KNOWS),
        ({"assignee": 12345}, "assignee: cannot be used, so it is nobody"),
        ({"assignee": {"email": "K-1000@example.com"}}, "assignee: cannot be used, so it is nobody"),
        ({"assignee": "K-1000\u0000"}, "assignee: cannot be used, so it is nobody"),
        ({"assignee": "\ud83d"}, "assignee: cannot be used, so it is nobody"),
        ({"assignee": "x" * 300}, "assignee: cannot be used, so it is nobody"),
        ({"opened_by": ["K-1000"]}, "opened_by: cannot be used, and is left out"),
        ({"opened_at": "yesterday"}, "opened_at: cannot be used, and is left out"),
        ({"closed_at": "9999-12-31T23:59:59Z"}, "closed_at: cannot be used, and is left out"),
    ],
)
def test_what_is_not_certain_closes_or_is_left_out_and_is_said(told: dict[str, Any], remark: str) -> None:
    assert post(updated_at="2025-12-31T00:00:00Z")[0] == HTTPStatus.OK
    status, answer = post(**told)
    assert (status, answer) == (200, {"outcome": answer["outcome"], "remarks": [remark]})
    found = Ticket.objects.get()
    if "state" in told:
        assert found.state == "closed"
    elif "assignee" in told:
        assert (found.state, found.assignee) == ("open", None)
        assert not Assignment.objects.filter(ended_at=None).exists()
    else:
        assert (found.opened_by, found.opened_at, found.closed_at) == ("", None, None)
        assert Assignment.objects.filter(ended_at=None).exists(), "it decides nothing"


def test_own_states_mean_what_the_setting_says(settings: Any) -> None:
    settings.TICKET_STATES = Environment(
        {
            "GATEKEEPER_MODE": "test",
            "GATEKEEPER_TICKET_STATES": "Pending  Reminder = pending, NEW=Open, pending=closed, W toku=open",
        }
    ).ticket_states()
    expected = {
        "Pending Reminder": "pending",
        "pending reminder": "pending",
        "new": "open",
        "w TOKU": "open",
        "pending": "closed",
        "open": "open",
        "solved": "solved",
        "on hold": "closed",
    }
    for minutes, (told, state) in enumerate(expected.items(), 1):
        status, answer = post(state=told, updated_at=f"2026-01-01T00:{minutes:02}:00Z")
        assert status == HTTPStatus.OK
        assert Ticket.objects.get().state == state
        assert ("remarks" in answer) is (told == "on hold")


@pytest.mark.parametrize("value", ["New", "New=", "=open", "New=reopened", "New=open,new=closed", "New:open"])
def test_setting_that_cannot_be_read(value: str) -> None:
    variables = {"GATEKEEPER_MODE": "test", "GATEKEEPER_TICKET_STATES": value}
    with pytest.raises(ImproperlyConfigured, match="GATEKEEPER_TICKET_STATES"):
        Environment(variables).ticket_states()


def test_import_counts_what_it_remarks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [ticket(number=f"ZD-{n}", state="Pending Reminder") for n in range(3)] + [ticket(assignee=5)]
    (tmp_path / "lines.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    call_command("import_tickets", str(tmp_path / "lines.jsonl"))
    out, err = capsys.readouterr()
    assert out == "tickets: 4 new, 0 changed, 0 same, 0 older, 0 refused\n"
    assert err.splitlines() == [
        "1 lines: assignee: cannot be used, so it is nobody",
        f"3 lines: {NOBODY_KNOWS}",
    ]


# Whatever comes

_ODD = ["\x00", "\ud800", "K-1000", "open", "ZD-9001", "a@b.example", "1e400"]
_TEXT = st.text(max_size=12) | st.sampled_from(_ODD)
_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=6,
)
_NAMES = st.sampled_from([*ticket(), "opened_by", "opened_at", "closed_at", "x"])
_CHANGES = st.dictionaries(_NAMES, _VALUE, max_size=4)
_LINES = _CHANGES.map(lambda some: json.dumps(ticket() | some).encode()) | st.binary(max_size=60)
_LAX = hypothesis_settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
_numbers = itertools.count(100_000)


@given(changes=_CHANGES)
@_LAX
def test_no_message_is_an_error_of_ours(changes: dict[str, Any]) -> None:
    moment = datetime.now(UTC) - timedelta(days=1)
    assert send("POST", TICKETS, ticket(updated_at=moment.isoformat())).status_code < 500
    assert send("POST", TICKETS, ticket() | changes).status_code < 500


@given(lines=st.lists(_LINES, max_size=6))
@_LAX
def test_no_line_ends_an_import(lines: list[bytes], tmp_path_factory: pytest.TempPathFactory) -> None:
    number = f"ZD-{next(_numbers)}"
    path = tmp_path_factory.mktemp("lines") / "lines.jsonl"
    path.write_bytes(b"\n".join([*lines, json.dumps(ticket(number=number)).encode(), b""]))
    with suppress(SystemExit):  # a line was refused
        call_command("import_tickets", str(path))
    assert Ticket.objects.filter(number=number, state="open").exists(), "the last line got in"
