"""Programs that some tests need and the machine may lack: such tests are left out; under CI they fail."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from tests.world.desks import CHROMIUM

_TLOG: Final = Path("/usr/share/gocode/src/golang.org/x/mod/sumdb/tlog")


class Program(NamedTuple):
    """`left_out`: what is not tested without it."""

    name: str
    package: str
    left_out: str

    @property
    def is_here(self) -> bool:
        """Whether this machine has it."""
        if self.name == "Chromium":
            return Path(CHROMIUM).exists()
        return shutil.which(self.name) is not None and (self.name != "go" or _TLOG.exists())


PROGRAMS: Final = {
    program.name: program
    for program in (
        Program("Chromium", "chromium", "pages in a browser"),
        Program("pdfsig", "poppler-utils", "PDFs as other tools see them"),
        Program("go", "golang-go golang-golang-x-mod-dev", "the log's proofs by Go's library"),
        Program("jq", "jq", "the helpdesk's digest in shell"),
        Program("soffice", "libreoffice-calc-nogui", "CSV files in LibreOffice"),
    )
}


def left_out(name: str) -> bool:
    """Whether tests that need it are left out: it is missing, and this is no run that must be whole."""
    return "CI" not in os.environ and not PROGRAMS[name].is_here


def need(name: str) -> None:
    """Leave the running test out where it cannot be run."""
    if left_out(name):
        pytest.skip(f"{name} is missing: apt-get install {PROGRAMS[name].package}")


def header() -> list[str]:
    """One line for the start of a run: what is missing, what that leaves out, and how to get it."""
    missing = [program for program in PROGRAMS.values() if not program.is_here]
    if not missing:
        return []
    becomes = "fails" if "CI" in os.environ else "is left out"
    told = "; ".join(f"{program.name} ({program.left_out})" for program in missing)
    packages = " ".join(program.package for program in missing)
    return [f"missing, so what needs it {becomes}: {told}. As root: apt-get install {packages}"]
