"""Two clocks, the database's and this machine's: how far they are apart stands on the page of checks."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone, translation

from gatekeeper.frame.health_row import Health
from gatekeeper.pages import log_health

pytestmark = pytest.mark.django_db(databases="__all__")


def row(ours: timedelta, monkeypatch: pytest.MonkeyPatch) -> Health:
    """The check, where our clock says so much more than the database's."""
    now = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: now() + ours)
    with translation.override("en"):
        return log_health.clock()


@pytest.mark.parametrize(
    ("ours", "said"),
    [(timedelta(minutes=-40), "ahead of this machine’s"), (timedelta(minutes=40), "behind this machine’s")],
    ids=["ahead", "behind"],
)
def test_clocks_that_are_apart_are_said(ours: timedelta, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = row(ours, monkeypatch)
    assert found.state == "to_fix"
    assert said in found.sentence
    assert found.next_step


@pytest.mark.parametrize("seconds", [-20, 0, 20])
def test_clocks_that_are_near_are_well(seconds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert row(timedelta(seconds=seconds), monkeypatch).state == "ok"
