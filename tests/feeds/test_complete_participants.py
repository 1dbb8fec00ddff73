"""A complete list of participants removes whom it lacks; one is removed by reference alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import CommandError, call_command

from audit.models import Entry
from gatekeeper.feeds import complete
from gatekeeper.models import Account
from tests.world.importing import PERSON, REFERENCE, account, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Connection

OTHER = "MOC-50001"

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


def person(number: int, of: str = REFERENCE, **changes: Any) -> dict[str, Any]:
    return PERSON | {"account": of, "reference": f"{of}-P{number}"} | changes


ALL = [person(n) for n in range(1, 13)] + [person(1, OTHER), person(2, OTHER)]


@pytest.fixture
def take(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[str, str, int]]:
    """Twelve participants of one account, two of another. Run the import; what it said, and its status."""
    run("accounts", [account(0), account(0, reference=OTHER)], tmp_path, capsys)
    run("participants", ALL, tmp_path, capsys)

    def run_it(rows: list[dict[str, Any]] | bytes, *options: str) -> tuple[str, str, int]:
        path = tmp_path / "participants.jsonl"
        raw = rows if isinstance(rows, bytes) else "".join(json.dumps(row) + "\n" for row in rows).encode()
        path.write_bytes(raw)
        status = 0
        try:
            call_command("import_participants", str(path), *options)
        except SystemExit as stopped:
            status = int(str(stopped.code))
        out, err = capsys.readouterr()
        return out, err, status

    return run_it


def here(setup: Connection) -> list[str]:
    rows = setup.execute(
        "SELECT a.reference || '-P' || p.number FROM vault.participant p"
        " JOIN gatekeeper_account a ON a.id = p.account_id ORDER BY a.reference, p.number"
    ).fetchall()
    setup.commit()
    return [row[0] for row in rows]


def test_without_it_whoever_is_missing_stays(take: Callable[..., Any], setup_connection: Connection) -> None:
    take(ALL[1:])
    assert len(here(setup_connection)) == 14


def test_who_is_missing_is_shown_first_and_removed_then(
    take: Callable[..., Any], setup_connection: Connection
) -> None:
    rest = [ALL[0], *ALL[3:]]
    out, _err, _status = take(rest, "--complete", "--dry-run")
    assert out == f"missing: 2 of 14 participants would be removed: {REFERENCE}-P2, {REFERENCE}-P3\n"
    with pytest.raises(CommandError, match="nobody can be asked"):
        take(rest, "--complete")
    assert len(here(setup_connection)) == 14
    out, _err, status = take(rest, "--complete", "--yes")
    assert (out.splitlines()[-2], status) == ("missing: 2 removed", 0)
    assert here(setup_connection) == sorted(
        (row["reference"] for row in rest), key=lambda r: (r[:9], int(r[11:]))
    )
    assert Account.objects.get(reference=REFERENCE).participants == 10
    entry = Entry.objects.filter(event="change").latest("id")
    assert (entry.account, entry.details) == (REFERENCE, {"removed": [2, 3]})
    assert entry.source.startswith("import_participants --complete")


def test_of_one_account(take: Callable[..., Any], setup_connection: Connection) -> None:
    take(ALL[:11], "--complete", "--account", REFERENCE, "--yes")
    assert len(here(setup_connection)) == 13
    assert f"{OTHER}-P1" in here(setup_connection)
    with pytest.raises(CommandError, match="no such account"):
        take(ALL, "--complete", "--account", "MOC-99999", "--yes")


@pytest.mark.parametrize("raw", [b"", b"\n\n", b"nothing\n", b"[]\n"])
def test_an_empty_file_removes_nobody(
    take: Callable[..., Any], setup_connection: Connection, raw: bytes
) -> None:
    with pytest.raises(CommandError, match=r"Nothing was closed.*--closes 14"):
        take(raw, "--complete", "--yes")
    with pytest.raises(CommandError, match="14 are missing, not 13"):
        take(raw, "--complete", "--closes", "13")
    assert len(here(setup_connection)) == 14
    take(raw, "--complete", "--closes", "14")
    assert here(setup_connection) == []


def test_far_too_few(take: Callable[..., Any], setup_connection: Connection) -> None:
    assert complete.is_implausible(missing=11, held=14, is_empty=False)
    with pytest.raises(CommandError, match="--closes 11"):
        take(ALL[:3], "--complete", "--yes")
    assert len(here(setup_connection)) == 14


@pytest.mark.parametrize("option", ["--yes", "--dry-run"])
def test_a_file_cut_short_removes_nobody(
    take: Callable[..., Any], setup_connection: Connection, option: str
) -> None:
    raw = "".join(json.dumps(row) + "\n" for row in ALL[:-1]).encode()[:-9]
    with pytest.raises(CommandError, match="middle of a line"):
        take(raw, "--complete", option)
    assert len(here(setup_connection)) == 14


def test_who_is_named_by_a_line_that_is_refused_is_not_missing(
    take: Callable[..., Any], setup_connection: Connection
) -> None:
    rows = [*ALL[:-1], ALL[-1] | {"account": "MOC-1"}]
    out, _err, status = take(rows, "--complete", "--yes")
    assert ("missing: 0 of 14" in out, status) == (True, 1)
    assert len(here(setup_connection)) == 14


def test_an_objection_is_not_forgotten(take: Callable[..., Any], setup_connection: Connection) -> None:
    take([person(1, objected=True)])
    assert "missing: 1 of 13" in take([*ALL[2:]], "--complete", "--yes")[0]
    assert f"{REFERENCE}-P1" in here(setup_connection)
    with pytest.raises(CommandError, match="no such record"):
        call_command("remove_participant", f"{REFERENCE}-P1", "--yes")


def test_options_that_need_it(take: Callable[..., Any]) -> None:
    for options in (["--yes"], ["--dry-run"], ["--closes", "1"], ["--account", REFERENCE]):
        with pytest.raises(CommandError, match="go with --complete"):
            take(ALL, *options)


class TestOne:
    def test_by_reference(
        self, take: Callable[..., Any], setup_connection: Connection, capsys: pytest.CaptureFixture[str]
    ) -> None:
        call_command("remove_participant", f"{REFERENCE}-P5", "--yes")
        assert capsys.readouterr().out == f"{REFERENCE}-P5 is removed.\n"
        assert f"{REFERENCE}-P5" not in here(setup_connection)
        assert Account.objects.get(reference=REFERENCE).participants == 11
        entry = Entry.objects.latest("id")
        assert (entry.event, entry.account, entry.details) == ("change", REFERENCE, {"removed": [5]})
        with pytest.raises(CommandError, match="no such record"):
            call_command("remove_participant", f"{REFERENCE}-P5", "--yes")

    def test_asks(
        self, take: Callable[..., Any], setup_connection: Connection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("builtins.input", lambda _: "yes")
        with pytest.raises(CommandError, match="Nothing was removed"):
            call_command("remove_participant", f"{REFERENCE}-P5")
        assert len(here(setup_connection)) == 14

    @pytest.mark.parametrize("reference", [REFERENCE, f"{REFERENCE}-P0", "x", f"{REFERENCE}-P1\n"])
    def test_no_reference(self, take: Callable[..., Any], reference: str) -> None:
        with pytest.raises(CommandError, match="no participant's reference"):
            call_command("remove_participant", reference, "--yes")
