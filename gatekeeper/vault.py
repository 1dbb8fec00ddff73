"""The two calls by which a personal value leaves the database. Nothing but `gate` calls them.

Each runs in autocommit on the `vault` alias: two transactions, or the release rightly refuses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audit.functions import call

if TYPE_CHECKING:
    from collections.abc import Sequence

    from staff.callers import Caller

ALIAS = "vault"

_RECORD = """
    SELECT entry, reason, codes FROM vault.record_view(%s::bytea, %s::jsonb, %s::text, %s::bigint,
        %s::text[], %s::boolean, %s::integer, %s::integer, %s::bytea)
"""
_RELEASE = """
    SELECT reason, codes, wrapped_key, fields, ciphertexts
    FROM vault.release_view(%s::bytea, %s::jsonb, %s::bigint)
"""


@dataclass(frozen=True)
class Recorded:
    """The entry that was written, and the decision that stands in it."""

    entry: int
    reason: str | None
    codes: list[str] | None


@dataclass(frozen=True)
class Released:
    """Ciphertexts of exactly the fields that the entry names; or the reason why there are none."""

    reason: str | None
    codes: list[str] | None
    wrapped_key: bytes | None
    fields: list[str] | None
    ciphertexts: list[bytes] | None


def record_view(
    caller: Caller,
    *,
    account: str,
    grant: int,
    fields: Sequence[str],
    open_window: bool,
    page: int | None = None,
    number: int | None = None,
    index: bytes | None = None,
) -> Recorded:
    """First transaction: decide and write the entry. Raises django.db.Error: nothing was recorded."""
    values = [
        caller.digest,
        caller.context,
        account,
        grant,
        list(fields),
        open_window,
        page,
        number,
        index,
    ]
    return Recorded(*call(_RECORD, values, using=ALIAS))


def release_view(caller: Caller, *, entry: int) -> Released:
    """Second transaction: what the entry names, if it is durable and all still holds.

    While the entry is not yet on disk, each call's own COMMIT helps it there; two seconds bound it.
    """
    while True:
        released = Released(*call(_RELEASE, [caller.digest, caller.context, entry], using=ALIAS))
        if released.reason != "record_pending":
            return released


def wrapped_key(account: str) -> bytes | None:
    """The account's data key, wrapped under the key ring; None when there is no such account."""
    key: bytes | None = call("SELECT vault.wrapped_key(%s::text)", [account], using=ALIAS)[0]
    return key
