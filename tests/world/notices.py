"""Notices that cannot be put down: what they would tell of is then not done either."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from django.db import Error as DatabaseError
from django.db import IntegrityError

from audit.models import Entry
from staff.models import Mail

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


@contextmanager
def none_recorded(world: World) -> Iterator[None]:
    """Within it no entry is committed: what is tried there fails at its end, and no notice tells of it."""
    world.setup.execute(
        "CREATE FUNCTION public.tried() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'tried'; END $$"
    )
    world.setup.execute(
        "CREATE CONSTRAINT TRIGGER tried AFTER INSERT ON audit_entry DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION public.tried()"
    )
    try:
        with pytest.raises(DatabaseError, match="tried"):
            yield
    finally:
        world.setup.execute("DROP TRIGGER tried ON audit_entry")
        world.setup.execute("DROP FUNCTION public.tried()")
    assert not Mail.objects.exists()
