"""The one way to the database beside the ORM: its functions by name, and questions that the ORM cannot put.

    call("staff.end_session", caller, reason="")   SELECT staff.end_session(p_digest => %s, …, p_reason => %s)
    call("gatekeeper.ask", caller, …, into=Asked)  SELECT "request", "reason", "codes" FROM gatekeeper.ask(…)
    calls("vault.stored", …, into=Stored)          the same, of any number of rows
    rows("SELECT …", values)                       a question of one's own

Arguments go by name, `p_` before each, and columns come by those of `into`: no order can be confused. A
mapping goes as jsonb, a sequence or a set as an array, a member of an enum as its value; what is to be jsonb
and is no mapping comes as `Jsonb`. `using` is the alias of a purpose, or a connection of the driver's. What
its role may execute gatekeeper/README.md says ('Roles and rights'); a test compares that with the calls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from datetime import date, datetime
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar, cast, overload

import psycopg
from django.db import connections
from psycopg.types.json import Jsonb

if TYPE_CHECKING:
    from psycopg import Connection

    Using = str | Connection[Any]

__all__ = ["Jsonb", "call", "calls", "rows"]

Row = TypeVar("Row")
#: What the driver takes as it is, and most arguments are.
_PLAIN: Final = frozenset({type(None), str, bytes, int, bool, datetime, date, memoryview, Jsonb})


class Caller(Protocol):
    """Who acts: the digest of a session's key, and what the log keeps of the request."""

    @property
    def digest(self) -> bytes | None:
        """SHA-256 of the session's key; None for a visitor."""

    @property
    def context(self) -> Mapping[str, str | None]:
        """The facts of the request that an entry names (`audit.context`)."""


@overload
def call(
    function: str, caller: Caller | None = ..., /, *, into: type[Row], using: Using = ..., **values: object
) -> Row: ...
@overload
def call(
    function: str,
    caller: Caller | None = ...,
    /,
    *,
    into: None = ...,
    using: Using = ...,
    **values: object,
) -> Any: ...
def call(
    function: str,
    caller: Caller | None = None,
    /,
    *,
    into: type[Any] | None = None,
    using: Using = "default",
    **values: object,
) -> Any:
    """The one row that a function gives: as `into`, a NamedTuple or dataclass, or without it its one value.

    Raises LookupError where it gives none, and django.db.Error (over a driver's connection psycopg.Error).
    """
    found = calls(function, caller, into=into, using=using, **values)
    if not found:
        raise LookupError(f"{function} gave no row")
    return found[0]


@overload
def calls(
    function: str, caller: Caller | None = ..., /, *, into: type[Row], using: Using = ..., **values: object
) -> list[Row]: ...
@overload
def calls(
    function: str,
    caller: Caller | None = ...,
    /,
    *,
    into: None = ...,
    using: Using = ...,
    **values: object,
) -> list[Any]: ...
def calls(
    function: str,
    caller: Caller | None = None,
    /,
    *,
    into: type[Any] | None = None,
    using: Using = "default",
    **values: object,
) -> list[Any]:
    """All rows that a function gives, as `call` gives one."""
    if caller is not None:
        values = {"digest": caller.digest, "context": caller.context, **values}
    columns: tuple[str, ...] = cast("Any", into).__match_args__ if into else ()
    found = rows(_statement(function, columns, tuple(values)), list(values.values()), using=using)
    return [into(*row) for row in found] if into else [row[0] for row in found]


def rows(
    sql: str, values: Sequence[object] | Mapping[str, object] = (), *, using: Using = "default"
) -> list[Any]:
    """All rows that a statement gives, as tuples; in autocommit unless the caller began a transaction."""
    given: Any = None  # without values a `%` means itself
    if isinstance(values, Mapping):
        given = {name: _adapted(value) for name, value in values.items()}
    elif values:
        given = [_adapted(value) for value in values]
    if not isinstance(using, str):
        return using.execute(sql.encode(), given).fetchall()
    with connections[using].cursor() as cursor:
        cursor.execute(sql, given)
        return cast("list[Any]", cursor.fetchall())


@cache
def _statement(function: str, columns: tuple[str, ...], names: tuple[str, ...]) -> str:
    """The text of a call: as many texts as there are calls, because every name is written in our code."""
    given = f"{function}({', '.join(f'p_{name} => %s' for name in names)})"
    if not columns:
        return f"SELECT {given}"
    quoted = '", "'.join(columns)  # for `grant` is a word of SQL
    return f'SELECT "{quoted}" FROM {given}'  # noqa: S608


def _adapted(value: object) -> object:
    """As the driver takes it."""
    if type(value) in _PLAIN:
        return value
    if isinstance(value, Mapping):
        return Jsonb(dict(value))
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Sequence | Set) and not isinstance(value, str | bytearray):
        return list(value)
    return value


def refusal(error: BaseException) -> str:
    """In the database's words why it refused this for want of a right; '' where it was something else."""
    cause = error if isinstance(error, psycopg.Error) else error.__cause__
    return cause.diag.message_primary or "" if isinstance(cause, psycopg.errors.InsufficientPrivilege) else ""
