"""Templates stand as the modules do: a room's pages know its own and those of the rooms below."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest
from django.template import engines
from django.template.backends.django import DjangoTemplates
from django.urls import URLPattern, get_resolver

ROOT = Path(__file__).resolve().parents[2]
#: What each room's templates may know.
ALLOWED: Final = {
    "audit": {"audit"},
    "staff": {"staff", "audit"},
    "gatekeeper": {"gatekeeper", "staff", "audit"},
}
#: Folders of gatekeeper's templates from the front to the back: nobody includes what stands before them.
FEATURES: Final = (("pages",), ("reviews", "reports"), ("access",), ("log",), ("gate",))
#: As `make format` writes them (pyproject.toml).
LONGEST: Final = 160
TEMPLATES: Final = sorted(
    path for room in ALLOWED for path in (ROOT / room / "templates").rglob("*") if path.is_file()
)


def room_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0]


def templates_named(text: str) -> set[str]:
    """The templates that a text extends, includes or fills."""
    return set(re.findall(r"""\{% *(?:extends|include|fill) +["']([^"']+)""", text))


def libraries_loaded(text: str) -> set[str]:
    """The modules of the tags and filters that a text loads."""
    engine = engines["django"]
    assert isinstance(engine, DjangoTemplates)
    names = " ".join(re.findall(r"\{% *load +([^%]+?) *%\}", text)).split()
    return {engine.engine.libraries[name] for name in names}


def views_named(text: str) -> set[str]:
    """The modules of the views whose addresses a text names."""
    patterns = [one for one in get_resolver().url_patterns if isinstance(one, URLPattern)]
    views = {one.name: one.callback.__module__ for one in patterns}
    return {views[name] for name in re.findall(r"""\{% *url +["'](\w+)""", text)}


def is_ours(name: str) -> bool:
    return re.split(r"[./]", name)[0] in ALLOWED


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_template_names_only_its_own_room_and_those_below(path: Path) -> None:
    text = path.read_text("utf-8")
    statics = set(re.findall(r"""\{% *static +["']([^"']+)""", text))
    named = templates_named(text) | libraries_loaded(text) | views_named(text) | statics
    wrong = {name for name in named if is_ours(name)} - {
        name for name in named if re.split(r"[./]", name)[0] in ALLOWED[room_of(path)]
    }
    assert not wrong


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


@pytest.mark.parametrize(
    "path",
    [path for path in TEMPLATES if path.suffix == ".html"],  # a mail has its lines as they are sent
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_no_line_of_a_template_is_longer_than_a_person_reads(path: Path) -> None:
    assert [line for line in path.read_text("utf-8").split("\n") if len(line) > LONGEST] == []
