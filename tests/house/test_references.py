"""One grammar of references: Python has it in one place, and SQL says the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from audit import references

ROOT = Path(__file__).resolve().parents[2]
FORMS = {references.ACCOUNT, references.MEMBER, references.TICKET}
#: A form that is written out: one of our prefixes, and then digits of a pattern.
WRITTEN = re.compile(rf"(?:{'|'.join(references.PREFIXES)})-(?:\[0-9\]|\\d)(?:\{{[0-9,]+\}}|[+*])?")


def written(ending: str) -> dict[str, list[str]]:
    """The forms that are written out in files of a kind, migrations aside."""
    files = [file for room in ("gatekeeper", "staff", "audit") for file in (ROOT / room).rglob(f"*.{ending}")]
    found = {file: WRITTEN.findall(file.read_text()) for file in files if "migrations" not in file.parts}
    return {file.relative_to(ROOT).as_posix(): forms for file, forms in found.items() if forms}


def test_python_writes_them_out_in_one_place() -> None:
    assert set(written("py")) == {"audit/references.py"}
    assert set(written("py")["audit/references.py"]) == FORMS


@pytest.mark.parametrize("ending", ["sql", "html", "js", "txt"])
def test_every_other_language_says_the_same(ending: str) -> None:
    """SQL has no constants: it writes a form out once for each question, as it stands in Python."""
    forms = [form for found in written(ending).values() for form in found]
    assert set(forms) <= FORMS
    assert len(forms) == len(set(forms))


def test_what_sql_writes_out_is_seen() -> None:
    assert "gatekeeper/reports/sql/reports.sql" in written("sql")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("48213", ("account", "MOC-48213")),
        ("moc-48213", ("account", "MOC-48213")),
        ("k-0193", ("member", "K-0193")),
        ("ZD-1", ("ticket", "ZD-1")),
        ("MOC\u201148213", ("account", "MOC-48213")),  # as text processors write the dash
        ("\ufeffZD\u201310442\u200b", ("ticket", "ZD-10442")),  # with what comes along when it is copied
        ("4821", None),
        ("MOC-48213-P1", None),
        ("MOC-MOC-48213", None),
        ("MOC-48213\n", None),
        ("\u0664\u0668\u0662\u0661\u0663", None),
        ("\u212a-0193", None),
        ("", None),
    ],
)
def test_what_is_typed_alone(text: str, meant: tuple[str, str] | None) -> None:
    assert references.typed(text) == meant


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("MOC-48213-P17", ("MOC-48213", 17)),
        ("MOC-48213-P999999999", ("MOC-48213", 999_999_999)),
        ("MOC-48213-P0", None),
        ("MOC-48213-P017", None),
        ("MOC-48213-P1\n", None),
        ("MOC-48213", None),
        ("moc-48213-p17", None),
    ],
)
def test_a_participant(text: str, named: tuple[str, int] | None) -> None:
    assert references.participant(text) == named
