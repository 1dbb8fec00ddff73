"""Participants out of the vault: one by reference, or whoever a complete list does not name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Final, NamedTuple

from audit.database import Jsonb, call, calls
from gatekeeper.feeds.connection import ALIAS

#: So many go in one transaction, with one entry that names them.
BATCH: Final = 500


class _Beyond(NamedTuple):
    reference: str
    number: int


def beyond(named: Mapping[str, Iterable[int]]) -> dict[str, list[int]]:
    """In: accounts, each with the numbers that a list names. Out: those that are here beside them, and
    have not objected. Raises django.db.Error."""
    lists = [{"reference": account, "numbers": sorted(set(numbers))} for account, numbers in named.items()]
    found = calls("vault.participants_beyond", lists=Jsonb(lists), into=_Beyond, using=ALIAS)
    return {account: [one.number for one in ones] for account, ones in groupby(found, lambda one: one[0])}


def remove(account: str, numbers: Sequence[int], source: str) -> int:
    """Remove records of an account, recorded; who objected stays known as such. Returns how many went.
    Raises django.db.Error."""
    removed = 0
    for start in range(0, len(numbers), BATCH):
        piece = numbers[start : start + BATCH]
        removed += call(
            "vault.remove_participants", reference=account, numbers=piece, source=source, using=ALIAS
        )
    return removed
