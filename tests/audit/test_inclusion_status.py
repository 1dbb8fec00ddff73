"""How an opened row stands in the sealed log: computed from the row as it is, never from a note about it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from django.conf import settings

from audit.seal import stored
from audit.seal.checkpoints import Keys
from audit.seal.inclusion_status import InclusionStatus, inclusion_status

if TYPE_CHECKING:
    from tests.world.log import Log

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


def stands(entry: int) -> InclusionStatus:
    return inclusion_status(stored.raw("default"), Keys.read(settings.LOG_VERIFIER), entry=entry)


def test_an_entry_waits_until_a_checkpoint_covers_it(log: Log) -> None:
    first, second = log.sealed(2)
    third = log.write()
    assert stands(second).state == "sealed"
    assert stands(second).sealed_at is not None
    assert stands(third) == InclusionStatus("waits")
    log.sealed(5)
    assert stands(first) == replace(stands(second), place=stands(first).place)
    assert stands(third).state == "sealed"
    assert (stands(third).size or 0) > (stands(second).size or 0)


@pytest.mark.parametrize(
    "column", ["member = 'K-6666'", "account = 'MOC-66666'", "fields = '{contact.email}'", "reason = 'x'"]
)
def test_a_row_that_was_altered_does_not_stand(log: Log, column: str) -> None:
    [entry, other] = log.sealed(2)
    with log.untriggered():
        log.setup.execute(f"UPDATE audit_entry SET {column} WHERE id = %s".encode(), [entry])
    assert stands(entry).state == "broken"
    assert stands(other).state == "sealed"


def test_a_leaf_made_to_fit_does_not_help(log: Log) -> None:
    [entry, other] = log.sealed(2)
    with log.untriggered():
        log.setup.execute("UPDATE audit_leaf SET hash = sha256('x') WHERE entry = %s", [other])
    assert stands(entry).state == "broken"


def test_a_checkpoint_of_another_key_proves_nothing(log: Log) -> None:
    [entry] = log.sealed(1)
    with log.untriggered():
        log.setup.execute("UPDATE audit_checkpoint SET note = replace(note, '— ', '— x')")
    assert stands(entry).state == "broken"
