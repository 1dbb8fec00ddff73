"""Each optional setting taken away in turn, all others being set: every page goes on, and the page of checks
has a row for what is off now."""

from __future__ import annotations

import runpy
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.test import override_settings

from gatekeeper.pages import health
from tests.shipped.certificate import write_certificate
from tests.shipped.installation import PROJECT
from tests.shipped.settings import ROWS, optional, values
from tests.world.doors import DOORS, House, expected

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.conftest import Connection

pytestmark = [pytest.mark.shipped, pytest.mark.django_db(transaction=True, databases="__all__")]

NOT_OURS = {"DATABASES", "BASE_DIR"}


@contextmanager
def only_without(name: str, given: Mapping[str, str]) -> Iterator[None]:
    """The settings as they are read when all but one are set; the database stays the tests'."""
    with pytest.MonkeyPatch.context() as patch:
        for each, value in given.items():
            patch.setenv(f"GATEKEEPER_{each}", value)
        for each in (name, "LOG_KEY"):  # the sealer's key is in no web process
            patch.delenv(f"GATEKEEPER_{each}", raising=False)
        read: dict[str, Any] = runpy.run_path(str(PROJECT / "gatekeeper" / "settings.py"))
    known = {key: value for key, value in read.items() if key.isupper() and key not in NOT_OURS}
    differing = {key: value for key, value in known.items() if getattr(settings, key, None) != value}
    with override_settings(**differing):
        yield


@pytest.fixture
def given(tmp_path: Path) -> dict[str, str]:
    write_certificate(tmp_path, "gatekeeper.test")
    (tmp_path / "siem").mkdir()
    roots = str(tmp_path / "authority.pem")
    return values(
        folder=str(tmp_path), verifier=settings.LOG_VERIFIER, origin=settings.LOG_ORIGIN, roots=roots
    )


def who_sees(door: str) -> str:
    """Somebody to whom the door opens, or anybody."""
    told = expected(door)["GET"]
    return next((actor for actor, answer in told.items() if answer.startswith("200")), "administrator")


@pytest.mark.parametrize("name", ["", *optional()])
def test_every_page_goes_on_without_it(
    setup_connection: Connection, given: dict[str, str], name: str
) -> None:
    house = House(setup_connection)
    broken = []
    with only_without(name, given):
        clients = {actor: house.client(actor) for actor in {who_sees(door) for door in DOORS}}
        for door in DOORS:
            answer = clients[who_sees(door)].get(house.address(door))
            if answer.status_code >= 500:
                broken.append((door, answer.status_code))
        rows = {row.id: row for row in health.rows()}
    assert broken == []
    if name in ROWS:
        row, state = ROWS[name]
        assert rows[row].state == state
        assert rows[row].next_step
