"""A run says at its start which programs are missing, and what that leaves out."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.world import programs
from tests.world.serving import PROJECT


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without any of them."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(programs, "CHROMIUM", str(tmp_path / "chromium"))


@pytest.mark.usefixtures("bare")
def test_one_line_names_each_with_what_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    [line] = programs.header()
    assert "\n" not in line
    assert "is left out" in line
    for program in programs.PROGRAMS.values():
        assert f"{program.name} ({program.left_out})" in line
        assert program.package in line.partition("apt-get install ")[2]
        assert programs.left_out(program.name)
        with pytest.raises(pytest.skip.Exception, match=program.package):
            programs.need(program.name)
    monkeypatch.setenv("CI", "true")
    assert "fails" in programs.header()[0]
    assert not any(map(programs.left_out, programs.PROGRAMS))


def test_what_is_there_is_not_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("pdfsig", "jq", "soffice", "go"):
        (tmp_path / name).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(programs, "CHROMIUM", str(tmp_path / "jq"))
    monkeypatch.setattr(programs, "_TLOG", tmp_path)
    assert programs.header() == []
    (tmp_path / "pdfsig").unlink()
    assert "pdfsig" in programs.header()[0]
    assert "Chromium" not in programs.header()[0]


def test_a_run_begins_with_it(tmp_path: Path) -> None:
    """As `make test` starts it, on a machine with nothing but Python on its path."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "CI"))}
    command = [sys.executable, "-m", "pytest", "--collect-only", "-p", "no:cacheprovider", __file__]
    run = subprocess.run(
        command,
        cwd=PROJECT,
        env=variables | {"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    before, _, _after = run.stdout.partition("collected")
    [line] = [
        line for line in before.splitlines() if line.startswith("missing, so what needs it is left out: ")
    ]
    assert "pdfsig (PDFs as other tools see them)" in line
    assert "go (" in line
