"""One-time links with which members set a password and enrol a second factor.

The token stands in the link alone; the table holds its SHA-256. A link is good for 24 hours and
works again until the second factor is confirmed: a page that was closed too early costs nothing.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Final

from django.urls import reverse
from django.utils import timezone

from audit.context import command_source
from staff import people
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

    `by` is the people officer's session; without it the call is a command's. Raises InvitationError.
    """
    if by is None:
        return invite_by_command(member.number, hours=hours)
    token = secrets.token_urlsafe(32)
    value: people.Value = {"digest": digest_of(token).hex(), "hours": hours}
    _expect_done(people.change_member(by, member.number, "invitation", value))
    return token


def invite_by_command(number: str, *, hours: int = HOURS) -> str:
    """The same from the server's terminal, for the member with that number. Raises InvitationError."""
    token = secrets.token_urlsafe(32)
    _expect_done(people.invite(number, digest_of(token), hours, command_source("invite")))
    return token


def _expect_done(reason: str) -> None:
    if reason:
        raise InvitationError(reason)


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
    person's, founding never changes anybody's roles; and where there are enough, or anybody has signed
    in: then a people officer adds others.
    """
    if not is_plain(email):
        raise InvitationError("value_refused")
    outcome = people.found(number, name, normalise(email), role, command_source("bootstrap"))
    if outcome not in {"new", "known", "enrolled"}:
        raise InvitationError(outcome)
    return "" if outcome == "enrolled" else path_of(invite_by_command(number))
