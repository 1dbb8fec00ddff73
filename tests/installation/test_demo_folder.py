"""The demo's folder and port: what cannot be meant is said, and a reset deletes a demo alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from gatekeeper.demo.helpdesk import what_became
from gatekeeper.demo.home import LASTING, MAKERS, Home, home_of
from gatekeeper.installation import roles

pytestmark = pytest.mark.slow

PROJECT = next(folder for folder in Path(__file__).resolve().parents if (folder / "manage.py").exists())


def demo(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GATEKEEPER_")}
    return subprocess.run(
        [sys.executable, "-m", "gatekeeper.demo", *arguments],
        cwd=PROJECT,
        env=kept | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def is_refused(run: subprocess.CompletedProcess[str], sentence: str) -> None:
    assert run.returncode == 1
    assert sentence in run.stderr
    assert "Traceback" not in run.stderr
    assert len(run.stderr.splitlines()) == 1


@pytest.mark.parametrize("folder", [".", "..", "/", str(Path.home()), str(PROJECT), str(PROJECT.parent)])
@pytest.mark.parametrize("command", [[], ["reset"]], ids=["run", "reset"])
def test_a_folder_that_is_not_the_demos_alone_is_refused(command: list[str], folder: str) -> None:
    is_refused(demo(*command, GATEKEEPER_DATA_DIR=folder), "is not the demo's alone")
    assert (PROJECT / "manage.py").exists()


def test_an_empty_setting_means_the_usual_folder() -> None:
    assert home_of("") == PROJECT / ".gatekeeper-demo"


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept")
    is_refused(demo(GATEKEEPER_DATA_DIR=str(tmp_path / "file")), "is a file")
    assert (tmp_path / "file").read_text() == "kept"


def test_a_folder_that_cannot_be_made_is_said() -> None:
    is_refused(demo(GATEKEEPER_DATA_DIR="/dev/null/below"), "cannot be made")


def test_a_folder_with_a_line_break_is_said(tmp_path: Path) -> None:
    is_refused(demo(GATEKEEPER_DATA_DIR=f"{tmp_path}/new\nline"), "no line breaks")
    assert not list(tmp_path.iterdir())


def test_a_folder_with_other_things_is_neither_taken_nor_deleted(tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    is_refused(demo(GATEKEEPER_DATA_DIR=str(tmp_path)), "holds other things")
    is_refused(demo("reset", GATEKEEPER_DATA_DIR=str(tmp_path)), "There is no demo")
    assert [path.name for path in tmp_path.iterdir()] == ["letters"]


def test_a_reset_deletes_what_a_demo_made_and_nothing_else(tmp_path: Path) -> None:
    home = tmp_path / "demo"
    for name in ("postgres", "checkpoints", "static", "mine"):
        (home / name).mkdir(parents=True)
    for name in ("secrets.json", "loaded", "port"):
        (home / name).touch()
    run = demo("reset", GATEKEEPER_DATA_DIR=str(home))
    assert run.returncode == 0
    assert "What no demo made was left in" in run.stdout
    assert [path.name for path in home.iterdir()] == ["mine"]

    (home / "mine").rmdir()
    (home / "secrets.json").touch()
    assert demo("reset", GATEKEEPER_DATA_DIR=str(home)).returncode == 0
    assert not home.exists()


@pytest.fixture(scope="module")
def secrets() -> dict[str, str]:
    return {name: make() for name, make in MAKERS.items()}


#: What a file of secrets may be after a kill, a full disk or a hand that did not mean it.
CUT = {
    "empty": "",
    "cut off": '{"SECRET_KEY": "',
    "no JSON": "SECRET_KEY=x",
    "no names": "[]",
    "no text": '{"KEY_RING": 1}',
    "an empty text": '{"KEY_RING": ""}',
    "nothing in it": "{}",
}


@pytest.mark.parametrize("text", CUT.values(), ids=CUT)
def test_damaged_secrets_are_named_with_the_next_step(tmp_path: Path, text: str) -> None:
    home = tmp_path / "demo"
    home.mkdir()
    (home / "secrets.json").write_text(text)
    is_damaged(home, "secrets.json")
    assert (home / "secrets.json").read_text() == text
    assert demo("reset", GATEKEEPER_DATA_DIR=str(home)).returncode == 0
    assert not home.exists()


@pytest.mark.parametrize("name", LASTING)
def test_what_the_data_rest_on_is_never_made_anew(tmp_path: Path, secrets: dict[str, str], name: str) -> None:
    keep(tmp_path, {key: value for key, value in secrets.items() if key != name})
    assert f"it lacks {name}" in is_damaged(tmp_path, "secrets.json")


@pytest.mark.parametrize("name", [name for name in MAKERS if name.isupper()])
def test_a_secret_that_cannot_be_used_is_named(tmp_path: Path, secrets: dict[str, str], name: str) -> None:
    keep(tmp_path, secrets | {name: "cut"})
    said = is_damaged(tmp_path, "secrets.json")
    assert name in said
    assert "cut" not in said


@pytest.mark.parametrize("value", ["", 1, None], ids=["empty", "number", "nothing"])
def test_a_password_that_is_none_is_damage(tmp_path: Path, secrets: dict[str, str], value: object) -> None:
    keep(tmp_path, secrets | {roles.WEB: value})
    is_damaged(tmp_path, "secrets.json")


def test_secrets_that_are_no_text_of_ours_are_named(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_bytes(b"\xff\xfe")
    is_damaged(tmp_path, "secrets.json")
    (tmp_path / "secrets.json").unlink()
    (tmp_path / "secrets.json").mkdir()
    is_damaged(tmp_path, "secrets.json")


def test_anothers_secrets_are_neither_used_nor_deleted(tmp_path: Path) -> None:
    keep(tmp_path, {"token": "precious"})
    is_refused(demo(GATEKEEPER_DATA_DIR=str(tmp_path)), "holds other things")
    is_refused(demo("reset", GATEKEEPER_DATA_DIR=str(tmp_path)), "There is no demo")
    assert "precious" in (tmp_path / "secrets.json").read_text()


@pytest.mark.parametrize("name", ["loaded", "port", "secrets.new"])
def test_a_folder_in_a_files_place_is_named(tmp_path: Path, secrets: dict[str, str], name: str) -> None:
    keep(tmp_path, secrets)
    (tmp_path / name).mkdir()
    is_damaged(tmp_path, name)


@pytest.mark.parametrize("name", ["postgres", "checkpoints", "static"])
def test_a_file_in_a_folders_place_is_named(tmp_path: Path, secrets: dict[str, str], name: str) -> None:
    home = tmp_path / "demo"
    keep(home, secrets)
    (home / name).touch()
    is_damaged(home, name)
    assert demo("reset", GATEKEEPER_DATA_DIR=str(home)).returncode == 0
    assert not home.exists()


def test_a_demo_that_was_killed_while_it_wrote_its_secrets_is_a_demo(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "secrets.new").write_text("{")
    home = Home(str(tmp_path / "demo"))
    assert home.is_a_demos
    home.take()
    assert home.secrets().keys() == MAKERS.keys()
    assert [path.name for path in home.folder.iterdir()] == ["secrets.json"]


def test_a_link_in_the_folder_is_deleted_and_what_it_leads_to_is_not(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    keep(tmp_path / "demo", {})
    (tmp_path / "demo" / "static").symlink_to(tmp_path / "precious")
    assert demo("reset", GATEKEEPER_DATA_DIR=str(tmp_path / "demo")).returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]


def test_a_secret_that_a_new_version_wants_is_added(tmp_path: Path, secrets: dict[str, str]) -> None:
    keep(tmp_path, {name: value for name, value in secrets.items() if name != "TICKETS_SECRET"})
    found = Home(str(tmp_path)).secrets()
    assert found == secrets | {"TICKETS_SECRET": found["TICKETS_SECRET"]}


@pytest.mark.parametrize("text", ["", "80", "many", "8e3"], ids=["empty", "whole", "words", "odd"])
def test_a_damaged_port_is_named_and_a_whole_one_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    home = Home(str(tmp_path))
    assert home.port() is None
    (tmp_path / "port").write_text(text)
    if text.isdigit():
        assert home.port() == int(text)
        return
    with pytest.raises(SystemExit) as ended:
        home.port()
    assert ended.value.code == 1
    assert "port is damaged" in capsys.readouterr().err


@pytest.mark.parametrize(
    "name", ["file/demo", "a" * 300, "line\nbreak"], ids=["below a file", "long", "break"]
)
def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    is_refused(demo(GATEKEEPER_DATA_DIR=str(tmp_path / name)), "GATEKEEPER_DATA_DIR")


def keep(home: Path, secrets: Mapping[str, object]) -> None:
    home.mkdir(exist_ok=True)
    (home / "secrets.json").write_text(json.dumps(secrets))


def is_damaged(home: Path, name: str) -> str:
    """Starting the demo names the file, and how to start afresh; what it says."""
    run = demo(GATEKEEPER_DATA_DIR=str(home))
    is_refused(run, f"{home / name} is damaged: ")
    assert "make demo-reset" in run.stderr
    return run.stderr


def test_a_terminal_without_our_letters_sees_their_numbers() -> None:
    is_refused(demo(GATEKEEPER_DATA_DIR="/ū/..", PYTHONIOENCODING="ascii"), "is not the demo's alone")
    unusual = demo("code", "ū", GATEKEEPER_DATA_DIR=".gatekeeper-\u016b", PYTHONIOENCODING="ascii")
    assert "Traceback" not in unusual.stderr
    assert "The demo does not run" in unusual.stderr


@pytest.mark.parametrize("port", ["abc", "0", "-1", "65536", "99999", "8000 ", "٨٠٠٠"])
def test_a_port_that_is_none_is_said_before_anything_starts(tmp_path: Path, port: str) -> None:
    home = tmp_path / "demo"
    is_refused(demo(GATEKEEPER_DATA_DIR=str(home), PORT=port), "PORT is a number from 1 to 65535.")
    assert not home.exists()


def test_a_ticket_is_said_to_be_what_the_application_made_of_it() -> None:
    assert what_became("ZD-1", "solved", '{"outcome": "changed"}') == "ZD-1 is solved now."
    closed = '{"outcome": "changed", "remarks": ["state: a word that is not known, so it is closed"]}'
    assert what_became("ZD-1", "foo", closed) == "ZD-1: state: a word that is not known, so it is closed."
