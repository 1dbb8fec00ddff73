"""Limits are named once, in their table; whatever reads one names it as the table does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from gatekeeper.installation.checks import limits_wanted
from gatekeeper.installation.environment import Environment
from gatekeeper.installation.limits_table import LIMITS
from gatekeeper.installation.setting import Limit
from gatekeeper.installation.sql_files import FILES
from tests.world.variables import GOOD, ROOT

KEYS = {limit.key for limit in LIMITS}
SQL = "\n".join(path.read_text(encoding="utf-8") for path in FILES)
#: A row of the table of limits by its name, and a limit out of the object that all rows make.
IN_SQL = re.compile(r"\b(?:\w\.)?name = '(\w+)'|\b(?:limits|n)->>'(\w+)'|\blimit_of\('(\w+)'\)")
#: Rows beside the limits, and the feed that is asked for by its name.
OTHERS = {"time_zone", "siem_target", "tickets"}


def read(limit: Limit, value: str) -> int:
    return Environment({**GOOD, limit.variable: value}).limit(limit)


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.name)
def test_a_limit_is_taken_within_its_bounds_alone(limit: Limit) -> None:
    assert read(limit, str(limit.least)) == limit.least
    assert read(limit, str(limit.most)) == limit.most
    assert limit.least <= int(limit.default or "") <= limit.most
    for value in (str(limit.least - 1), str(limit.most + 1), "", "many", "1.5", "٣"):
        with pytest.raises(ImproperlyConfigured, match=limit.variable) as refusal:
            read(limit, value)
        assert limit.range in str(refusal.value)


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.name)
def test_a_limits_name_tells_its_unit_of_time(limit: Limit) -> None:
    told = {unit for unit in ("seconds", "minutes", "hours", "days") if unit.upper() in limit.name.split("_")}
    assert told <= {limit.unit}
    assert told or limit.unit not in {"seconds", "minutes", "hours", "days"}


def test_settings_have_every_limit_and_the_database_those_that_it_decides_by() -> None:
    assert set(settings.LIMITS) == KEYS
    stored = limits_wanted()
    assert KEYS & stored.keys() == {limit.key for limit in LIMITS if limit.in_database}
    assert all(stored[key] == str(settings.LIMITS[key]) for key in KEYS & stored.keys())


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.name)
def test_the_database_has_a_limit_where_sql_reads_it(limit: Limit) -> None:
    assert limit.in_database == (f"'{limit.key}'" in SQL)


def test_sql_reads_no_other_name() -> None:
    named = {name for found in IN_SQL.findall(SQL) for name in found if name}
    assert named <= KEYS | OTHERS


def test_python_reads_no_other_name() -> None:
    named = list(read_by_python())
    assert named
    assert {name for _, name in named} <= KEYS, [one for one in named if one[1] not in KEYS]


def read_by_python() -> Iterator[tuple[Path, str]]:
    for folder in ("gatekeeper", "staff", "audit", "tests"):
        for path in (ROOT / folder).rglob("*.py"):
            for name in re.findall(r'\b(?:LIMITS|limits)\["(\w+)"\]', path.read_text(encoding="utf-8")):
                yield path, name
