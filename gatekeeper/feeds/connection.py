"""The feeds' own connection: what the platform and the helpdesk say is read and written there alone.

A block that is open on it calls no other connection, or the two could wait for each other where
PostgreSQL cannot see it.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Final

from django.db import transaction

ALIAS: Final = "feed"


def atomic() -> AbstractContextManager[None]:
    """A transaction of the feeds' connection."""
    return transaction.atomic(using=ALIAS)
