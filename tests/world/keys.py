"""What signing in alone may do, for the tests: sessions by their key's digest, changes with their entry."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from audit.models import Entry, Event
from staff.frame.sign_in import SIGN_IN, as_one
from staff.models import Member, Session
from tests import environment


def session_of(digest: bytes | None) -> Session:
    """The session whose key has this digest."""
    return Session.objects.get(pk=_column(digest, "id"))


def remembered(digest: bytes | None) -> Any:
    """What signing in remembers of the session."""
    return _column(digest, "data")


def row(digest: bytes | None) -> Any:
    """All that the database has of the session."""
    return _column(digest, "to_jsonb(staff_session)")


@contextmanager
def with_an_entry(member: Member) -> Iterator[None]:
    """As a page does it: what signing in writes of a member goes in with an entry, in one transaction."""
    with as_one():
        yield
        Entry.objects.using(SIGN_IN).create(
            event=Event.CHANGE, member=member.number, member_name=member.name, object_repr="tests", cid="c-1"
        )


@contextmanager
def no_entry(setup: psycopg.Connection, event: str) -> Iterator[None]:
    """The log takes no entry of an event."""
    setup.execute(
        f"ALTER TABLE audit_entry ADD CONSTRAINT refused CHECK (event <> '{event}') NOT VALID".encode()
    )
    try:
        yield
    finally:
        setup.execute("ALTER TABLE audit_entry DROP CONSTRAINT refused")


def _column(digest: bytes | None, name: str) -> Any:
    url = environment.setup_url(environment.database_name())
    with psycopg.connect(url) as setup:
        row = setup.execute(
            f"SELECT {name} FROM staff_session WHERE digest = %s",
            [digest],
        ).fetchone()
    assert row is not None, "there is no such session"
    return row[0]
