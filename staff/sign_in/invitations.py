"""One-time links with which members set a password and enrol a second factor.

The token appears in the link alone; the table holds its SHA-256. A link is good for 24 hours, and once: it is
used up by the password, and the browser that set it goes on to the second factor. A newer link, a sign-in
with both factors, and the end of its maker's right end it (`staff/directory/sql/people.sql`).
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Final

from django.urls import reverse

from audit.context import command_source
from audit.database import call
from staff.directory import people
from staff.frame import mails
from staff.frame.callers import Caller
from staff.frame.emails import is_plain, normalise
from staff.frame.sign_in import SIGN_IN
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


def mail(member: Member, path: str) -> bool:
    """Mail the member their link; whether the server took it."""
    return mails.send_link(member, "staff/links/invitation.txt", path=path)


def redeem(token: str) -> Invitation | None:
    """The link that the token opens, if it is good and was not used."""
    unused = Invitation.objects.select_related("member").filter(used_at__isnull=True)
    invitation = unused.filter(digest=digest_of(token)).first()
    return invitation if invitation is not None and is_good(invitation.pk) else None


def is_good(link: int) -> bool:
    """Whether a link, used or not, is good at this moment, as the database judges it."""
    return bool(call("staff.is_good_link", link=link, using=SIGN_IN))


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
