"""How long functions and modules are: short ones are read, long ones are believed.

Of Python the product counts, not its tests. A function's lines are those of its body, from the first
statement to the last, blank lines and comments between them included; its head, its decorators and its
docstring are not. A function within a function counts for both. A module's lines are all of its file. Of
SQL a function's lines are those of its definition, from CREATE to its end.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from statistics import median, quantiles

import pytest

from gatekeeper.installation.sql_files import FILES

ROOT = Path(__file__).resolve().parents[2]
MODULES = [path for folder in ("gatekeeper", "staff", "audit") for path in (ROOT / folder).rglob("*.py")]
SQL_FUNCTION = re.compile(
    r"^CREATE OR REPLACE (?:FUNCTION|PROCEDURE) (\w+\.\w+)\(.*?\$\$.*?\$\$(?: LANGUAGE \w+)?;", re.M | re.S
)
#: Programs of one file by their purpose, however long they are: each runs without anything else of ours.
ONE_FILE = {
    "audit/verify_bundle.py": "is handed to auditors, who read it and run it beside a bundle",
    "staff/nda/documents/examination.py": "runs apart from our settings, keys and connections (python -I)",
}
#: Modules that may be longer than 250 lines, and why.
LONG = ONE_FILE | {
    "gatekeeper/settings.py": "Django's settings, in the one list in which they are looked up",
    "staff/migrations/0002_people_and_papers.py": "what a migration did is not written again",
}
MOST_LINES = 250
Note = Callable[[str, object], None]


def hold(
    what: str,
    lines: Mapping[str, int],
    note: Note,
    *,
    p50: int | None = None,
    p95: int,
    longest: int | None = None,
) -> None:
    """Say the figures of these lengths, and hold them."""
    middle, long = median(lines.values()), quantiles(lines.values(), n=20, method="inclusive")[-1]
    name = max(lines, key=lines.__getitem__)
    said = f"{len(lines)} {what}: p50 {middle:.0f}, p95 {long:.0f}, longest {name} {lines[name]} lines"
    sys.stdout.write(f"{said}\n")
    note(what, said)
    assert p50 is None or middle <= p50, said
    assert long <= p95, said
    assert longest is None or lines[name] <= longest, said


def body_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def functions() -> Iterator[tuple[str, int]]:
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", body_of(node)


def test_python_functions_are_short(record_testsuite_property: Note) -> None:
    hold("Python functions", dict(functions()), record_testsuite_property, p95=15, longest=40)


def test_modules_are_of_one_subject(record_testsuite_property: Note) -> None:
    lines = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8").count("\n") for path in MODULES}
    hold("modules", lines, record_testsuite_property, p95=MOST_LINES)
    assert {name for name, count in lines.items() if count > MOST_LINES} == set(LONG)


@pytest.mark.parametrize("program", ONE_FILE)
def test_a_program_of_one_file_needs_nothing_else_of_ours(program: str) -> None:
    tree = ast.parse((ROOT / program).read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import)]
    named = {alias.name for node in imports for alias in node.names}
    named |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert named
    assert not {name.split(".")[0] for name in named} & {"gatekeeper", "staff", "audit", "tests", ""}


def test_sql_functions_are_short(record_testsuite_property: Note) -> None:
    texts = [path.read_text(encoding="utf-8") for path in FILES]
    lines = {found[1]: found[0].count("\n") + 1 for text in texts for found in SQL_FUNCTION.finditer(text)}
    written = sum(
        text.count(f"CREATE OR REPLACE {kind}") for text in texts for kind in ("FUNCTION", "PROCEDURE")
    )
    assert len(lines) == written, "one is written so that it is not found here"
    hold("SQL functions", lines, record_testsuite_property, p50=15, p95=60, longest=150)
