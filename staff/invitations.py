"""One-time links with which members set a password and enrol a second factor.

The token stands in the link alone; the table holds its SHA-256. A link is good for 24 hours and
works again until the second factor is confirmed: a page that was closed too early costs nothing.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Final

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from audit.context import command_source
from staff import agreements, factors, people
from staff.callers import Caller
from staff.emails import is_plain, normalise
from staff.models import Invitation, Member

HOURS: Final = 24


class InvitationError(Exception):
    """No link was made; the argument is the reason's code."""


def digest_of(token: str) -> bytes:
    """What the table holds of a token. The token is random, so that no salt is needed."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def invite(member: Member, *, by: Caller | None = None, hours: int = HOURS) -> str:
    """A new link's token, recorded; every earlier link of the member's ends.

    `by` is the people officer's session; without it the call is a command's, as the migrator.
    Raises InvitationError.
    """
    token = secrets.token_urlsafe(32)
    value = {"digest": digest_of(token).hex(), "hours": hours}
    if by is None:
        reason = people.change_member_by_command(
            command_source("invite"), member.number, "invitation", dict(value)
        )
    else:
        reason = people.change_member(by, member.number, "invitation", dict(value))
    if reason:
        raise InvitationError(reason)
    return token


def path_of(token: str) -> str:
    """The link's address on this site."""
    return reverse("invitation", args=[token])


def redeem(token: str) -> Invitation | None:
    """The link that the token opens: not used up, not past its time, its member not barred."""
    invitation = (
        Invitation.objects.select_related("member")
        .filter(digest=digest_of(token), used_at__isnull=True, expires_at__gt=timezone.now())
        .first()
    )
    return None if invitation is None or invitation.member.barred_because() else invitation


def use_up(member: Member) -> None:
    """Close the member's links: the second factor is confirmed."""
    Invitation.objects.filter(member=member, used_at__isnull=True).update(used_at=timezone.now())


def found(number: str, name: str, email: str, role: str) -> str:
    """Make one of the first members, and return the path of their link; '' when all is done.

    They have started at once, with seven days to sign (a founding signature, given once), and the
    log says so. Run again it makes a new link. Raises InvitationError where the number is another
    person's: founding never changes anybody's roles.
    """
    if not is_plain(email):
        raise InvitationError("value_refused")
    with transaction.atomic(using=people.MIGRATOR):
        member = Member.objects.using(people.MIGRATOR).filter(number=number).first()
        if member is None:
            member = _make(number, name, email, role)
        elif member.roles != [role] or member.email != normalise(email):
            raise InvitationError("value_refused")
    return "" if factors.has_factor(member) else path_of(invite(member))


def _make(number: str, name: str, email: str, role: str) -> Member:
    by = command_source("bootstrap")
    line = {
        "number": number,
        "name": name,
        "email": normalise(email),
        "roles": [role],
        "manager": None,
        "language": "en",
        "starts_on": timezone.localdate().isoformat(),
    }
    ((_, outcome),) = people.apply_members([line], by)
    reason = agreements.found_by_command(by, number, timezone.now())
    if outcome != "new" or reason:
        raise InvitationError(reason or outcome)
    return Member.objects.using(people.MIGRATOR).get(number=number)
