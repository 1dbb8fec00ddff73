"""The READMEs are true: their tables are the code's, and what they and the code point to is there."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils.translation import override

from gatekeeper import catalogue
from gatekeeper.gate import conditions
from gatekeeper.installation import roles
from tests import readme

LINES = 200
#: Papers that are not in the repository, and numbers that stand in them alone.
ELSEWHERE = re.compile(
    r"\bDESIGN\b|\bOBLIGATIONS\b|\b(?:ux|english|glossary|security|examples)\.md\b"
    r"|\b[Aa]ttacks? \d|(?<![-\w}\"'])P(?:[1-9]|[12]\d)(?=[,:)])"
)
#: 'gatekeeper/README.md, 'The boundary'', also where a string or a comment breaks the line.
CITED = re.compile(r"((?:[\w/]+/)?README(?:\.md)?),(?:\"?\s*(?:--|#|\")?\s*)'([A-Z][^'\n]+)'")
LINKED = re.compile(r"\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)")
PICTURES = readme.ROOT / "gatekeeper" / "pictures"


def tracked() -> Iterator[tuple[Path, str]]:
    """Every text of the repository, but for data and what says what must not be said."""
    listed = subprocess.run(
        ["git", "ls-files"],  # noqa: S607  # git as the tests' machine has it
        cwd=readme.ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    for name in listed:
        path = readme.ROOT / name
        text = path.suffix in {
            ".py",
            ".sql",
            ".html",
            ".txt",
            ".js",
            ".css",
            ".md",
            ".service",
            ".toml",
            ".po",
        }
        if path.is_file() and path != Path(__file__) and (text or not path.suffix):
            yield path, path.read_text(encoding="utf-8")


def headings(path: Path) -> list[str]:
    return re.findall(r"^#+ (.+)$", path.read_text(), re.M)


def texts(picture: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]+)</text>", (PICTURES / picture).read_text())


@pytest.mark.parametrize("name", list(readme.TABLES))
def test_readmes_table_is_the_codes(name: str) -> None:
    assert readme.stands(name) == readme.TABLES[name](), "run: python -m tests.readme"


def test_readme_opens_with_the_two_commands() -> None:
    opening = readme.README.read_text().split("## ")[1]
    assert "make demo" in opening
    assert "make test" in opening


def test_readme_is_short() -> None:
    assert len(readme.README.read_text().splitlines()) < LINES


def test_readmes_figures_are_rows_of_the_bench() -> None:
    figures = readme.README.read_text().partition("\n## Measured\n")[2].partition("\n## ")[0]
    rows = [line for line in figures.splitlines() if line.startswith("|")]
    assert len(rows) > 2
    assert set(rows) <= set(readme.stands("bench").splitlines())


def test_the_gates_picture_has_the_conditions_in_their_order() -> None:
    with override("en"):
        titles = [str(conditions.title(name)) for name in catalogue.CONDITIONS]
    assert [text for text in texts("gate.svg") if text in titles] == titles


def test_the_architectures_picture_has_the_rooms_and_the_roles() -> None:
    drawn = texts("architecture.svg")
    assert [text for text in drawn if text.endswith("/")] == ["gatekeeper/", "staff/", "audit/"]
    assert {role.removeprefix("gatekeeper_") for role in roles.RUN_TIME} <= set(drawn)


@pytest.mark.parametrize("picture", ["gate.svg", "architecture.svg"])
def test_a_picture_is_light_and_dark_and_told_in_words(picture: str) -> None:
    assert "prefers-color-scheme: dark" in (PICTURES / picture).read_text()
    assert re.search(rf"!\[.{{100,}}\]\(gatekeeper/pictures/{picture}\)", readme.README.read_text())


@pytest.mark.parametrize("path", readme.READMES, ids=lambda path: str(path.relative_to(readme.ROOT)))
def test_links_and_files_that_a_readme_names_are_there(path: Path) -> None:
    text = path.read_text()
    for target, anchor in LINKED.findall(text):
        file = (path.parent / target).resolve() if target else path
        assert file.exists(), target
        if anchor:
            assert anchor in {title.lower().replace(" ", "-") for title in headings(file)}, anchor
    for name in re.findall(r"`((?:gatekeeper|staff|audit|tests)/[\w/.-]+)`", text):
        assert (readme.ROOT / name).exists(), name


def test_sections_that_are_cited_are_there() -> None:
    found = [(path, *cited) for path, text in tracked() for cited in CITED.findall(text)]
    assert len(found) > 10
    for path, cited, title in found:
        assert cited.endswith(".md"), f"{path}: which README?"
        assert title in headings(readme.ROOT / cited), f"{path} cites {cited}, {title!r}"


def test_nothing_points_to_a_paper_that_is_not_here() -> None:
    found = [
        f"{path.relative_to(readme.ROOT)}: {cited[0]}"
        for path, text in tracked()
        for cited in ELSEWHERE.finditer(text)
    ]
    assert not found
