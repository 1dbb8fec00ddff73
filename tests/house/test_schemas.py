"""A function lies in the schema of its room, or in the vault where it reads or writes personal data."""

from __future__ import annotations

import re
from pathlib import Path

from audit.installation import SCHEMAS
from gatekeeper.installation.sql_files import FILES

ROOT = Path(__file__).resolve().parents[2]
FUNCTION = re.compile(r"^CREATE OR REPLACE (?:FUNCTION|PROCEDURE) (\w+)\.(\w+)\(.*?\$\$.*?\$\$", re.M | re.S)
COMMENT = re.compile(r"--[^\n]*")
#: The vault's tables, and the release, which is called in two transactions at once.
PERSONAL = re.compile(r"\bvault\.(?:account|participant|release_view)\b")


def placed() -> dict[str, tuple[str, str]]:
    """Each function's schema, and the one where it belongs, by name."""
    found = {}
    for path in FILES:
        room = path.relative_to(ROOT).parts[0]
        for function in FUNCTION.finditer(path.read_text(encoding="utf-8")):
            personal = PERSONAL.search(COMMENT.sub("", function[0]))
            found[function[2]] = (function[1], "vault" if personal else room)
    return found


def test_a_function_lies_in_the_schema_of_its_room() -> None:
    found = placed()
    assert {schema for schema, _ in found.values()} == set(SCHEMAS)
    assert {name: schemas for name, schemas in found.items() if len(set(schemas)) > 1} == {}
