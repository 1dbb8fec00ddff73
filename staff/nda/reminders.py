"""Reminding of the end of agreements: 30, 14, 3 and 0 days before, once each.

Without mail nobody is left out: home shows the same to the member and to people officers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from django.db import IntegrityError, transaction
from django.utils import timezone

from staff.frame import mails
from staff.models import Member, Reminder, Role, Signature
from staff.nda import register

DAYS: Final = (30, 14, 3, 0)
#: The last day was missed, because nothing ran: it is still said for so long after it.
LATE: Final = timedelta(days=3)


@dataclass(frozen=True)
class Due:
    """One reminder that is due: whose signature, which of the four, and the last day."""

    signature: Signature
    days: int
    last_day: date


def due() -> Iterator[Due]:
    """What is to be told now. Of several that are due at once the nearest alone is told.

    Only the signature that lasts longest counts: whoever has signed again is not reminded.
    """
    now = timezone.now()
    told = set(Reminder.objects.values_list("signature_id", "days"))
    for line in register.lines(at=now):
        if line.signature is None or line.ends is None or line.ends <= now - LATE:
            continue
        if line.reason not in ("", "nda_expired", "nda_old_version") or line.waits:
            continue
        # A version to come may be signed already: what takes over without a gap is no end.
        ends = line.ends if line.reason else register.agreement_ends(line.member)
        last_day = register.last_day(ends)
        left = max((last_day - timezone.localdate(now)).days, 0)
        nearest = min((days for days in DAYS if left <= days), default=None)
        if nearest is not None and (line.signature.pk, nearest) not in told:
            yield Due(line.signature, nearest, last_day)


def remind(found: list[Due]) -> int:
    """Remind each member, and tell the people officers how many; returns how many were newly reminded.

    The row is written first: of two that run at once one tells.
    """
    counted: Counter[int] = Counter()
    for one in found:
        if _note(one):
            mails.notify(one.signature.member, "staff/mail/nda_ends.txt", day=one.last_day)
            counted[one.days] += 1
    for days, number in sorted(counted.items()):
        for officer in officers():
            mails.notify(officer, "staff/mail/nda_ends_officer.txt", number=number, days=days)
    return counted.total()


def officers() -> list[Member]:
    """The people officers who are at work."""
    found = Member.objects.filter(roles__contains=[Role.PEOPLE])
    return [one for one in found if not one.barred_because()]


def _note(one: Due) -> bool:
    try:
        with transaction.atomic():
            Reminder.objects.create(signature=one.signature, days=one.days)
    except IntegrityError:
        return False
    return True
