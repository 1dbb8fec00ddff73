"""A list of tickets that says 'this is all': what it lacks is shown, confirmed and closed."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from audit.models import Entry
from gatekeeper.feeds import complete, tickets
from gatekeeper.models import Assignment, Feed, Grant, Ticket
from tests.world.importing import member
from tests.world.messages import TICKETS, said, send
from tests.world.scene import REFERENCE
from tests.world.serving import PROJECT

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Connection
    from tests.world.scene import Scene

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

START = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)


def ticket(number: int, minutes: int = 0, **changes: Any) -> dict[str, Any]:
    return {
        "number": f"ZD-{number}",
        "kind": "support",
        "accounts": [REFERENCE],
        "state": "open",
        "assignee": "K-1000",
        "updated_at": (START + timedelta(minutes=minutes)).isoformat(),
    } | changes


def at(minutes: int) -> str:
    return (START + timedelta(minutes=minutes)).isoformat()


@pytest.fixture
def take(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], setup_connection: Connection
) -> Callable[..., tuple[str, str, int]]:
    """Run the import over rows or bytes; what it said on both streams, and its exit status."""
    member("K-1000", setup_connection)

    def run(rows: list[dict[str, Any]] | bytes, *options: str) -> tuple[str, str, int]:
        path = tmp_path / "tickets.jsonl"
        lines = rows if isinstance(rows, bytes) else "".join(json.dumps(row) + "\n" for row in rows).encode()
        path.write_bytes(lines)
        status = 0
        try:
            call_command("import_tickets", str(path), *options)
        except SystemExit as stopped:
            status = int(str(stopped.code))
        out, err = capsys.readouterr()
        return out, err, status

    return run


def open_now() -> set[str]:
    return set(Ticket.objects.filter(state__in=["open", "pending"]).values_list("number", flat=True))


def test_what_vanished_is_shown_and_closed(take: Callable[..., tuple[str, str, int]]) -> None:
    take([ticket(n) for n in (1, 2, 3, 4)])
    rest = [ticket(1), ticket(2, 5, state="solved"), ticket(4, 5, state="pending")]
    out, _err, status = take(rest, "--complete", "--dry-run")
    assert (out, status) == ("missing: 1 of 4 open tickets would be closed: ZD-3\n", 0)
    assert open_now() == {"ZD-1", "ZD-2", "ZD-3", "ZD-4"}, "nothing is changed, not even what the file says"

    out, _err, status = take(rest, "--complete", "--yes")
    assert status == 0
    assert "missing: 1 of 4 open tickets are not in the list: ZD-3\nmissing: 1 closed\n" in out
    assert open_now() == {"ZD-1", "ZD-4"}
    gone = Ticket.objects.get(number="ZD-3")
    assert gone.state == "missing"
    assert not Assignment.objects.filter(ticket=gone, ended_at=None).exists()
    entry = Entry.objects.filter(ticket="ZD-3").latest("id")
    assert (entry.event, entry.ticket_state) == ("change", "missing")
    assert entry.source.startswith("import_tickets --complete")
    assert (entry.details or {})["state"] == ["open", "missing"]
    out, _err, _status = take(rest, "--complete", "--yes")
    assert "missing: 0 of 2 open tickets are not in the list\nmissing: 0 closed\n" in out


def test_access_ends_in_the_same_transaction(scene: Scene, tmp_path: Path) -> None:
    scene.world.contact()
    scene.opened()
    others = [scene.world.ticket(f"ZD-{n}", accounts=[REFERENCE]) for n in range(1, 5)]
    rows = [ticket(n, assignee=None) for n in range(1, 1 + len(others))]
    path = tmp_path / "tickets.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert scene.evaluate().open
    call_command("import_tickets", str(path), "--complete", "--yes", stdout=io.StringIO())
    assert not Grant.objects.filter(ended_at=None).exists()
    closed = Entry.objects.filter(event="change", ticket_state="missing").get()
    ended = Entry.objects.filter(event="end", grant_id=scene.grant).get()
    assert closed.xid == ended.xid


def test_newer_than_the_list_stays_open(take: Callable[..., tuple[str, str, int]]) -> None:
    take([ticket(1), ticket(2, 10), ticket(3, 11)])
    take([ticket(1)], "--complete", "--yes", "--began", at(10))
    assert open_now() == {"ZD-1", "ZD-3"}
    # By a webhook that came while the list was made:
    newer = ticket(4, updated_at=datetime.now(UTC).isoformat())
    assert said(send("POST", TICKETS, newer)) == (200, "new")
    take([ticket(1)], "--complete", "--yes", "--began", at(20))
    assert open_now() == {"ZD-1", "ZD-4"}


def test_what_is_missing_opens_again_by_something_newer_alone(
    take: Callable[..., tuple[str, str, int]],
) -> None:
    rows = [ticket(n) for n in range(1, 6)]
    take(rows)
    take(rows[:4], "--complete", "--yes", "--began", at(30))
    assert said(send("POST", TICKETS, ticket(5, 29))) == (200, "older"), "it was late on its way"
    assert said(send("POST", TICKETS, ticket(5, 31))) == (200, "changed")
    assert "ZD-5" in open_now()
    take(rows[:4], "--complete", "--yes", "--began", at(40))
    assert "ZD-5" not in open_now()
    # A list that was wrong is put right by the next one, with the ticket as it always was.
    take(rows, "--complete", "--yes", "--began", at(50))
    assert "ZD-5" in open_now()


def test_line_that_cannot_be_used_shuts_its_ticket(take: Callable[..., tuple[str, str, int]]) -> None:
    take([ticket(n) for n in range(1, 7)])
    rows = [ticket(1), ticket(2, accounts=[]), ticket(3), ticket(4)]
    lines = "".join(json.dumps(row) + "\n" for row in rows).encode()
    lines += b'{"number": "ZD-5"\n' + b'{"nummer": "ZD-6"}\n'
    out, err, status = take(lines, "--complete", "--yes")
    assert status == 1, "lines were refused"
    assert "line 2: accounts: too few" in err
    assert "missing: 1 of 6 open tickets are not in the list: ZD-6\n" in out
    states = dict(Ticket.objects.values_list("number", "state"))
    assert states == dict.fromkeys(("ZD-1", "ZD-3", "ZD-4"), "open") | {
        "ZD-2": "unusable",
        "ZD-5": "unusable",
        "ZD-6": "missing",
    }


def test_settles_what_is_older_than_the_list(take: Callable[..., tuple[str, str, int]]) -> None:
    take([ticket(1)])
    send("POST", TICKETS, b"noise")
    take([ticket(1)], "--complete", "--yes", "--began", at(30))
    assert Feed.objects.filter(doubted_at__isnull=False).exists(), "it was begun before the message came"
    before = datetime.now(UTC)
    take([ticket(1)], "--complete", "--yes")
    feed = Feed.objects.get(name="tickets")
    assert feed.doubted_at is None
    assert feed.contact_at
    assert feed.contact_at > before
    send("POST", TICKETS, b"noise")
    take([ticket(1)])
    assert Feed.objects.filter(doubted_at__isnull=False).exists(), "an import of some settles nothing"


class TestGuard:
    """A file that is empty or was cut short must not close everything."""

    ROWS = tuple(ticket(n) for n in range(1, 41))

    @pytest.fixture(autouse=True)
    def _open(self, take: Callable[..., tuple[str, str, int]]) -> None:
        take(list(self.ROWS))

    @pytest.mark.parametrize("lines", [b"", b"\n\n", b"nothing\n", b"\xff\xfe\n\0"])
    def test_empty(self, take: Callable[..., tuple[str, str, int]], lines: bytes) -> None:
        with pytest.raises(CommandError, match=r"Nothing was closed.*--closes 40"):
            take(lines, "--complete", "--yes")
        assert len(open_now()) == 40
        with pytest.raises(CommandError, match="40 are missing, not 39"):
            take(lines, "--complete", "--closes", "39")
        assert len(open_now()) == 40
        take(lines, "--complete", "--closes", "40")
        assert not open_now()

    def test_far_too_few(self, take: Callable[..., tuple[str, str, int]]) -> None:
        with pytest.raises(CommandError, match="--closes 11"):
            take(list(self.ROWS[:29]), "--complete", "--yes")
        assert len(open_now()) == 40
        take(list(self.ROWS[:30]), "--complete", "--yes")
        assert len(open_now()) == 30, "a quarter can be"

    def test_cut_off(self, take: Callable[..., tuple[str, str, int]]) -> None:
        lines = "".join(json.dumps(row) + "\n" for row in self.ROWS).encode()[:-5]
        for options in (["--yes"], ["--closes", "1"], ["--dry-run"]):
            with pytest.raises(CommandError, match="in the middle of a line"):
                take(lines, "--complete", *options)
        assert not Ticket.objects.filter(state="missing").exists()
        # Without a line feed behind the last line it is whole all the same.
        whole = "\n".join(json.dumps(row) for row in self.ROWS[1:]).encode()
        take(whole, "--complete", "--yes")
        assert Ticket.objects.filter(state="missing").count() == 1

    def test_nobody_to_ask(
        self, take: Callable[..., tuple[str, str, int]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys, "stdin", io.StringIO("yes\n"))
        with pytest.raises(CommandError, match="--yes"):
            take(list(self.ROWS[1:]), "--complete")
        assert len(open_now()) == 40

    @pytest.mark.parametrize(
        ("options", "reason"),
        [
            (["--dry-run"], "go with --complete"),
            (["--yes"], "go with --complete"),
            (["--closes", "0"], "go with --complete"),
            (["--began", "2026-01-01T00:00:00Z"], "go with --complete"),
            (["--complete", "--began", "yesterday"], "not a time with a zone"),
            (["--complete", "--began", "2150-01-01T00:00:00Z"], "in the future"),
        ],
    )
    def test_options(
        self, take: Callable[..., tuple[str, str, int]], options: list[str], reason: str
    ) -> None:
        with pytest.raises(CommandError, match=reason):
            take(list(self.ROWS), *options)

    @pytest.mark.parametrize(("typed", "closed"), [("yes", 1), ("no", 0), ("", 0)])
    def test_on_a_terminal_it_asks(self, tmp_path: Path, typed: str, closed: int) -> None:
        path = tmp_path / "rows.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in self.ROWS[1:]))
        ours, theirs = pty.openpty()
        command = [sys.executable, "manage.py", "import_tickets", str(path), "--complete"]
        with subprocess.Popen(
            command, cwd=PROJECT, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as run:
            os.close(theirs)
            os.write(ours, f"{typed}\n".encode())
            out, err = run.communicate(timeout=120)
            os.close(ours)
        assert b"1 of 40 open tickets are not in the list: ZD-1\n" in out
        assert b"Type yes to confirm" in err
        assert Ticket.objects.filter(state="missing").count() == closed
        assert run.returncode == (0 if closed else 1)


def test_what_is_shown_is_bounded() -> None:
    assert complete.shown({"ZD-10", "ZD-9"}) == "ZD-9, ZD-10"
    names = {f"ZD-{n}" for n in range(1000)}
    assert complete.shown(names).endswith(f"ZD-{complete.SHOWN - 1} and {1000 - complete.SHOWN} more")


def test_closing_asks_once_more_what_is_newer(take: Callable[..., tuple[str, str, int]]) -> None:
    """A change may come between the list's end and the closing."""
    take([ticket(1, 60), ticket(2, 30)])
    assert tickets.close_missing(["ZD-1", "ZD-2"], START + timedelta(minutes=30), "test") == ["ZD-2"]
    assert open_now() == {"ZD-1"}


def test_closing_beside_changes_neither_deadlocks_nor_closes_what_is_newer(
    take: Callable[..., tuple[str, str, int]],
) -> None:
    take([ticket(n) for n in range(40)])

    def change(minutes: int) -> None:
        for n in range(0, 40, 2):
            send("POST", TICKETS, ticket(n, 60 + minutes))
        connections.close_all()

    def close(_: int) -> None:
        tickets.close_missing([f"ZD-{n}" for n in range(40)], START + timedelta(minutes=30), "test")
        connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        changes = [pool.submit(change, minutes) for minutes in (1, 2)]
        closings = [pool.submit(close, n) for n in (1, 2)]
        for done in (*changes, *closings):
            done.result()
    assert open_now() == {f"ZD-{n}" for n in range(0, 40, 2)}
