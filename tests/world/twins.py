"""Twins of the installed SQL with a guard taken away, and the way back to what the files say."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.db import connections

from audit.installation import SCHEMAS, install
from gatekeeper.installation.sql_files import FILES

if TYPE_CHECKING:
    from tests.conftest import Connection


class Twins:
    """Changes installed functions by their text, as the superuser."""

    def __init__(self, setup: Connection) -> None:
        self.setup = setup

    def without(self, function: str, guard: str, instead: str = "") -> None:
        """Replace the guard's one place in the installed definition; a guard that is not there fails."""
        self.change(function, lambda text: _replace(text, guard, instead))

    def change(self, function: str, changed: Callable[[str], str]) -> None:
        """Install what `changed` makes of the installed definition."""
        [(text,)] = self._definition(function)
        twin = changed(text)
        assert twin != text
        self.setup.execute(twin.encode())
        [(installed,)] = self._definition(function)
        assert installed != text

    def _definition(self, function: str) -> list[tuple[Any, ...]]:
        return self.setup.execute(
            "SELECT pg_get_functiondef(p.oid) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
            " WHERE n.nspname = ANY (%s) AND p.proname = %s",
            [list(SCHEMAS), function],
        ).fetchall()

    def restore(self) -> None:
        """Install the files again, as the migration does."""
        install(connections["migrator"], FILES)


def _replace(text: str, guard: str, instead: str) -> str:
    assert text.count(guard) == 1, f"{text.count(guard)} places have {guard!r}"
    return text.replace(guard, instead)
