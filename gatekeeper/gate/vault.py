"""The call by which a personal value leaves the database. Nothing but `gate` calls it.

It runs in autocommit on the `vault` alias: in an open transaction PostgreSQL refuses its COMMIT.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audit.database import call, rows
from audit.models import Event

if TYPE_CHECKING:
    from collections.abc import Sequence

    from staff.frame.callers import Caller

ALIAS = "vault"

#: The only procedure: it commits between its two transactions, and what it gives is named as NULL.
_REVEAL = """
    CALL vault.reveal(p_digest => %(digest)s, p_context => %(context)s, p_account => %(account)s,
        p_grant => %(grant)s, p_fields => %(fields)s, p_open => %(open)s, p_page => %(page)s,
        p_number => %(number)s, p_index => %(index)s, p_event => %(event)s, entry => NULL, reason => NULL,
        codes => NULL, blocked => NULL, wrapped_key => NULL, fields => NULL, ciphertexts => NULL)
"""


@dataclass(frozen=True, slots=True)
class Revealed:
    """The entry, and ciphertexts of exactly the fields that it names; or the reason why there are none."""

    entry: int
    reason: str | None
    codes: list[str] | None
    blocked: list[list[str]] | None  # the grant's categories that stay blocked, each with its reason
    wrapped_key: bytes | None
    fields: list[str] | None
    ciphertexts: list[bytes] | None


def reveal(
    caller: Caller,
    *,
    account: str,
    grant: int,
    fields: Sequence[str],
    open_window: bool,
    page: int | None = None,
    number: int | None = None,
    index: bytes | None = None,
    event: str = Event.VIEW,
) -> Revealed:
    """Record, commit, release: two transactions in one call. Raises django.db.Error: nothing is shown."""
    values = {
        "digest": caller.digest,
        "context": caller.context,
        "account": account,
        "grant": grant,
        "fields": list(fields),
        "open": open_window,
        "page": page,
        "number": number,
        "index": index,
        "event": event,
    }
    [found] = rows(_REVEAL, values, using=ALIAS)
    return Revealed(*found)


def wrapped_key(account: str) -> bytes | None:
    """The account's data key, wrapped under the key ring; None when there is no such account."""
    key: bytes | None = call("vault.wrapped_key", account=account, using=ALIAS)
    return key
