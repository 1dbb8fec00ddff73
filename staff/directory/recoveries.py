"""Officers brought back on the database's machine: thin calls of `staff/directory/sql/recovery.sql`."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from django.utils import timezone

from audit.database import call
from staff.frame import mails
from staff.models import Member, Recovery
from staff.sign_in import invitations

if TYPE_CHECKING:
    from collections.abc import Sequence

    import psycopg
    from django.db.models import QuerySet

    from staff.frame.callers import Caller


class _Recovered(NamedTuple):
    reason: str
    able: list[str] | None
    hindered: dict[str, list[str]] | None


@dataclass(frozen=True)
class Outcome:
    """`reason` '' when it was done, or would be; who is able to act; what keeps each from it who was named;
    and the path of each one's link, by number."""

    reason: str
    able: list[str]
    hindered: dict[str, list[str]]
    links: dict[str, str]


def recover(setup: psycopg.Connection[Any], numbers: Sequence[str], source: str, *, dry: bool) -> Outcome:
    """Bring these officers back, over the setup role's connection; `dry`: only say what would be done."""
    tokens = {number: secrets.token_urlsafe(32) for number in numbers}
    digests = None if dry else [invitations.digest_of(token) for token in tokens.values()]
    reason, able, hindered = call(
        "staff.recover", numbers=list(tokens), digests=digests, source=source, into=_Recovered, using=setup
    )
    made = {} if dry or reason else {number: invitations.path_of(token) for number, token in tokens.items()}
    return Outcome(str(reason), list(able or ()), dict(hindered or {}), made)


def unseen() -> QuerySet[Recovery]:
    """What no reviewer has acknowledged, the newest first."""
    return Recovery.objects.filter(acknowledged_at=None)


def acknowledge(caller: Caller, recovery: int) -> str:
    """A reviewer has seen it; the reason, '' when done."""
    return str(call("staff.acknowledge_recovery", caller, recovery=recovery))


def notify_officers(numbers: Sequence[str]) -> None:
    """Mail everybody who works here."""
    at_work = Member.objects.filter(starts_on__lte=timezone.localdate())
    for one in at_work:
        if not one.barred_because():
            mails.notify(one, "staff/mail/recovered.txt", numbers=", ".join(numbers))
