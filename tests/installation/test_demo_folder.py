"""The demo's folder and port: what cannot be meant is said, and a reset deletes a demo alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gatekeeper.demo.helpdesk import what_became
from gatekeeper.demo.run import home_of

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
