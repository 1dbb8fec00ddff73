"""Participants out of the vault: one by reference, or whoever a complete list does not name."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Final

from gatekeeper.feeds import connection

#: So many go in one transaction, with one entry that names them.
BATCH: Final = 500


def beyond(named: Mapping[str, Iterable[int]]) -> dict[str, list[int]]:
    """In: accounts, each with the numbers that a list names. Out: those that are here beside them, and
    have not objected. Raises django.db.Error."""
    told = [{"reference": account, "numbers": sorted(set(numbers))} for account, numbers in named.items()]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT reference, number FROM vault.participants_beyond(%s::jsonb)", [json.dumps(told)]
        )
        found = cursor.fetchall()
    return {account: [row[1] for row in rows] for account, rows in groupby(found, key=lambda row: row[0])}


def remove(account: str, numbers: Sequence[int], source: str) -> int:
    """Remove records of an account, recorded; who objected stays known as such. Returns how many went.
    Raises django.db.Error."""
    removed = 0
    for start in range(0, len(numbers), BATCH):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT vault.remove_participants(%s::text, %s::integer[], %s::text)",
                [account, list(numbers[start : start + BATCH]), source],
            )
            removed += cursor.fetchone()[0]
    return removed
