"""How values go to the database, and rows come back (audit/database.py)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import NamedTuple

import pytest

from audit.database import Jsonb, call, calls, rows
from gatekeeper.models import Feed
from tests.conftest import Connection

pytestmark = pytest.mark.django_db(databases="__all__")

MOMENT = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


class Known(NamedTuple):
    reference: str
    erased: bool


@pytest.mark.parametrize(
    ("kind", "value", "read"),
    [
        ("text", None, None),
        ("text", "a % of it", "a % of it"),
        ("text", Feed.Doubt.DIGEST, "digest"),
        ("text[]", ("a", "b"), ["a", "b"]),
        ("text[]", {"a"}, ["a"]),
        ("text[]", {"a": 1}.keys(), ["a"]),
        ("bigint[]", [], []),
        ("bytea", memoryview(b"\0x"), b"\0x"),
        ("timestamptz", MOMENT, MOMENT),
        ("boolean", False, False),
    ],
)
def test_values(kind: str, value: object, read: object) -> None:
    assert rows(f"SELECT %s::{kind}", [value]) == [(read,)]
    assert rows(f"SELECT %(one)s::{kind}", {"one": value}) == [(read,)]


@pytest.mark.parametrize("value", [{"a": [1, None]}, Jsonb([{"a": 1}]), Jsonb(None)])
def test_jsonb(value: object) -> None:
    plain = value.obj if isinstance(value, Jsonb) else value
    [(found, kind)] = rows("SELECT x, pg_typeof(x)::text FROM (SELECT %s) y (x)", [value])
    assert (json.loads(found), kind) == (plain, "jsonb")


def test_without_values_a_percent_sign_means_itself() -> None:
    assert rows("SELECT 'a%s' LIKE 'a%'") == [(True,)]


def test_one_row_is_asked_for_and_none_comes() -> None:
    with pytest.raises(LookupError, match=r"vault\.stored gave no row"):
        call("vault.stored", references=["MOC-99999"], into=Known, using="feed")
    assert calls("vault.stored", references=["MOC-99999"], into=Known, using="feed") == []


def test_over_a_connection_of_the_drivers(setup_connection: Connection) -> None:
    assert call("gatekeeper.more_today", member=0, day=MOMENT.date(), using=setup_connection) == 0
    assert rows("SELECT %s::text[]", [("a",)], using=setup_connection) == [(["a"],)]
