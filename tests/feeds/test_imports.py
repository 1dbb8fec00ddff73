"""The import commands on the real database, through the real roles."""

from __future__ import annotations

import io
import json
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import CommandError, call_command, load_command_class
from django.db import connections

from audit.models import Entry
from gatekeeper.feeds import store as storing
from gatekeeper.feeds import tickets
from gatekeeper.feeds.account_lines import AccountLine
from gatekeeper.feeds.jsonlines import parse
from gatekeeper.feeds.ticket_lines import TicketLine
from gatekeeper.gate.cipher import AccountCipher
from gatekeeper.models import Account, Assignment, Feed, Ticket
from staff.models import Member
from tests.world.importing import PERSON, REFERENCE, account, at, counts, member, opened, run

if TYPE_CHECKING:
    from tests.conftest import Connection

DATA = Path(__file__).parents[1] / "data"

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


class TestAccounts:
    def test_sample_and_again(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert run("accounts", DATA / "accounts.jsonl", tmp_path, capsys) == (counts(new=2000), [], 0)
        assert run("accounts", DATA / "accounts.jsonl", tmp_path, capsys) == (counts(same=2000), [], 0)
        stored = Entry.objects.filter(event="import", details__has_key="stored")
        assert {(one.outcome, one.account) for one in stored} == {("allowed", "")}
        told = [one.details["stored"] for one in stored if one.details]
        assert [sum(one[what] for one in told) for what in ("new", "changed")] == [2000, 0]
        assert sum(one["support"] for one in told) == Account.objects.exclude(support_since=None).count()
        assert len(told) == 4, "one for each batch, and none where nothing was new"
        first, second = Entry.objects.filter(event="import").exclude(pk__in=stored).order_by("id")
        assert first.source.startswith("import_accounts (")
        assert first.details == {"what": "accounts", **counts(new=2000)}
        assert second.details == {"what": "accounts", **counts(same=2000)}
        assert (first.outcome, first.account) == ("allowed", "")

    def test_bad_lines(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """accounts-bad.reasons.txt has what becomes of each line."""
        told = [line.split("\t") for line in (DATA / "accounts-bad.reasons.txt").read_text().splitlines()]
        expected = [
            f"line {number}: {reason}" + ("" if act == "refused" else f" ({act})")
            for number, act, reason in told
            if act in ("refused", "dropped", "mended")
        ]
        taken = [number for number, act, _ in told if act in ("in", "dropped", "mended")]
        acts = Counter(act for _, act, _ in told)
        some = {act: acts[act] for act in ("refused", "dropped", "mended")}
        found, said, status = run("accounts", DATA / "accounts-bad.jsonl", tmp_path, capsys)
        assert (found, status) == (counts(new=len(taken), **some), 1)
        assert sorted(said) == sorted(expected)
        assert Account.objects.count() == len(taken)
        # No text of the file of any length stands in what is said.
        for value in ("Mariusz", "Inna", "4111", "platinum", "HYPERLINK", "example", "MOC-9", "yesterday"):
            assert value not in " ".join(said)
        found, _, status = run("accounts", DATA / "accounts-bad.jsonl", tmp_path, capsys)
        assert (found, status) == (counts(same=len(taken), **some), 1)

    def test_what_stands_where(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], setup_connection: Connection
    ) -> None:
        run("accounts", [account()], tmp_path, capsys)
        stored = Account.objects.get()
        assert stored.filled == [
            "contact.name",
            "contact.email",
            "activity.last_visit_at",
            "activity.settings",
            "support.notes",
        ]
        assert stored.support_since == datetime(2025, 1, 1, tzinfo=UTC)
        assert opened(setup_connection) == {
            "contact.name": "Zuzanna Canaria",
            "contact.email": "zuzanna@canaria.example",
            "activity.last_visit_at": "2025-05-05T23:30:00Z",
            "activity.settings": {"theme": "dark"},
            "support.notes": "one\ntwo",
        }
        dates = setup_connection.execute(
            "SELECT last_used_on::text, contract_ended_on::text FROM vault.account"
        ).fetchone()
        assert dates == ("2025-05-05", None)
        for table in ("gatekeeper_account", "audit_entry", "vault.account"):
            rows = setup_connection.execute(f"SELECT x::text FROM {table} x").fetchall()
            assert rows
            assert "anaria" not in str(rows)

    def test_a_line_is_the_whole_account(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], setup_connection: Connection
    ) -> None:
        run("accounts", [account()], tmp_path, capsys)
        bare = account(1, activity="gone", consent="gone", support="gone", marketing_consent=False)
        assert run("accounts", [bare], tmp_path, capsys)[0] == counts(changed=1)
        stored = Account.objects.get()
        assert stored.filled == ["contact.name", "contact.email", "contact.marketing_consent"]
        assert stored.support_since is None
        assert set(opened(setup_connection)) == set(stored.filled)
        dates = setup_connection.execute("SELECT last_used_on FROM vault.account").fetchone()
        assert dates == (None,)

    def test_older_never_overwrites_newer(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        run("accounts", [account(10, plan="pro")], tmp_path, capsys)
        assert run("accounts", [account(9, plan="free")], tmp_path, capsys)[0] == counts(older=1)
        assert Account.objects.get().plan == "pro"
        # The same again, newer: nothing changed, but what lies between is older now.
        assert run("accounts", [account(20, plan="pro")], tmp_path, capsys)[0] == counts(same=1)
        assert run("accounts", [account(15, plan="free")], tmp_path, capsys)[0] == counts(older=1)

    def test_repeated_in_one_file(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        rows = [account(), account(), account(plan="free"), account(1, plan="free"), account()]
        found, refused, status = run("accounts", rows, tmp_path, capsys)
        assert found == counts(new=1, same=1, refused=1, changed=1, older=1)
        assert (refused, status) == (["line 3: reference: repeated with other data"], 1)

    def test_standard_input(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = tmp_path / "in"
        path.write_text(json.dumps(account()))
        with path.open() as stream:
            monkeypatch.setattr(sys, "stdin", stream)
            assert run("accounts", Path("-"), tmp_path, capsys)[0] == counts(new=1)

    def test_no_such_file(self) -> None:
        with pytest.raises(CommandError, match="cannot be read"):
            call_command("import_accounts", "/nowhere/at/all")

    def test_a_file_that_cannot_be_read_further_ends_with_a_sentence_and_an_entry(self) -> None:
        # The memory of this very process: it opens, and its first read fails.
        with pytest.raises(CommandError, match=r"^The file cannot be read further: .+ is stored; "):
            call_command("import_accounts", "/proc/self/mem")
        entry = Entry.objects.filter(event="import").latest("id")
        assert entry.outcome == "failed"

    def test_run_cut_short_is_recorded_and_resumed(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rows = [account(reference=f"MOC-{50000 + n}") for n in range(700)]
        store, calls = storing.store_accounts, []

        def once(lines: Any, source: str) -> dict[str, str]:
            calls.append(lines)
            if len(calls) > 1:
                raise KeyboardInterrupt
            return store(lines, source)

        monkeypatch.setattr(storing, "store_accounts", once)
        with pytest.raises(KeyboardInterrupt):
            run("accounts", rows, tmp_path, capsys)
        batch, entry = Entry.objects.filter(event="import").order_by("id")
        assert (batch.outcome, (batch.details or {})["stored"]["new"]) == ("allowed", 500)
        assert entry.outcome == "failed"
        assert entry.details == {"what": "accounts", **counts(new=500)}
        monkeypatch.setattr(storing, "store_accounts", store)
        assert run("accounts", rows, tmp_path, capsys)[0] == counts(new=200, same=500)

    def test_another_stored_the_account_meanwhile(
        self, monkeypatch: pytest.MonkeyPatch, setup_connection: Connection
    ) -> None:
        """What was encrypted under a key that is the account's no longer is encrypted again."""
        line = parse(json.dumps(account(5)).encode(), AccountLine)
        other = parse(json.dumps(account(4, plan="free")).encode(), AccountLine)
        ciphers, waiting = storing._ciphers, [other]

        def late(references: set[str]) -> Any:
            found = ciphers(references)
            if waiting:
                storing.store_accounts([waiting.pop()], "test")
            return found

        monkeypatch.setattr(storing, "_ciphers", late)
        assert storing.store_accounts([line], "test") == {REFERENCE: "changed"}
        assert opened(setup_connection)["contact.name"] == "Zuzanna Canaria"


class TestParticipants:
    def test_sample(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        run("accounts", DATA / "accounts.jsonl", tmp_path, capsys)
        sample = DATA / "participants.jsonl"
        assert run("participants", sample, tmp_path, capsys) == (counts(new=6793), [], 0)
        assert run("participants", sample, tmp_path, capsys) == (counts(same=6793), [], 0)
        records = [json.loads(line) for line in sample.open()]
        shown = [line for line in records if line["account"] == "MOC-40017" and not line.get("objected")]
        assert Account.objects.get(reference="MOC-40017").participants == len(shown)

    def test_record(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], setup_connection: Connection
    ) -> None:
        run("accounts", [account()], tmp_path, capsys)
        assert run("participants", [PERSON], tmp_path, capsys)[0] == counts(new=1)
        stored = (
            "SELECT p.ciphertext, p.email_index, p.objected, v.wrapped_key FROM vault.participant p"
            " JOIN vault.account v USING (account_id)"
        )
        row = setup_connection.execute(stored).fetchone()
        assert row
        cipher = AccountCipher.unwrap(REFERENCE, row[3])
        assert cipher.decrypt("participants.1", row[0]) == {
            "role": "speaker",
            "name": "Paweł Canarski",
            "email": "pawel@canaria.example",
        }
        assert cipher.index("Pawel@Canaria.example") == row[1]
        # Who objects is neither shown nor found, and nothing of them is kept.
        assert run("participants", [PERSON | {"objected": True}], tmp_path, capsys)[0] == counts(changed=1)
        row = setup_connection.execute(stored).fetchone()
        assert row
        assert cipher.decrypt("participants.1", row[0]) == {}
        assert (row[1], row[2]) == (None, True)
        assert Account.objects.get().participants == 0

    def test_unknown_and_erased(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        found, refused, status = run("participants", [PERSON], tmp_path, capsys)
        assert (found, refused, status) == (counts(refused=1), ["line 1: account: not known"], 1)
        run("accounts", [account()], tmp_path, capsys)
        storing.erase_account(REFERENCE, "test")
        _, refused, _ = run("participants", [PERSON], tmp_path, capsys)
        assert refused == ["line 1: reference: erased, and barred for ever"]


class TestErasing:
    def test_everything_goes_and_never_comes_back(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], setup_connection: Connection
    ) -> None:
        run("accounts", [account()], tmp_path, capsys)
        run("participants", [PERSON], tmp_path, capsys)
        call_command("erase_account", REFERENCE, "--yes")
        stored = Account.objects.get()
        assert stored.erased_at
        blank = {"plan": "", "language": "", "filled": [], "participants": 0}
        for field in stored._meta.fields:
            if field.name not in ("id", "reference", "erased_at"):
                assert getattr(stored, field.name) == blank.get(field.name), field.name
        for table in ("vault.account", "vault.participant"):
            assert setup_connection.execute(f"SELECT FROM {table}").fetchall() == []
        entry = Entry.objects.get(event="erase")
        assert (entry.account, entry.details) == (
            REFERENCE,
            {"leaves": [], "reason": "account_erased", "participants": 1},
        )
        assert entry.source.startswith("erase_account (")
        capsys.readouterr()
        _, refused, status = run("accounts", [account(60)], tmp_path, capsys)
        assert (refused, status) == (["line 1: reference: erased, and barred for ever"], 1)
        assert setup_connection.execute("SELECT FROM vault.account").fetchall() == []
        assert storing.erase_account(REFERENCE, "test") == "already"
        assert Entry.objects.filter(event="erase").count() == 1

    def test_unknown_account_is_barred_by_the_platform_alone(self) -> None:
        with pytest.raises(CommandError, match="no such account"):
            call_command("erase_account", REFERENCE, "--yes")
        assert storing.erase_account(REFERENCE, "platform") == "barred"
        assert Account.objects.get().erased_at

    def test_asks(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run("accounts", [account()], tmp_path, capsys)
        monkeypatch.setattr("builtins.input", lambda _: "yes")
        with pytest.raises(CommandError, match="Nothing was erased"):
            call_command("erase_account", REFERENCE)
        monkeypatch.setattr("builtins.input", lambda _: REFERENCE)
        call_command("erase_account", REFERENCE)
        assert Account.objects.get().erased_at


@pytest.mark.parametrize(
    "command",
    [
        ("erase_account", REFERENCE),
        ("restrict_account", REFERENCE),
        ("remove_participant", f"{REFERENCE}-P1"),
    ],
)
def test_where_nobody_can_be_asked_the_way_on_is_said(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    command: tuple[str, str],
) -> None:
    """By cron, say: no trace of the program."""
    run("accounts", [account()], tmp_path, capsys)
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    with pytest.raises(CommandError, match="nobody can be asked"):
        call_command(*command)
    assert Account.objects.get().erased_at is None


@pytest.mark.parametrize(
    ("command", "reference"),
    [
        *(("erase_account", REFERENCE), ("restrict_account", REFERENCE)),
        ("remove_participant", f"{REFERENCE}-P1"),
    ],
)
def test_nobody_is_asked_about_what_is_not_here(
    monkeypatch: pytest.MonkeyPatch, command: str, reference: str
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))  # whoever asks fails with other words
    with pytest.raises(CommandError, match="There is no such"):
        call_command(command, reference)


@pytest.mark.parametrize("command", ["tidy", "send_mail", "detect", "seal_log", "stream_log"])
@pytest.mark.parametrize("every", ["-1", "0", "nan", "inf", "1e300", "x"])
def test_a_time_between_two_runs_that_cannot_be_is_refused_before_the_first(command: str, every: str) -> None:
    with pytest.raises(CommandError, match="to 86400 seconds"):
        call_command(command, f"--every={every}")


class TestRestricting:
    def test_no_import_lifts_ours_and_we_do_not_lift_theirs(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def restricted() -> bool:
            return Account.objects.get().restricted_at is not None

        run("accounts", [account()], tmp_path, capsys)
        call_command("restrict_account", REFERENCE, "--yes")
        assert restricted()
        entry = Entry.objects.get(event="change")
        assert (entry.account, entry.details) == (REFERENCE, {"restricted": [False, True]})
        capsys.readouterr()
        run("accounts", [account(1, plan="free")], tmp_path, capsys)
        assert restricted(), "no import lifts it"
        run("accounts", [account(2, restricted_at="2026-01-01T00:00:00Z")], tmp_path, capsys)
        call_command("restrict_account", REFERENCE, "--lift", "--yes")
        assert restricted(), "the platform's own stands"
        capsys.readouterr()
        run("accounts", [account(3)], tmp_path, capsys)
        assert not restricted()
        assert storing.restrict_account(REFERENCE, "test", restrict=False) == "same"

    def test_unknown(self) -> None:
        with pytest.raises(CommandError, match="no such account"):
            call_command("restrict_account", REFERENCE, "--yes")


class TestStaff:
    def test_sample(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert run("staff", DATA / "staff.jsonl", tmp_path, capsys) == (counts(new=14), [], 0)
        assert run("staff", DATA / "staff.jsonl", tmp_path, capsys) == (counts(same=14), [], 0)
        # K-0020 stands below K-0193 in the file.
        assert Member.objects.get(number="K-0193").manager == Member.objects.get(number="K-0020")
        assert Entry.objects.filter(event="change").count() == 14
        assert Entry.objects.filter(event="import").count() == 2

    def test_refused(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        line = {"number": "K-1000", "name": "A", "email": "a@example.com", "roles": ["consultant"]}
        rows = [
            line,
            line | {"number": "K-1001"},
            line | {"number": "K-1002", "email": "b@example.com", "manager": "K-9999"},
            line | {"number": "K-1003", "email": "c@example.com", "roles": ["reviewer", "people"]},
        ]
        found, refused, status = run("staff", rows, tmp_path, capsys)
        assert (found, status) == (counts(new=1, refused=3), 1)
        assert sorted(refused) == [
            "line 2: email: another member's",
            "line 3: manager: not known, or stands below",
            "line 4: line: roles that do not combine",
        ]


def ticket(minutes: int = 0, **changes: Any) -> dict[str, Any]:
    return {
        "number": "ZD-1",
        "kind": "support",
        "accounts": [REFERENCE],
        "state": "open",
        "assignee": "K-1000",
        "updated_at": at(minutes),
    } | changes


class TestTickets:
    @pytest.fixture(autouse=True)
    def _members(self, setup_connection: Connection) -> None:
        self.one = member("K-1000", setup_connection)
        self.two = member("K-2000", setup_connection)

    def apply(self, *rows: dict[str, Any]) -> list[str]:
        return [
            tickets.apply([parse(json.dumps(row).encode(), TicketLine)], "helpdesk")[row["number"]]
            for row in rows
        ]

    def running(self) -> list[tuple[int, list[str]]]:
        return [(a.member_id, a.accounts) for a in Assignment.objects.filter(ended_at__isnull=True)]

    def test_sample(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        run("staff", DATA / "staff.jsonl", tmp_path, capsys)
        before = datetime.now(UTC)
        assert run("tickets", DATA / "tickets.jsonl", tmp_path, capsys) == (counts(new=400), [], 0)
        assert Feed.objects.filter(name="tickets", contact_at__gt=before).exists()
        entries = Entry.objects.count()
        assert run("tickets", DATA / "tickets.jsonl", tmp_path, capsys) == (counts(same=400), [], 0)
        assert Entry.objects.count() == entries + 1, "the run's own"
        open_and_assigned = Ticket.objects.filter(state__in=["open", "pending"], assignee__isnull=False)
        assert Assignment.objects.filter(ended_at__isnull=True).count() == open_and_assigned.count() > 200
        assert Entry.objects.filter(event="change").exclude(ticket="").count() == 400

    def test_life_of_an_assignment(self) -> None:
        self.apply(ticket(0))
        assert self.running() == [(self.one, [REFERENCE])]
        first = Assignment.objects.get()
        self.apply(ticket(1, state="pending"))
        assert Assignment.objects.get(ended_at__isnull=True) == first, "pending is open"
        self.apply(ticket(2, assignee="K-2000"))
        assert self.running() == [(self.two, [REFERENCE])]
        self.apply(ticket(3, assignee="K-2000", accounts=["MOC-40000"]))
        assert self.running() == [(self.two, ["MOC-40000"])]
        self.apply(ticket(4, state="solved"))
        assert self.running() == []
        self.apply(ticket(5))
        assert self.running() == [(self.one, [REFERENCE])]
        assert Assignment.objects.get(ended_at__isnull=True) != first, "what ended stays ended"
        assert Assignment.objects.count() == 4
        self.apply(ticket(6, assignee=None))
        assert self.running() == []

    @pytest.mark.parametrize("state", ["solved", "closed", "hold", "unusable", "something-new"])
    def test_all_else_is_closed(self, state: str) -> None:
        self.apply(ticket(0), ticket(1, state=state))
        assert self.running() == []
        assert not Ticket.objects.get().is_open

    @pytest.mark.parametrize(
        ("assignee", "whose"),
        [
            ("K-1000", "one"),
            ("K-1000@EXAMPLE.com", "one"),
            ("K-9999", ""),
            ("nobody@else.where", ""),
            (None, ""),
        ],
    )
    def test_assignee(self, assignee: str | None, whose: str) -> None:
        self.apply(ticket(0, assignee=assignee))
        assert [m for m, _ in self.running()] == ([self.one] if whose else [])
        assert Ticket.objects.get().assignee_id == (self.one if whose else None)

    def test_entries_name_what_changed(self) -> None:
        self.apply(ticket(0), ticket(1), ticket(2, state="solved"), ticket(3, assignee="K-2000"))
        entries = [(e, e.details or {}) for e in Entry.objects.filter(event="change").order_by("id")]
        moments = [datetime.fromisoformat(details.pop("told_at")) for _entry, details in entries]
        assert moments == [datetime.fromisoformat(at(minutes)) for minutes in (0, 2, 3)]
        told = [(entry.ticket, entry.source, details) for entry, details in entries]
        assert told == [
            (
                "ZD-1",
                "helpdesk",
                {"state": [None, "open"], "assignee": [None, "K-1000"], "accounts": [[], [REFERENCE]]},
            ),
            ("ZD-1", "helpdesk", {"state": ["open", "solved"]}),
            ("ZD-1", "helpdesk", {"state": ["solved", "open"], "assignee": ["K-1000", "K-2000"]}),
        ]

    def test_a_change_of_kind_is_told_for_access_rests_on_it(self) -> None:
        self.apply(ticket(0), ticket(1, kind="privacy"))
        [_new, changed] = Entry.objects.filter(event="change").order_by("id")
        assert (changed.details or {})["kind"] == ["support", "privacy"]
        assert (changed.ticket, changed.ticket_kind, changed.ticket_state) == ("ZD-1", "privacy", "open")

    def test_older_never_overwrites_newer(self) -> None:
        assert self.apply(ticket(5, state="solved"), ticket(4)) == ["new", "older"]
        assert Ticket.objects.get().state == "solved"
        assert self.apply(ticket(6, state="solved"), ticket(5)) == ["same", "older"]

    def test_time_ahead_is_unusable(self) -> None:
        soon = (datetime.now(UTC) + timedelta(minutes=6)).isoformat()
        assert self.apply(ticket(updated_at=soon)) == ["future"]
        assert not Ticket.objects.exists()
        self.apply(ticket(0))
        assert self.apply(ticket(updated_at=soon)) == ["future"]
        assert Ticket.objects.get().state == "unusable"
        assert self.running() == []
        within = (datetime.now(UTC) + timedelta(minutes=4)).isoformat()
        assert self.apply(ticket(updated_at=within)) == ["changed"]
        assert self.running() == [(self.one, [REFERENCE])]

    def test_unusable_line_shuts_the_ticket(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.apply(ticket(0))
        bad = ticket(1, accounts=["nonsense"])
        found, refused, status = run("tickets", [bad], tmp_path, capsys)
        assert (found, refused, status) == (counts(refused=1), ["line 1: accounts: not of its form"], 1)
        blocked = Ticket.objects.get()
        assert (blocked.state, self.running()) == ("unusable", [])
        entry = Entry.objects.filter(event="change").exclude(ticket="").latest("id")
        assert entry.details == {"state": ["open", "unusable"]}
        assert self.apply(ticket(0)) == ["older"], "an older one does not open it again"
        assert self.apply(ticket(1)) == ["changed"], "a usable one does"
        assert self.running() == [(self.one, [REFERENCE])]

    def test_shutting_what_is_closed_or_unknown(self) -> None:
        self.apply(ticket(0, state="solved"))
        assert tickets.block_named(b'{"number": "ZD-1"} {"number": "ZD-99"}', None, "test") == ["ZD-1"]
        assert Ticket.objects.get().state == "solved"
        assert not Ticket.objects.filter(number="ZD-99").exists()

    def test_concurrent_batches_do_not_deadlock_or_lose(self, tmp_path: Path) -> None:
        def feed(start: int) -> None:
            for minute in range(start, start + 10):
                self.apply(*[ticket(minute, number=f"ZD-{n}") for n in range(5)])
            connections.close_all()

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(feed, (0, 3, 6, 9)))
        assert Ticket.objects.count() == 5
        newest = {t.updated_at.isoformat() for t in Ticket.objects.all()}
        assert newest == {datetime.fromisoformat(at(18)).isoformat()}


def test_help_names_file_and_dash() -> None:
    for what in ("accounts", "participants", "tickets", "staff"):
        command = load_command_class("gatekeeper", f"import_{what}")
        text = io.StringIO()
        command.create_parser("manage.py", f"import_{what}").print_help(text)
        assert "FILE" in text.getvalue()
        assert "- for standard input" in text.getvalue()
