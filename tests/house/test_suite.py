"""The suite itself: its order, what a quick run takes, and that no test looks before a page has come."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from tests.world import order

ROOT: Final = Path(__file__).resolve().parents[2]
#: The gate's whole table: each condition taken away, through everything and each verdict alone.
TABLE: Final = ("tests/gate/test_gate.py", "tests/gate/test_verdicts.py")


class Item(NamedTuple):
    """As much of a test as its place in a run depends on."""

    nodeid: str
    marks: frozenset[str] = frozenset()
    fixturenames: tuple[str, ...] = ()

    def get_closest_marker(self, name: str) -> str | None:
        return name if name in self.marks else None


KINDS: Final = (
    ("browser", {"browser", "django_db"}, ()),
    ("slow", {"slow", "django_db"}, ()),
    ("database", {"django_db"}, ()),
    ("connection", set[str](), ("as_role", "django_db_setup")),
    ("kill", {"kill"}, ()),
    ("plain", set[str](), ("tmp_path",)),
)


def test_fast_tests_come_first_for_each_worker() -> None:
    """Each worker begins with one of equal parts of the whole."""
    items = [Item(kind, frozenset(marks), fixtures) for kind, marks, fixtures in KINDS for _ in range(4)]
    dealt = [item.nodeid for item in order.dealt(items, 2)]  # type: ignore[arg-type]  # as much as it reads
    slow = ["slow", "slow", "kill", "kill", "browser", "browser"]
    assert dealt[:12] == ["plain", "plain", *["database"] * 4, *slow]
    assert dealt[12:] == ["plain", "plain", *["connection"] * 4, *slow]


@pytest.mark.parametrize(
    ("marks", "quick"),
    [
        (set(), True),
        ({"django_db"}, False),
        ({"quick", "django_db"}, True),
        *(({m}, False) for m in order.SLOW),
    ],
)
def test_quick_is_what_needs_no_database_or_is_marked_so(marks: set[str], quick: bool) -> None:
    assert order.is_quick(Item("one", frozenset(marks))) is quick  # type: ignore[arg-type]


@pytest.mark.parametrize("mark", order.SLOW)
def test_nothing_slow_is_quick(mark: str) -> None:
    """No browser, no kill, nothing shipped: pytest refuses the whole run."""
    with pytest.raises(pytest.UsageError, match=f"one is marked quick, and {mark}"):
        order.is_quick(Item("one", frozenset({"quick", mark})))  # type: ignore[arg-type]


def test_the_gates_whole_table_is_quick() -> None:
    command = [sys.executable, "-m", "pytest", "--collect-only", "-qq", "-p", "no:cacheprovider"]
    run = subprocess.run(
        [*command, "-m", "not quick", *TABLE],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == pytest.ExitCode.NO_TESTS_COLLECTED, run.stdout + run.stderr


def test_each_mark_is_told_and_what_is_slow_has_a_place_in_the_order() -> None:
    project = (ROOT / "pyproject.toml").read_text()
    told = re.findall(r'^    "(\w+): ', project.partition("markers = [")[2].partition("\n]")[0], re.M)
    assert set(told) == {*order.SLOW, "quick"}
    readme = (ROOT / "tests" / "README.md").read_text()
    assert [mark for mark in told if f"`{mark}`" not in readme] == []


# Pages come when they come

#: What Playwright answers at once, whether the page has come or not; `expect` and clicks wait.
AT_ONCE: Final = {"is_visible", "is_hidden", "all_inner_texts", "all_text_contents", "wait_for_timeout"}
#: The same, where it is asked of a page: others have such names as well.
OF_A_PAGE: Final = {"count", "all", "is_enabled", "is_disabled", "is_checked", "is_editable"}
#: What waits for an element, and not for what it is to say: nothing is asserted of it.
AS_IT_STANDS: Final = {"inner_text", "inner_html", "text_content", "input_value", "get_attribute"}
FOUND: Final = re.compile(r"\b(?:locator|get_by_\w+)\(")
#: Looks at finished pages, and waits for each in its own way.
WAITS_ITSELF: Final = ROOT / "tests" / "shipped" / "walk.py"


def looks_at_once(tree: ast.AST) -> list[int]:
    """Lines on which something is read off a page without waiting for it."""
    asserted = {
        id(node)
        for one in ast.walk(tree)
        if isinstance(one, (ast.Assert, ast.Compare))
        for node in ast.walk(one)
    }
    lines = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            name, page = node.func.attr, FOUND.search(ast.unparse(node.func.value))
            if (
                name in AT_ONCE
                or (name in OF_A_PAGE and page)
                or (name in AS_IT_STANDS and id(node) in asserted)
            ):
                lines.append(node.lineno)
    return lines


def test_nothing_is_read_off_a_page_that_may_not_have_come() -> None:
    """`expect(…)` waits on a busy machine; a count or a text that is read at once is the page's before."""
    files = set((ROOT / "tests").rglob("*.py")) - {WAITS_ITSELF}
    found = {
        file.relative_to(ROOT).as_posix(): lines
        for file in sorted(files)
        if (lines := looks_at_once(ast.parse(file.read_text())))
    }
    assert found == {}


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("assert page.locator('tr').count() > 0", True),
        ("if page.get_by_role('button').is_visible(): pass", True),
        ("for row in page.locator('tr').all(): pass", True),
        ("assert clock.inner_text() == '1:00'", True),
        ("same = box.get_attribute('lang') == 'pl'", True),
        ("page.wait_for_timeout(20)", True),
        ("assert Entry.objects.filter(event='view').count() == 1", False),
        ("number = page.locator('th').inner_text().strip()", False),
        ("expect(page.locator('tr')).to_have_count(2)", False),
    ],
)
def test_a_look_that_does_not_wait_is_found(line: str, wrong: bool) -> None:
    assert bool(looks_at_once(ast.parse(line))) is wrong
