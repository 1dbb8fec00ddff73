"""The house stands as README draws it: arrows run one way, and the top level holds what it should."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.house.source import FOLDERS, ROOT, modules, name_of

#: What each folder may import of the three (README.md, 'The house').
ALLOWED = {
    "audit": {"audit"},
    "staff": {"staff", "audit"},
    "gatekeeper": {"gatekeeper", "staff", "audit"},
}
#: Rooms of gatekeeper from the front to the back: nobody imports what stands before them.
ROOMS = (
    ("gatekeeper.urls",),
    ("gatekeeper.pages", "gatekeeper.demo"),
    ("gatekeeper.reviews", "gatekeeper.reports", "gatekeeper.feeds"),
    ("gatekeeper.access",),
    ("gatekeeper.log",),
    ("gatekeeper.gate",),
    ("gatekeeper.models",),
)
#: Who encrypts or decrypts, and what: texts that people type go through one of them.
ENCRYPTS = {
    "gatekeeper.gate.typed_texts": "texts that people type",
    "gatekeeper.gate.decision": "what a reveal shows",
    "gatekeeper.gate.cipher": "each account's data key",
    "gatekeeper.feeds.store": "what the feeds bring",
    "gatekeeper.pages.health": "only whether the key ring can be read",
    "staff.models.factors": "keys of authenticator apps",
    "staff.sign_in.factors": "keys of authenticator apps",
}
TOP_LEVEL = {
    ".ci",
    ".gitignore",
    "CHANGELOG.md",
    "Makefile",
    "README.md",
    "audit",
    "gatekeeper",
    "manage.py",
    "pyproject.toml",
    "requirements-demo.lock",
    "requirements-dev.lock",
    "requirements.lock",
    "staff",
    "tests",
}


def imports_of(path: Path) -> set[str]:
    """The modules of ours that a module imports anywhere, also in functions and for types."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in names if name.split(".")[0] in FOLDERS}


GRAPH = {name_of(path): imports_of(path) for path in modules()}


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_imports_only_what_stands_below_it(folder: str) -> None:
    wrong = {
        (module, wanted)
        for module, wanteds in GRAPH.items()
        if module.split(".")[0] == folder
        for wanted in wanteds
        if wanted.split(".")[0] not in ALLOWED[folder]
    }
    assert not wrong


@pytest.mark.parametrize("place", range(1, len(ROOMS)))
def test_inside_gatekeeper_nobody_imports_what_stands_before_them(place: int) -> None:
    before = [room for rooms in ROOMS[:place] for room in rooms]
    wrong = {
        (module, wanted)
        for module, wanteds in GRAPH.items()
        if stands_in(module, ROOMS[place])
        for wanted in wanteds
        if stands_in(wanted, before)
    }
    assert not wrong


def test_who_encrypts_is_known_and_typed_texts_are_encrypted_in_one_place() -> None:
    keys = {"gatekeeper.gate.cipher.AccountCipher", "staff.secrets.keyring.ring"}
    assert {module for module, wanteds in GRAPH.items() if keys & wanteds} == set(ENCRYPTS)


def stands_in(module: str, rooms: Sequence[str]) -> bool:
    return any(module == room or module.startswith(room + ".") for room in rooms)


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {
        module: {wanted for wanted in wanteds if wanted in GRAPH and wanted != module}
        for module, wanteds in GRAPH.items()
    }
    while True:
        leaves = {module for module, wanteds in graph.items() if not wanteds & graph.keys()}
        if not leaves:
            break
        graph = {module: wanteds for module, wanteds in graph.items() if module not in leaves}
    assert not graph, f"in a circle, or in front of one: {sorted(graph)}"


def test_nothing_is_imported_inside_a_function() -> None:
    inside = [
        (name_of(path), node.name)
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef)
        for inner in ast.walk(node)
        if isinstance(inner, (ast.Import, ast.ImportFrom))
    ]
    assert not inside


def tracked() -> list[str]:
    return subprocess.run(
        ["git", "ls-files"],  # noqa: S607  # git as the tests' machine has it
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()


def test_the_top_level_holds_what_it_should() -> None:
    assert {path.split("/")[0] for path in tracked()} == TOP_LEVEL


def test_only_the_gate_calls_the_vault() -> None:
    callers = {module for module, wanteds in GRAPH.items() if "gatekeeper.gate.vault" in wanteds}
    # typed texts: the key of the account that they are about
    assert callers == {"gatekeeper.gate.decision", "gatekeeper.gate.typed_texts"}


def test_only_one_template_prints_a_value_and_only_its_views_module_reveals() -> None:
    revealing = {
        name_of(path)
        for path in modules()
        if "decision.reveal(" in path.read_text() or "decision.participants(" in path.read_text()
    }
    # The demo's people look as well, and what they see goes nowhere.
    assert revealing == {"gatekeeper.access.views.accounts", "gatekeeper.demo.acts"}


def test_no_test_imports_another_test() -> None:
    wrong = {
        (str(path.relative_to(ROOT)), node.module)
        for path in (ROOT / "tests").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module and ".test_" in f".{node.module}"
    }
    assert not wrong


def test_every_test_lies_in_the_folder_of_its_feature() -> None:
    assert not list((ROOT / "tests").glob("test_*.py"))
