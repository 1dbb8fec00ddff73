"""The connection that signing in alone uses: sessions, factors, passwords and one-time links."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Final

from django.db import transaction

#: The alias, whose role alone may write them (gatekeeper/README.md, 'Roles and rights').
SIGN_IN: Final = "signin"


def as_one() -> AbstractContextManager[Any]:
    """What signing in writes within this is written as a whole, with its entry, or not at all.

    Nothing else may wait in it: pages have another connection.
    """
    return transaction.atomic(using=SIGN_IN)
