"""Templates lie and read as the modules do; which room they may know is test_arrows' matter."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS: Final = ("gatekeeper", "staff", "audit")
#: Folders of gatekeeper's templates from the front to the back: nobody includes what stands before them.
FEATURES: Final = (("pages",), ("reviews", "reports"), ("access",), ("log",), ("gate",))
#: As `make format` writes pages (pyproject.toml). In a mail a trimmed block is one line when it is sent.
LONGEST: Final = 160
TEMPLATES: Final = sorted(
    path for room in ROOMS for path in (ROOT / room / "templates").rglob("*") if path.is_file()
)


def room_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0]


def templates_named(text: str) -> set[str]:
    """The templates that a text extends, includes or fills."""
    return set(re.findall(r"""\{% *(?:extends|include|fill) +["']([^"']+)""", text))


@pytest.mark.parametrize("place", range(1, len(FEATURES)))
def test_inside_gatekeeper_no_template_includes_what_stands_before_it(place: int) -> None:
    before = {name for names in FEATURES[:place] for name in names}
    wrong = {
        (str(path.relative_to(ROOT)), name)
        for path in TEMPLATES
        if room_of(path) == "gatekeeper" and feature_of(path) in FEATURES[place]
        for name in templates_named(path.read_text("utf-8"))
        if name.startswith("gatekeeper/") and name.split("/")[1] in before
    }
    assert not wrong


def feature_of(path: Path) -> str:
    """The folder in which a room's template lies."""
    return path.relative_to(ROOT / room_of(path) / "templates" / room_of(path)).parts[0]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_template_lies_in_a_folder_named_after_a_feature(path: Path) -> None:
    assert feature_of(path) in ("mail", "links") or (ROOT / room_of(path) / feature_of(path)).is_dir()


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_line_of_a_template_is_longer_than_a_person_reads(path: Path) -> None:
    assert [line for line in path.read_text("utf-8").split("\n") if len(line) > LONGEST] == []
