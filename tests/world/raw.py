"""The vault's two calls in raw SQL, for those who do not go through the application."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.world.scene import REFERENCE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from staff.frame.callers import Caller
    from tests.conftest import Connection
    from tests.world.scene import Scene

NAME = "contact.name"
RECORD = """
    SELECT entry, reason FROM vault.record_view(%s, %s, %s, %s, %s::text[], false, %s::int)
"""
RELEASE = "SELECT reason, wrapped_key, fields, ciphertexts FROM vault.release_view(%s, %s, %s)"


@dataclass(frozen=True)
class Released:
    """What a release gave."""

    reason: str | None
    wrapped_key: bytes | None
    fields: list[str] | None
    ciphertexts: list[bytes] | None

    @property
    def nothing(self) -> bool:
        return self.wrapped_key is None and self.fields is None and self.ciphertexts is None


def record(
    connection: Connection,
    scene: Scene,
    *fields: str,
    account: str = REFERENCE,
    grant: int | None = None,
    caller: Caller | None = None,
    page: int | None = None,
) -> tuple[int, str | None]:
    """Record a view; return the entry's number and the reason of a refusal."""
    who = caller or scene.caller
    named = scene.grant if grant is None else grant
    values = [who.digest, Jsonb(who.context), account, named, list(fields) or [NAME], page]
    [(entry, reason)] = connection.execute(RECORD, values).fetchall()
    return entry, reason


def recorded(connection: Connection, scene: Scene, *fields: str) -> int:
    """Record a view that is allowed; return the entry's number."""
    entry, reason = record(connection, scene, *fields)
    assert reason is None
    return entry


def release(
    connection: Connection, scene: Scene, entry: int | None, *, caller: Caller | None = None
) -> Released:
    """Release what an entry names; ask again for as long as the database says so (two seconds at most)."""
    who = caller or scene.caller
    while True:
        [row] = connection.execute(RELEASE, [who.digest, Jsonb(who.context), entry]).fetchall()
        released = Released(*row)
        if released.reason != "record_pending":
            return released
        assert released.nothing


def refused(connection: Connection, statement: str, values: Sequence[object] = ()) -> str:
    """Run what the role has no right to; return PostgreSQL's words."""
    with pytest.raises(psycopg.errors.InsufficientPrivilege) as refusal:
        connection.execute(statement.encode(), values or None)
    return str(refusal.value)
