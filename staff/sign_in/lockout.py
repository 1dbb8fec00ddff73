"""A lock after failures that nobody can turn against others for ever (ASVS 6.3.1).

Three counts, none of which knows whether the e-mail is anybody's:

- of an account from one address: 10, then a pause of 15 minutes after the last that counted;
- of an account from all addresses: 60 within an hour, against guessing from many;
- of an address for all accounts: 100 within an hour, against one password tried on everybody.

While a lock holds no attempt counts, so that it ends by itself however long somebody goes on. One
address alone stays below the second limit, and under the two wide ones whoever has signed in from this
address before still gets in with the right password: an attacker elsewhere locks nobody out at their
own desk. The answer is the same to all others, and costs no hash: but at an address where somebody has
signed in before, where each attempt costs one, that time tells nobody whose desk it is.

An address that is not known is no address: whoever shared it with an attacker would be locked out too.
For such attempts the second count alone holds, and a success forgets none of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any, Final, NamedTuple

from django.db.models import F, Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.formats import time_format
from django.utils.translation import gettext as _

from audit.context import client_address
from staff.frame.emails import normalise
from staff.models import AttemptCount, Member, Session
from staff.sign_in import records
from staff.sign_in.hashing import hash_in_vain

NARROW: Final = (10, timedelta(minutes=15))
ACCOUNT: Final = (60, timedelta(hours=1))
ADDRESS: Final = (100, timedelta(hours=1))
#: Attempts are counted in rows of a quarter of an hour: a few for each account and address.
QUARTER: Final = 15 * 60
#: How long an address counts as a member's own after both factors were proved there.
FAMILIAR: Final = timedelta(days=90)


class Lock(NamedTuple):
    """A lock that holds: until when, and whether it is a wide one, which spares whoever is at their desk."""

    opens_at: datetime
    is_wide: bool


class Row(NamedTuple):
    """What a count is made of."""

    about: str
    remote_addr: str | None
    last_at: datetime
    attempts: int


# Before an attempt, and after it


def refuses(request: HttpRequest, about: str, password: str = "") -> bool:
    """Whether a lock holds for an attempt from this address, before anything is looked at.

    about: an e-mail, or whatever is counted like one. Raises BusyError.
    """
    lock = _lock(name_of(about), address(request))
    if lock is None:
        return False
    if lock.is_wide and _is_a_desk(address(request)):
        if _at_home(request, about):
            return False
        if password:
            hash_in_vain(password)  # the same work as for whose desk it is
    _put(request, lock, was_met=True)
    return True


def count_failure(request: HttpRequest, about: str) -> None:
    """Count an attempt that failed; where a lock begins with it, record that, and say so on the request."""
    name, here = name_of(about), address(request)
    held = _lock(name, here) is not None
    _count(name, here)
    lock = _lock(name, here)
    if lock is None:
        return
    if not held:
        records.locked_out()
    _put(request, lock, was_met=False)


def count_asking(request: HttpRequest, about: str) -> None:
    """Count what is no failure, and may not be done without end; this one is still done."""
    _count(name_of(about), address(request))


def forget(request: HttpRequest, member: Member) -> None:
    """A success forgets the failures of this account from this address; the others stay."""
    here = address(request)
    if here is not None:
        AttemptCount.objects.filter(about=name_of(member.email), remote_addr=here).delete()


# What the answer says


def is_locked(request: HttpRequest) -> bool:
    """Whether the attempt of this request met a lock, or began one."""
    return hasattr(request, "lock")


def was_locked(request: HttpRequest) -> bool:
    """Whether it met one, and was not looked at: the lock's beginning was recorded before."""
    return bool(getattr(request, "lock_was_met", False))


def words(request: HttpRequest) -> str:
    """When to try again: to the minute, and the same for every reason."""
    local = timezone.localtime(_opens_at(request) + timedelta(minutes=1))
    return _("There were too many attempts. Try again after %(time)s.") % {"time": time_format(local, "H:i")}


def answer(request: HttpRequest, page: HttpResponse) -> HttpResponse:
    """The page as the answer; 429 with Retry-After where this request met a lock, or began one."""
    if is_locked(request):
        page.status_code = 429
        page["Retry-After"] = str(max(1, math.ceil((_opens_at(request) - timezone.now()).total_seconds())))
    return page


# What is counted


def name_of(email: str) -> str:
    """What the counts know an e-mail by."""
    return salted_hmac("staff.lockout", normalise(email), algorithm="sha256").hexdigest()


def address(request: HttpRequest) -> str | None:
    """Whence an attempt comes; of IPv6 the /64, because one line has 2^64. None where it is not known."""
    return _counted(client_address(request))


def _counted(text: str | None) -> str | None:
    if text is None or not isinstance(ip_address(text), IPv6Address):
        return text
    return str(ip_network((text, 64), strict=False).network_address)


def _put(request: Any, lock: Lock, *, was_met: bool) -> None:
    request.lock, request.lock_was_met = lock, was_met


def _opens_at(request: HttpRequest) -> datetime:
    lock: Lock | None = getattr(request, "lock", None)
    return lock.opens_at if lock else timezone.now()


def _count(name: str, here: str | None) -> None:
    """One more, in the row of this quarter of an hour. Nothing that was sent is kept."""
    now = timezone.now()
    AttemptCount.objects.update_or_create(
        about=name,
        remote_addr=here,
        quarter=int(now.timestamp()) // QUARTER,
        defaults={"attempts": F("attempts") + 1, "last_at": now},
        create_defaults={"attempts": 1, "last_at": now},
    )


def _lock(name: str, here: str | None) -> Lock | None:
    """The lock that holds for this account at this address, if one does."""
    now = timezone.now()
    about = Q(about=name) if here is None else Q(about=name) | Q(remote_addr=here)
    found = AttemptCount.objects.filter(about, last_at__gt=now - max(ACCOUNT[1], ADDRESS[1]))
    rows = [Row(*row) for row in found.order_by("last_at").values_list(*Row._fields)]
    from_here = [row for row in rows if here is not None and row.remote_addr == here]
    narrow = _end([row for row in from_here if row.about == name], NARROW, now)
    account = _end([row for row in rows if row.about == name], ACCOUNT, now)
    ends = [end for end in (narrow, account, _end(from_here, ADDRESS, now)) if end is not None]
    return Lock(max(ends), is_wide=narrow is None) if ends else None


def _end(rows: Sequence[Row], limit: tuple[int, timedelta], now: datetime) -> datetime | None:
    """When so many of the failures have passed that fewer than the limit are left; None when they are."""
    most, window = limit
    rows = [row for row in rows if row.last_at > now - window]
    left = sum(row.attempts for row in rows)
    if left < most:
        return None
    for row in rows:
        left -= row.attempts
        if left < most:
            return row.last_at + window
    return None


def _is_a_desk(here: str | None) -> bool:
    """Whether anybody has proved both factors from this address in the last months."""
    if here is None:
        return False
    line = ip_network((here, 64 if ":" in here else 32), strict=False)
    proved = Session.objects.filter(verified_at__gt=timezone.now() - FAMILIAR)
    return proved.filter(remote_addr__range=(str(line[0]), str(line[-1]))).exists()


def _at_home(request: HttpRequest, email: str) -> bool:
    """Whether this member has proved both factors from this address in the last months."""
    proved = Session.objects.filter(member__email=normalise(email), verified_at__gt=timezone.now() - FAMILIAR)
    addresses = proved.exclude(remote_addr=None).values_list("remote_addr", flat=True).distinct()
    return address(request) in map(_counted, addresses)
