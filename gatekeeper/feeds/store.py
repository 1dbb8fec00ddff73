"""Accounts and participants into the vault: encrypted here, stored by the feeds' own functions.

A call takes lines with different keys and returns what became of each: new, changed, same, older,
or why it was refused (erased, repeated, unknown).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

from gatekeeper.feeds import closing, connection
from gatekeeper.feeds.account_lines import AccountLine, personal
from gatekeeper.feeds.closing import Closing
from gatekeeper.feeds.participant_lines import ParticipantLine
from gatekeeper.gate.cipher import AccountCipher

ROUNDS: Final = 5

Ciphers = Mapping[str, AccountCipher]
Stored = TypeVar("Stored", AccountLine, ParticipantLine)


class StoreBusyError(Exception):
    """Others kept changing the same accounts. Nothing of these lines was stored: try again."""


def store_accounts(lines: Sequence[AccountLine], source: str) -> dict[str, str]:
    """Store whole accounts; return the outcome of each reference. Of two that contradict each other at
    one moment the first stands, and what the second closes is closed. Raises django.db.Error."""
    outcomes = _in_rounds(
        lines,
        lambda line: line.reference,
        _account,
        "SELECT reference, outcome FROM vault.store_accounts(%s::jsonb, %s::text)",
        source,
    )
    for line in lines:
        if outcomes[line.reference] == "repeated":
            close_account(closing.of_line(line), source)
    return outcomes


def close_account(told: Closing, source: str) -> list[str]:
    """Close what a refused line can only have meant; return what was closed now: restricted,
    participants, support. Raises django.db.Error."""
    wrapped = AccountCipher.new(told.reference).wrapped
    participants, support = told.participants or (None, None), told.support or (None, None)
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT vault.close_account(%s::text, %s::timestamptz, %s::boolean, %s::timestamptz,
                %s::timestamptz, %s::timestamptz, %s::timestamptz, %s::bytea, %s::text)""",
            [told.reference, told.at, told.restrict, *participants, *support, wrapped, source],
        )
        return list(cursor.fetchone()[0])


def close_all(told: Iterable[Closing], source: str) -> list[str]:
    """Close what refused lines can only have meant; return what was closed now."""
    return [what for one in told for what in close_account(one, source)]


def object_refused(raw: bytes, source: str) -> list[str]:
    """Keep the objection that a refused line of participants speaks of; return `objected` for each that
    was not known before."""
    outcomes = store_participants(closing.objections(raw), source)
    return ["objected" for outcome in outcomes.values() if outcome in ("new", "changed")]


def store_participants(lines: Sequence[ParticipantLine], source: str) -> dict[str, str]:
    """Store participants' records; return the outcome of each reference. Raises django.db.Error."""
    return _in_rounds(
        lines,
        lambda line: line.account,
        _participant,
        "SELECT reference || '-P' || number, outcome FROM vault.store_participants(%s::jsonb, %s::text)",
        source,
    )


def erase_account(reference: str, source: str) -> str:
    """Erase at once and for ever. Returns erased, barred (it was never here) or already."""
    return _ask("SELECT vault.erase_account(%s::text, %s::text)", [reference, source])


def restrict_account(reference: str, source: str, *, restrict: bool) -> str:
    """Restrict (Art. 18), or lift. Returns restricted, lifted, platform (it still restricts), same,
    unknown or erased."""
    return _ask(
        "SELECT vault.restrict_account(%s::text, %s::boolean, %s::text)",
        [reference, restrict, source],
    )


def record_import(
    what: str, counts: Mapping[str, int], source: str, *, finished: bool = True, account: str = ""
) -> None:
    """Write the entry of one run: how many lines were new, changed, same, older and refused."""
    _ask(
        "SELECT gatekeeper.record_import(%s::text, %s::boolean, %s::jsonb, %s::text, %s::text)",
        [what, finished, json.dumps(counts), account, source],
    )


def _in_rounds(
    lines: Sequence[Stored],
    account: Callable[[Stored], str],
    sealed: Callable[[Stored, AccountCipher], dict[str, Any]],
    statement: str,
    source: str,
) -> dict[str, str]:
    """Encrypt and store, and once more what was encrypted under a key that is the account's no longer."""
    outcomes: dict[str, str] = {}
    waiting = list(lines)
    for _ in range(ROUNDS):
        ciphers = _ciphers({account(line) for line in waiting})
        rows = [sealed(line, ciphers[account(line)]) for line in waiting]
        with connection.cursor() as cursor:
            cursor.execute(statement, [json.dumps(rows), source])
            outcomes.update(cursor.fetchall())
        waiting = [line for line in waiting if outcomes[line.key] == "again"]
        if not waiting:
            return outcomes
    raise StoreBusyError


def _ciphers(references: set[str]) -> Ciphers:
    """The accounts' ciphers: under their data key, or under a new one where there is none."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT reference, wrapped_key FROM vault.stored(%s::text[])", [list(references)])
        keys = dict(cursor.fetchall())
    return {
        reference: AccountCipher.unwrap(reference, keys[reference])
        if keys.get(reference)
        else AccountCipher.new(reference)
        for reference in references
    }


def _account(line: AccountLine, cipher: AccountCipher) -> dict[str, Any]:
    told = line.told()
    values = personal(told)
    visit = line.activity.last_visit_at if line.activity else None
    ended = line.contract_ended_at
    return {
        "reference": line.reference,
        "plan": line.plan or "",
        "language": line.language or "",
        "created_at": told["created_at"],
        "exported_at": line.exported_at.isoformat(),
        **(told["consent"] or {}),
        "restricted_at": told["restricted_at"],
        "last_used_on": visit.date().isoformat() if visit else None,
        "contract_ended_on": ended.date().isoformat() if ended else None,
        "wrapped_key": _hex(cipher.wrapped),
        "digest": _hex(cipher.digest(told)),
        "fields": list(values),
        "ciphertexts": [_hex(cipher.encrypt(name, value)) for name, value in values.items()],
    }


def _participant(line: ParticipantLine, cipher: AccountCipher) -> dict[str, Any]:
    record = line.record()
    email, objected = record.get("email"), bool(line.objected)
    return {
        "reference": line.account,
        "number": line.number,
        "wrapped_key": _hex(cipher.wrapped),
        "digest": _hex(cipher.digest({"objected": objected, **record})),
        "email_index": _hex(cipher.index(email)) if email else None,
        "objected": objected,
        "ciphertext": _hex(cipher.encrypt(f"participants.{line.number}", record)),
    }


def _hex(data: bytes) -> str:
    return "\\x" + data.hex()


def _ask(statement: str, values: Sequence[str | bool]) -> str:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return str(cursor.fetchone()[0])
