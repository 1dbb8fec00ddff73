"""Arrows run one way in SQL and in templates, as they do for imports (test_house.py): gatekeeper knows staff
and the log, staff the log; inside gatekeeper the features know the gate."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from django.apps import apps
from django.urls import URLResolver, get_resolver

from gatekeeper.installation.sql_files import FILES

ROOT = Path(__file__).resolve().parents[2]
#: The rooms from the top down: each knows what stands below it, and not one thing above.
ROOMS: Final = ("gatekeeper", "staff", "audit")
#: The rooms of gatekeeper's SQL, likewise. Those that share a place do not stand above each other.
INNER: Final = {"reviews": 0, "reports": 0, "feeds": 0, "access": 1, "log": 2, "gate": 3}
#: What migrations make outside Django's models: whose each table is.
TABLES: Final = {
    "account": "gatekeeper",
    "participant": "gatekeeper",
    "clock": "staff",
    "limits": "staff",
    "installation": "audit",
}
MODELS: Final = {model._meta.db_table: model._meta.app_label for model in apps.get_models()}
MADE: Final = re.compile(r"^CREATE OR REPLACE (?:FUNCTION|PROCEDURE|VIEW) \w+\.(\w+)", re.M)
#: A table of Django's, or anything in a schema of ours.
NAMED: Final = re.compile(r"\bpublic\.(?P<table>\w+)|\b(?:vault|audit|staff|gatekeeper)\.(?P<ours>\w+)")
COMMENT: Final = re.compile(r"--[^\n]*")
TAG: Final = re.compile(r"{% (extends|include|fill|load|url|static) ([^%]*)%}")


def place(path: Path) -> tuple[str, str]:
    """The room that a file of SQL lies in, and the room within it."""
    room, inner = path.relative_to(ROOT).parts[:2]
    return room, inner


SQL: Final = {path: COMMENT.sub("", path.read_text(encoding="utf-8")) for path in FILES}
HOME: Final = {name: path for path, text in SQL.items() for name in MADE.findall(text)}


def room_of(name: str) -> str | None:
    """Whose a function, a view or a table is; None for Django's and other packages' tables."""
    if name in HOME:
        return place(HOME[name])[0]
    found = TABLES.get(name) or MODELS.get(name)
    return found if found in ROOMS else None


def knows(room: str, other: str | None) -> bool:
    return other is None or ROOMS.index(other) >= ROOMS.index(room)


def names_in(text: str) -> set[str]:
    return {match["table"] or match["ours"] for match in NAMED.finditer(text)}


def test_every_name_in_sql_is_somebodys() -> None:
    known = {*HOME, *TABLES, *MODELS, "django_migrations", "audit_entry_id_seq"}
    known |= {field.m2m_db_table() for model in apps.get_models() for field in model._meta.many_to_many}
    assert not {(str(path), name) for path, text in SQL.items() for name in names_in(text) - known}


@pytest.mark.parametrize("room", ROOMS)
def test_sql_names_only_what_stands_below_it(room: str) -> None:
    wrong = {
        (str(path.relative_to(ROOT)), name)
        for path, text in SQL.items()
        if place(path)[0] == room
        for name in names_in(text)
        if not knows(room, room_of(name))
    }
    assert not wrong


def test_inside_gatekeeper_no_sql_calls_what_stands_before_it() -> None:
    wrong = {
        (str(path.relative_to(ROOT)), name)
        for path, text in SQL.items()
        if place(path)[0] == "gatekeeper"
        for name in names_in(text) & HOME.keys()
        if place(HOME[name])[0] == "gatekeeper" and INNER[place(HOME[name])[1]] < INNER[place(path)[1]]
    }
    assert not wrong


def test_who_acts_on_no_account_is_judged_by_staff_alone() -> None:
    """gatekeeper.decide has all eight conditions, for acts on an account; staff.authorize the first three."""
    acts = {act for text in SQL.values() for act in re.findall(r"gatekeeper\.decide\(\w+, ([^,)]+)", text)}
    assert acts - {"text"} == {  # its rights name the types
        *("'gate'", "'request'", "'open'"),
        "act",  # view or search
    }


def statements(path: Path) -> Iterator[str]:
    """The strings of a module that may be SQL, or name a function: all but what only explains."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    told = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            yield node.value


@pytest.mark.parametrize("room", ROOMS)
def test_python_names_in_sql_only_what_stands_below_it(room: str) -> None:
    wrong = {
        (str(path.relative_to(ROOT)), name)
        for path in (ROOT / room).rglob("*.py")
        if "migrations" not in path.parts
        for text in statements(path)
        for name in {*names_in(text), *re.findall(r"\w+", text)} & {*HOME, *MODELS}
        if (name in MODELS or name in names_in(text)) and not knows(room, room_of(name))
    }
    assert not wrong


def templates_of(room: str) -> Iterator[Path]:
    for folder in (ROOT / room).rglob("templates"):
        yield from (path for path in folder.rglob("*") if path.is_file())


def pages(resolver: URLResolver) -> Iterator[tuple[str, str]]:
    """The name of every address, and the room of what answers it."""
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from pages(pattern)
        elif pattern.name:
            yield pattern.name, pattern.callback.__module__.split(".")[0]


def targets() -> dict[str, dict[str, str]]:
    """What templates can name, and whose it is."""
    parts = {str(path).split("/templates/", 1)[1]: room for room in ROOMS for path in templates_of(room)}
    tags = {path.stem: room for room in ROOMS for path in (ROOT / room).rglob("templatetags/*.py")}
    files = {
        str(path).split("/static/", 1)[1]: room
        for room in ROOMS
        for path in (ROOT / room).rglob("static/*/*")
    }
    addresses = dict(pages(get_resolver()))
    return {
        "extends": parts,
        "include": parts,
        "fill": parts,
        "load": tags,
        "url": addresses,
        "static": files,
    }


def words(tag: str, given: str) -> list[str]:
    """What a tag names: its libraries, or its first word where that stands between quotes."""
    if tag == "load":
        return given.split(" from ")[-1].split()
    return re.findall(r"^[\"']([^\"']+)[\"']", given)


@pytest.mark.parametrize("room", ["staff", "audit"])
def test_templates_name_only_what_stands_below_them(room: str) -> None:
    whose = targets()
    named = {
        (f"{tag} {name}", whose[tag].get(name))
        for path in templates_of(room)
        for tag, given in TAG.findall(path.read_text(encoding="utf-8"))
        for name in words(tag, given)
    }
    assert not {what for what, other in named if other in ROOMS and not knows(room, other)}
