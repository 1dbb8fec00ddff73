"""The gate: may this session see these fields now? Recorded first, then released (gatekeeper/README.md).

    reveal(caller, account, grant, fields)
     ├ vault.reveal
     │  ├ vault.record_view    first transaction: decide, write the entry, commit
     │  └ vault.release_view   second transaction: entry durable? all still holds? → ciphertext
     ├ refused → Refusal       a value with its reason, not an exception
     └ decrypt

Every rule is in SQL (`gatekeeper/gate/sql/gate.sql`). Nothing here decides; what cannot be asked is refused.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError, connections

from audit.database import call
from audit.database import rows as several
from audit.models import Event
from gatekeeper import catalogue
from gatekeeper.gate import vault
from gatekeeper.gate.answers import (
    Answer,
    Decision,
    Refusal,
    Reveal,
    by_category,
    decision_of,
    rows,
    unevaluated,
)
from gatekeeper.gate.cipher import AccountCipher, CipherError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from staff.frame.callers import Caller

logger = logging.getLogger(__name__)


class InsideTransactionError(RuntimeError):
    """The gate was called inside `atomic()`: the record would not be committed before the release,
    and a row that the outer transaction holds would make both wait for each other."""


#: What is no fault of the question: the server is gone, full, or kept it waiting for too long.
AWAY = (OperationalError, InterfaceError)


def evaluate(
    caller: Caller,
    *,
    account: str,
    ticket: str | None = None,
    grant: int | None = None,
    categories: Sequence[str] | None = None,
) -> Decision:
    """Evaluate all conditions without an entry and without starting a clock.

    Without `categories`: whether some category of the grant is open. A database that cannot be
    asked has said no: every row reads `check_failed`.
    """
    try:
        wanted = None if categories is None else list(categories)
        found = call(
            "gatekeeper.gate",
            digest=caller.digest,
            account=account,
            ticket=ticket,
            grant=grant,
            categories=wanted,
            into=Answer,
        )
    except DatabaseError as error:
        logger.error("the gate could not be evaluated: %s", type(error).__name__)  # noqa: TRY400
        return unevaluated(away=isinstance(error, AWAY))
    return decision_of(found)


_GATES = """
    SELECT g.reason, g.codes, g.blocked, g.signature, g.account_id, g.ticket_id, g.request_id, g.grant_id
    FROM unnest(%(accounts)s::text[], %(tickets)s::text[]) WITH ORDINALITY AS p (account, ticket, place)
        CROSS JOIN LATERAL gatekeeper.gate(%(digest)s::bytea, p.account, p.ticket, NULL, NULL) g
    ORDER BY p.place
"""


def evaluate_all(caller: Caller, pairs: Sequence[tuple[str, str]]) -> list[Decision]:
    """`evaluate` pairs of account and ticket at once, for lists: one answer each, in their order."""
    accounts, tickets = [account for account, _ in pairs], [ticket for _, ticket in pairs]
    values = {"digest": caller.digest, "accounts": accounts, "tickets": tickets}
    try:
        found = several(_GATES, values) if pairs else []
    except DatabaseError as error:
        logger.error("the gate could not be evaluated: %s", type(error).__name__)  # noqa: TRY400
        return [unevaluated(away=isinstance(error, AWAY)) for _ in pairs]
    return [decision_of(Answer(*one)) for one in found]


def reveal(
    caller: Caller, *, account: str, grant: int, fields: Sequence[str], open_window: bool = False
) -> Reveal | Refusal:
    """Show these fields of the account under exactly this grant: all or nothing.

    `open_window`: a window that has not begun begins with this reveal.
    """
    return _record_and_release(caller, account=account, grant=grant, fields=fields, open_window=open_window)


def copy(caller: Caller, *, account: str, grant: int, field: str) -> Reveal | Refusal:
    """Fetch one field for the clipboard, without showing it: a view as any other, recorded as `copy`."""
    return _record_and_release(caller, account=account, grant=grant, fields=[field], event=Event.COPY)


def participants(caller: Caller, *, account: str, grant: int, page: int) -> Reveal | Refusal:
    """Show one page (25) of the account's participants; each page is an entry."""
    return _record_and_release(
        caller, account=account, grant=grant, fields=[catalogue.PARTICIPANTS], page=page
    )


def find_participant(
    caller: Caller, *, account: str, grant: int, number: int | None = None, email: str | None = None
) -> Reveal | Refusal:
    """Show the one participant with this number, or with exactly this e-mail (by blind index)."""
    index = None
    if email is not None:
        cipher = _cipher(account)
        # An account without a key has no participants; an index that matches none says the same.
        index = cipher.index(email) if cipher else b""
    return _record_and_release(
        caller,
        account=account,
        grant=grant,
        fields=[catalogue.PARTICIPANTS],
        number=number,
        index=index,
    )


def _record_and_release(
    caller: Caller,
    *,
    account: str,
    grant: int,
    fields: Sequence[str],
    open_window: bool = False,
    page: int | None = None,
    number: int | None = None,
    index: bytes | None = None,
    event: str = Event.VIEW,
) -> Reveal | Refusal:
    _refuse_transactions()
    try:
        revealed = vault.reveal(
            caller,
            account=account,
            grant=grant,
            fields=fields,
            open_window=open_window,
            page=page,
            number=number,
            index=index,
            event=event,
        )
    except DatabaseError as error:  # no entry, no data
        # The database's words may hold values: only their kind is kept.
        logger.error("recording a view failed: %s", type(error).__name__)  # noqa: TRY400
        connections[vault.ALIAS].close()
        return Refusal("record_failed", away=isinstance(error, AWAY))
    if revealed.reason is not None:
        return Refusal(revealed.reason, rows(revealed.codes), revealed.entry)
    return _decrypt(account, revealed)


def _decrypt(account: str, revealed: vault.Revealed) -> Reveal | Refusal:
    entry, codes, blocked = revealed.entry, rows(revealed.codes), by_category(revealed.blocked)
    if revealed.wrapped_key is None or revealed.fields is None or revealed.ciphertexts is None:
        return Reveal(entry, {}, codes, blocked)
    try:
        cipher = AccountCipher.unwrap(account, revealed.wrapped_key)
        pairs = zip(revealed.fields, revealed.ciphertexts, strict=True)
        values = {name: cipher.decrypt(name, sealed) for name, sealed in pairs}
    except CipherError:
        logger.error("a released value of entry %s does not open", entry)  # noqa: TRY400
        return Refusal("check_failed", {}, entry)
    return Reveal(entry, values, codes, blocked)


def _cipher(account: str) -> AccountCipher | None:
    try:
        wrapped = vault.wrapped_key(account)
        return AccountCipher.unwrap(account, wrapped) if wrapped else None
    except (DatabaseError, CipherError) as error:
        logger.error("a data key could not be had: %s", type(error).__name__)  # noqa: TRY400
        return None


def _refuse_transactions() -> None:
    for alias in ("default", vault.ALIAS):
        if connections[alias].in_atomic_block:
            raise InsideTransactionError(alias)
