"""What the helpdesk says, applied: by import and by webhook.

Fail closed: a message about a known ticket that cannot be used blocks that ticket, and one of which
nobody can tell what it is about puts the feed in doubt.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Final, NamedTuple, TypeVar

from django.db.utils import OperationalError
from psycopg.errors import DeadlockDetected, LockNotAvailable

from audit import references
from audit.database import Jsonb, call, calls
from gatekeeper import catalogue
from gatekeeper.feeds import connection
from gatekeeper.feeds.mentions import mentioned
from gatekeeper.feeds.ticket_lines import TicketLine, sender_time
from gatekeeper.models import Ticket

ROUNDS: Final = 5
KEY: Final = "number"

_NUMBER: Final = re.compile(references.TICKET)

Done = TypeVar("Done")


def is_number(value: object) -> bool:
    """Whether that is a ticket's number."""
    return isinstance(value, str) and _NUMBER.fullmatch(value.strip().upper()) is not None


class _Applied(NamedTuple):
    number: str
    outcome: str


class _Open(NamedTuple):
    number: str
    line: str


def apply(lines: Sequence[TicketLine], source: str, *, as_of: datetime | None = None) -> dict[str, str]:
    """Apply tickets with different numbers; return the outcome of each: new, changed, same, older,
    tied (another one of the same moment stands), or future, which is unusable: such a ticket is blocked.
    `as_of`: when the complete list began that has these lines. Raises django.db.Error."""
    payload = Jsonb([line.payload() for line in lines])
    with connection.atomic():
        outcomes = dict(
            calls(
                "gatekeeper.apply_tickets",
                tickets=payload,
                source=source,
                as_of=as_of,
                into=_Applied,
                using=connection.ALIAS,
            )
        )
        for number, outcome in outcomes.items():
            if outcome == "future":
                block(number, None, source)
    return outcomes


def apply_patiently(
    lines: Sequence[TicketLine], source: str, *, as_of: datetime | None = None
) -> dict[str, str]:
    """Apply a batch outside any transaction."""
    return _patiently(lambda: apply(lines, source, as_of=as_of))


def block(number: str, at: datetime | None, source: str) -> str:
    """Block one ticket until a usable message comes; `at`: the moment of the unusable one, where it is
    known. Returns blocked, same (it was closed) or unknown."""
    return str(call("gatekeeper.block_ticket", number=number, at=at, source=source, using=connection.ALIAS))


def block_named(raw: bytes, sent_at: datetime | None, source: str) -> list[str]:
    """Block the known tickets that an unusable line names, as far as it can be read; return them.

    `sent_at` stands in for the line's own time where that cannot be read.
    """
    return block_all(named(raw), sender_time(raw) or sent_at, source)


def named(raw: bytes) -> list[str]:
    """The tickets that an unusable line names."""
    return mentioned(raw, KEY, references.TICKET)


def block_all(numbers: Sequence[str], at: datetime | None, source: str) -> list[str]:
    """Block those of these tickets that are known; return them."""
    return [number for number in sorted(numbers) if block(number, at, source) != "unknown"]


def record_contact(source: str) -> None:
    """Record that an authentic message of the helpdesk came now. Raises django.db.Error."""
    call("gatekeeper.record_contact", source=source, using=connection.ALIAS)


def agree(count: int | None, digest: str | None, as_of: datetime, source: str) -> bool:
    """Whether the helpdesk holds the same open tickets as we; the answer is kept in the feed."""
    agrees = call(
        "gatekeeper.compare_tickets",
        open=count,
        digest=digest,
        as_of=as_of,
        source=source,
        using=connection.ALIAS,
    )
    return bool(agrees)


def open_lines() -> dict[str, str]:
    """For each open ticket, by number, its line of the digest."""
    return dict(sorted(calls("gatekeeper.open_tickets", into=_Open, using=connection.ALIAS)))


def open_numbers(until: datetime) -> set[str]:
    """The open tickets that changed last no later than that moment."""
    found = Ticket.objects.using(connection.ALIAS).filter(
        state__in=catalogue.OPEN_STATES, updated_at__lte=until
    )
    return set(found.order_by().values_list("number", flat=True))


def close_missing(numbers: Iterable[str], as_of: datetime, source: str) -> list[str]:
    """Close tickets that a complete list, begun at that moment, does not have; return those that were
    still open and not newer. Outside any transaction; access ends in the same one."""

    def close() -> list[str]:
        with connection.atomic():
            return calls(
                "gatekeeper.close_missing",
                numbers=list(numbers),
                as_of=as_of,
                source=source,
                using=connection.ALIAS,
            )

    return _patiently(close)


def _patiently(act: Callable[[], Done]) -> Done:
    """Run what ends grants of many members, in no order that all others keep: PostgreSQL may pick it as
    the victim of a deadlock, or somebody holds a row for long: then it begins again."""
    for _ in range(ROUNDS):
        try:
            return act()
        except OperationalError as error:
            if not isinstance(error.__cause__, DeadlockDetected | LockNotAvailable):
                raise
    return act()
