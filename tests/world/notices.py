"""Notices that cannot be put down: what they would tell of is then not done either."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from django.db import IntegrityError

from audit.models import Entry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.world import World


@contextmanager
def none_taken(world: World) -> Iterator[None]:
    """Within it the table takes no notice: what is tried there fails for that, and has left no entry."""
    before = Entry.objects.count()
    world.setup.execute("ALTER TABLE staff_mail ADD CONSTRAINT tried CHECK (id IS NULL)")
    try:
        with pytest.raises(IntegrityError, match="tried"):
            yield
    finally:
        world.setup.execute("ALTER TABLE staff_mail DROP CONSTRAINT tried")
    assert Entry.objects.count() == before
