"""README is true: its tables are the code's."""

from __future__ import annotations

import pytest

from tests import readme


@pytest.mark.parametrize("name", list(readme.TABLES))
def test_readmes_table_is_the_codes(name: str) -> None:
    assert readme.stands(name) == readme.TABLES[name](), "run: python -m tests.readme"


def test_readme_opens_with_the_two_commands() -> None:
    opening = readme.README.read_text().split("## ")[1]
    assert "make demo" in opening
    assert "make test" in opening
