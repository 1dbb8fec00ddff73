"""Accounts and participants into the vault: encrypted here, stored by the feeds' own functions.

A call takes lines with different keys and returns what became of each: new, changed, same, older,
or why it was refused (erased, repeated, unknown).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from audit.database import Jsonb, call, calls
from gatekeeper.feeds import closing
from gatekeeper.feeds.account_lines import AccountLine, personal
from gatekeeper.feeds.closing import Closing
from gatekeeper.feeds.connection import ALIAS
from gatekeeper.feeds.participant_lines import ParticipantLine
from gatekeeper.gate.cipher import AccountCipher

ROUNDS: Final = 5

Ciphers = Mapping[str, AccountCipher]
Stored = TypeVar("Stored", AccountLine, ParticipantLine)


class _StoredAccount(NamedTuple):
    reference: str
    outcome: str

    @property
    def key(self) -> str:
        return self.reference


class _StoredParticipant(NamedTuple):
    reference: str
    number: int
    outcome: str

    @property
    def key(self) -> str:
        return f"{self.reference}-P{self.number}"


class _Known(NamedTuple):
    reference: str
    wrapped_key: bytes | None


class StoreBusyError(Exception):
    """Others kept changing the same accounts. Nothing of these lines was stored: try again."""


def store_accounts(lines: Sequence[AccountLine], source: str) -> dict[str, str]:
    """Store whole accounts; return the outcome of each reference. Of two that contradict each other at
    one moment the first stands, and what the second closes is closed. Raises django.db.Error."""
    outcomes = _in_rounds(
        lines,
        lambda line: line.reference,
        _account,
        lambda payload: calls(
            "vault.store_accounts", lines=payload, source=source, into=_StoredAccount, using=ALIAS
        ),
    )
    for line in lines:
        if outcomes[line.reference] == "repeated":
            close_account(closing.of_line(line), source)
    return outcomes


def close_account(refused: Closing, source: str) -> list[str]:
    """Close what a refused line can only have meant; return what was closed now: restricted,
    participants, support. Raises django.db.Error."""
    wrapped = AccountCipher.new(refused.reference).wrapped
    participants, support = refused.participants or (None, None), refused.support or (None, None)
    closed = call(
        "vault.close_account", reference=refused.reference, at=refused.at, restrict=refused.restrict,
        participants_since=participants[0], participants_until=participants[1],
        support_since=support[0], support_until=support[1],
        wrapped_key=wrapped, source=source, using=ALIAS,
    )  # fmt: skip
    return list(closed)


def close_all(refused: Iterable[Closing], source: str) -> list[str]:
    """Close what refused lines can only have meant; return what was closed now."""
    return [what for one in refused for what in close_account(one, source)]


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
        lambda payload: calls(
            "vault.store_participants", lines=payload, source=source, into=_StoredParticipant, using=ALIAS
        ),
    )


def erase_account(reference: str, source: str) -> str:
    """Erase at once and for ever. Returns erased, barred (it was never here) or already."""
    return str(call("vault.erase_account", reference=reference, source=source, using=ALIAS))


def restrict_account(reference: str, source: str, *, restrict: bool) -> str:
    """Restrict (Art. 18), or lift. Returns restricted, lifted, platform (it still restricts), same,
    unknown or erased."""
    return str(
        call("vault.restrict_account", reference=reference, restrict=restrict, source=source, using=ALIAS)
    )


def record_import(
    what: str, counts: Mapping[str, int], source: str, *, finished: bool = True, account: str = ""
) -> None:
    """Write the entry of one run: how many lines were new, changed, same, older and refused."""
    call(
        "gatekeeper.record_import", what=what, finished=finished, counts=counts, account=account,
        source=source, using=ALIAS,
    )  # fmt: skip


def _in_rounds(
    lines: Sequence[Stored],
    account: Callable[[Stored], str],
    encrypt: Callable[[Stored, AccountCipher], dict[str, Any]],
    store: Callable[[Jsonb], Sequence[_StoredAccount | _StoredParticipant]],
) -> dict[str, str]:
    """Encrypt and store, and once more what was encrypted under a key that is the account's no longer."""
    outcomes: dict[str, str] = {}
    waiting = list(lines)
    for _ in range(ROUNDS):
        ciphers = _ciphers({account(line) for line in waiting})
        encrypted = [encrypt(line, ciphers[account(line)]) for line in waiting]
        outcomes |= {one.key: one.outcome for one in store(Jsonb(encrypted))}
        waiting = [line for line in waiting if outcomes[line.key] == "stale_key"]
        if not waiting:
            return outcomes
    raise StoreBusyError


def _ciphers(references: set[str]) -> Ciphers:
    """The accounts' ciphers: under their data key, or under a new one where there is none."""
    known = calls("vault.stored", references=references, into=_Known, using=ALIAS)
    keys = {one.reference: one.wrapped_key for one in known if one.wrapped_key}
    return {
        reference: AccountCipher.unwrap(reference, keys[reference])
        if reference in keys
        else AccountCipher.new(reference)
        for reference in references
    }


def _account(line: AccountLine, cipher: AccountCipher) -> dict[str, Any]:
    payload = line.payload()
    values = personal(payload)
    visit = line.activity.last_visit_at if line.activity else None
    ended = line.contract_ended_at
    return {
        "reference": line.reference,
        "plan": line.plan or "",
        "language": line.language or "",
        "created_at": payload["created_at"],
        "exported_at": line.exported_at.isoformat(),
        **(payload["consent"] or {}),
        "restricted_at": payload["restricted_at"],
        "last_used_on": visit.date().isoformat() if visit else None,
        "contract_ended_on": ended.date().isoformat() if ended else None,
        "wrapped_key": _hex(cipher.wrapped),
        "digest": _hex(cipher.digest(payload)),
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
