"""A company at work, by seed: rules are rare, reviewers can keep up, and what was planted is caught."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from audit import detections
from audit.models import Entry
from tests.world import measures, year
from tests.world.misuse import KINDS

if TYPE_CHECKING:
    from tests.conftest import Connection

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True, databases="__all__")]


@pytest.fixture
def company(setup_connection: Connection, settings: Any) -> Iterator[Connection]:
    """A database whose teams may be given hours; afterwards they have none."""
    settings.TEAM_HOURS = {}
    yield setup_connection
    setup_connection.execute("DELETE FROM audit_limit WHERE name LIKE 'hours.%'")


@pytest.mark.parametrize("seed", [41, 42])
def test_rules_are_rare_and_catch_what_was_planted(company: Connection, seed: int) -> None:
    played = year.play(company, seed, consultants=20, days=60, each=1)
    assert len({one.kind.name for one in played.episodes}) == len(KINDS) >= 20
    assert all(one.entries for one in played.episodes)
    found = measures.measure(company, played)
    assert found.accesses > 2000
    assert found.holds, found
    assert found.rules.keys() <= {one.name for one in detections.rules()}
    assert Entry.objects.filter(event="review", details__act="queue").exists()


def test_a_rule_that_is_missing_is_missed(company: Connection, settings: Any) -> None:
    """The measure can fail: without its rule, a kind of misuse is not caught."""
    settings.DETECTION_THRESHOLDS = {"participants": {"count": 10_000}}
    played = year.play(company, 41, consultants=20, days=60, each=1)
    found = measures.measure(company, played)
    caught, planted, _by = found.kinds["participant_list"]
    assert (caught, planted) == (0, 1)
    assert not found.holds
