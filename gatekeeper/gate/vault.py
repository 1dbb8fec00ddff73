"""The call by which a personal value leaves the database. Nothing but `gate` calls it.

It runs in autocommit on the `vault` alias: in an open transaction PostgreSQL refuses its COMMIT.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audit.functions import call

if TYPE_CHECKING:
    from collections.abc import Sequence

    from staff.frame.callers import Caller

ALIAS = "vault"

_REVEAL = """
    CALL vault.reveal(%s::bytea, %s::jsonb, %s::text, %s::bigint, %s::text[], %s::boolean,
        %s::integer, %s::integer, %s::bytea, NULL, NULL, NULL, NULL, NULL, NULL, NULL)
"""


@dataclass(frozen=True, slots=True)
class Revealed:
    """The entry, and ciphertexts of exactly the fields that it names; or the reason why there are none."""

    entry: int
    reason: str | None
    codes: list[str] | None
    shut: list[list[str]] | None  # the grant's categories that stay shut, each with its reason
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
) -> Revealed:
    """Record, commit, release: two transactions in one call. Raises django.db.Error: nothing is shown."""
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
    return Revealed(*call(_REVEAL, values, using=ALIAS))


def wrapped_key(account: str) -> bytes | None:
    """The account's data key, wrapped under the key ring; None when there is no such account."""
    key: bytes | None = call("SELECT vault.wrapped_key(%s::text)", [account], using=ALIAS)[0]
    return key
