"""A lock after failures, by django-axes, that nobody can turn against others for ever (ASVS 6.3.1).

Three counts, none of which knows whether the e-mail is anybody's:

- of an account from one address: 10, then a pause of 15 minutes after the last that counted;
- of an account from all addresses: 60 within an hour, against guessing from many;
- of an address for all accounts: 100 within an hour, against one password tried on everybody.

While a lock holds no attempt counts, so that it ends by itself however long somebody goes on. One
address alone stays below the second limit, and under the two wide ones whoever has signed in from this
address before still gets in with the right password: an attacker elsewhere shuts out nobody at their
own desk. The answer is the same to all others, and costs no hash: but at an address where somebody has
signed in before, where each attempt costs one, that time tells nobody whose desk it is.

An address that is not known is no address: whoever shared it with a stranger would be shut out with them.
For such attempts the second count alone holds, and a success forgets none of them.

What axes keeps is a count, a moment, the address, and an HMAC of the e-mail: what was typed as one may
be a password in the wrong field.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any, Final

from axes.handlers.database import AxesDatabaseHandler
from axes.handlers.proxy import AxesProxyHandler
from axes.models import AccessAttempt
from django.db.models import F, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.formats import time_format
from django.utils.translation import gettext as _

from audit.context import client_address
from staff import records
from staff.emails import normalise
from staff.hashing import hash_in_vain
from staff.models import Session
from staff.sign_in import as_one

NARROW: Final = (10, timedelta(minutes=15))
ACCOUNT: Final = (60, timedelta(hours=1))
ADDRESS: Final = (100, timedelta(hours=1))
#: Attempts are counted in rows of a quarter of an hour: a few for each account and address.
BUCKET: Final = 15 * 60
#: What rows have where an address is not known: the unspecified one, which nobody has (RFC 1122 §3.2.1.3).
#: Null would not do, for no two nulls are one key.
UNKNOWN: Final = "0.0.0.0"  # noqa: S104  # nothing listens there
#: How long a row is of use.
KEPT: Final = timedelta(hours=2)
#: How long an address counts as a member's own after both factors were proved there.
FAMILIAR: Final = timedelta(days=90)

Credentials = dict[str, Any] | None


def name_of(email: str) -> str:
    """What the counts know an e-mail by."""
    return salted_hmac("staff.lockout", normalise(email), algorithm="sha256").hexdigest()


def address(request: HttpRequest) -> str | None:
    """`AXES_CLIENT_IP_CALLABLE`: whence an attempt comes; of IPv6 the /64, for one line has 2^64."""
    return known_address(request) or UNKNOWN


def known_address(request: HttpRequest) -> str | None:
    """The same; None where it is not known."""
    return _counted(client_address(request))


def anonymous(*_about: Any) -> str:
    """`AXES_CLIENT_STR_CALLABLE`: what the process' log says of a client. A path may hold a link."""
    return "a client"


def username(request: HttpRequest | None, credentials: Credentials = None) -> str:
    """`AXES_USERNAME_CALLABLE`: whom an attempt is about, whether or not there is such a member."""
    return name_of(str((credentials or {}).get("email") or ""))


class Handler(AxesDatabaseHandler):  # type: ignore[misc]  # django-axes ships no types
    """axes' own storage and signals, with our counts."""

    def is_locked(self, request: Any, credentials: Credentials = None) -> bool:
        """Before a password is looked at: shut, save for who is known at this address."""
        request.lock_opens_at, wide = _opens_at(request, credentials)
        if request.lock_opens_at is None:
            return False
        if wide and _is_a_desk(request.axes_ip_address):
            if _at_home(request, credentials):
                return False
            if password := str((credentials or {}).get("password") or ""):
                hash_in_vain(password)  # the same work as for whose desk it is
        request.lock_met = True
        return True

    def user_login_failed(
        self, sender: Any, credentials: dict[str, Any], request: Any = None, **_others: Any
    ) -> None:
        """Count a failure; say on the request whether a lock holds, and record its beginning."""
        if request is None:
            return
        was_locked = request.lock_opens_at is not None if hasattr(request, "lock_opens_at") else False
        if not request.axes_locked_out:
            _count(request, username(request, credentials))
        request.lock_opens_at, _wide = _opens_at(request, credentials)
        request.axes_locked_out = request.lock_opens_at is not None
        if request.axes_locked_out and not was_locked:
            records.locked_out()

    def clean_expired_user_attempts(self, request: Any = None, credentials: Credentials = None) -> int:
        """Forget what no count needs any more."""
        count: int = AccessAttempt.objects.filter(attempt_time__lte=timezone.now() - KEPT).delete()[0]
        return count

    def reset_user_attempts(self, request: Any, credentials: Credentials = None) -> int:
        """A success forgets the failures of this account from this address; the others stay."""
        if request.axes_ip_address == UNKNOWN:
            return 0
        mine = AccessAttempt.objects.filter(username=username(request, credentials))
        count: int = mine.filter(ip_address=request.axes_ip_address).delete()[0]
        return count


def is_shut(request: HttpRequest) -> bool:
    """Whether the attempt of this request met a lock, or began one."""
    return bool(getattr(request, "axes_locked_out", False))


def was_shut(request: HttpRequest) -> bool:
    """Whether it met one, and was not looked at: the lock's beginning was recorded, once."""
    return bool(getattr(request, "lock_met", False))


def count_failure(request: HttpRequest, about: str) -> bool:
    """Count a failed attempt that is no password's, as a wrong link; True when a lock holds now."""
    AxesProxyHandler.user_login_failed(sender=__name__, credentials={"email": about}, request=request)
    return is_shut(request)


def count_asking(request: HttpRequest, about: str) -> None:
    """Count what is no failure, and may not be done without end; this one is still done."""
    AxesProxyHandler.update_request(request)
    _count(request, name_of(about))


def shut_for(request: HttpRequest, about: str) -> bool:
    """Whether a lock holds for this, before anything is looked at."""
    if AxesProxyHandler.is_allowed(request, {"email": about}):
        return False
    request.axes_locked_out = True  # type: ignore[attr-defined]  # django-axes' own mark
    return True


def words(request: HttpRequest) -> str:
    """When to try again: to the minute, and the same for every reason."""
    opens_at: datetime = getattr(request, "lock_opens_at", None) or timezone.now()
    local = timezone.localtime(opens_at + timedelta(minutes=1))
    return _("There were too many attempts. Try again after %(time)s.") % {"time": time_format(local, "H:i")}


def response(request: HttpRequest, original: HttpResponse | None, _credentials: Credentials) -> HttpResponse:
    """`AXES_LOCKOUT_CALLABLE`: 429, where the page has not said so itself."""
    opens_at: datetime = getattr(request, "lock_opens_at", None) or timezone.now()
    if original is None or original.status_code != 429:
        original = render(request, "staff/too_many.html", {"words": words(request)}, status=429)
    original["Retry-After"] = str(max(1, math.ceil((opens_at - timezone.now()).total_seconds())))
    return original


def _count(request: Any, name: str) -> None:
    """One more, in the row of this quarter of an hour. Nothing that was sent is kept."""
    bucket = str(int(timezone.now().timestamp()) // BUCKET)
    with as_one():
        row, created = AccessAttempt.objects.select_for_update().get_or_create(
            username=name,
            ip_address=request.axes_ip_address,
            user_agent=bucket,
            defaults={"get_data": "", "post_data": "", "http_accept": "", "path_info": ""}
            | {"failures_since_start": 1},
        )
        now = timezone.now()
        more = {} if created else {"failures_since_start": F("failures_since_start") + 1}
        AccessAttempt.objects.filter(pk=row.pk).update(attempt_time=now, **more)


def _opens_at(request: Any, credentials: Credentials) -> tuple[datetime | None, bool]:
    """When the lock that holds for this attempt ends, if one does; and whether it is a wide one."""
    name, address = username(request, credentials), request.axes_ip_address
    now, is_known = timezone.now(), address != UNKNOWN
    about = Q(username=name) | Q(ip_address=address) if is_known else Q(username=name)
    rows = list(
        AccessAttempt.objects.filter(about, attempt_time__gt=now - max(ACCOUNT[1], ADDRESS[1]))
        .order_by("attempt_time")
        .values_list("username", "ip_address", "attempt_time", "failures_since_start")
    )
    from_here = [row for row in rows if row[1] == address and is_known]
    narrow = _end([row[2:] for row in from_here if row[0] == name], NARROW, now)
    wide = [
        _end([row[2:] for row in rows if row[0] == name], ACCOUNT, now),
        _end([row[2:] for row in from_here], ADDRESS, now),
    ]
    ends = [end for end in (narrow, *wide) if end is not None]
    return max(ends, default=None), narrow is None


def _end(
    rows: Sequence[tuple[datetime, int]], limit: tuple[int, timedelta], now: datetime
) -> datetime | None:
    """When so many of the failures have passed that fewer than the limit are left; None when they are."""
    most, window = limit
    rows = [(at, count) for at, count in rows if at > now - window]
    left = sum(count for _at, count in rows)
    if left < most:
        return None
    for at, count in rows:
        left -= count
        if left < most:
            return at + window
    return None


def _is_a_desk(address: str) -> bool:
    """Whether anybody has proved both factors from this address in the last months."""
    line = ip_network((address, 64 if ":" in address else 32), strict=False)
    proved = Session.objects.filter(verified_at__gt=timezone.now() - FAMILIAR)
    return proved.filter(remote_addr__range=(str(line[0]), str(line[-1]))).exists()


def _at_home(request: Any, credentials: Credentials) -> bool:
    """Whether this member has proved both factors from this address in the last months."""
    email = normalise(str((credentials or {}).get("email") or ""))
    proved = Session.objects.filter(member__email=email, verified_at__gt=timezone.now() - FAMILIAR)
    addresses = proved.exclude(remote_addr=None).values_list("remote_addr", flat=True).distinct()
    return any(_counted(one) == request.axes_ip_address for one in addresses)


def _counted(text: str | None) -> str | None:
    if text is None or not isinstance(ip_address(text), IPv6Address):
        return text
    return str(ip_network((text, 64), strict=False).network_address)
