"""Forgotten passwords, and new ones (ASVS 6.2, 6.4.3): the second factor is never touched by them."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.utils import timezone

from audit.models import Entry, Event
from staff.frame import mails
from staff.frame.emails import normalise
from staff.frame.sign_in import SIGN_IN, as_one
from staff.models import Invitation, Member
from staff.session import endings
from staff.sign_in.hashing import made, renewed
from staff.sign_in.invitations import digest_of, is_good, path_of

if TYPE_CHECKING:
    from collections.abc import Mapping

LINK_LASTS: Final = timedelta(hours=1)
#: The least time between two links of a member's, so that nobody's mailbox is flooded.
BETWEEN: Final = timedelta(minutes=5)


def mail_link(email: str, context: Mapping[str, str | None]) -> None:
    """Mail the member of this address a link with which to set a new password; to nobody, no mail.

    It goes to the address that is stored, never to the one that was typed, which may only look like
    it. `context` is the request's, for the entry: this is work for later, and nobody is told what came of it.
    """
    member = Member.objects.using(SIGN_IN).filter(email=normalise(email)).first()
    if member is None or member.barred_because() or not member.has_usable_password():
        return
    token = _new_link(member, context)
    if token:
        link = f"{settings.SITE_URL}{path_of(token)}"
        mails.send_link(member, "staff/links/password.txt", link=link)


def _new_link(member: Member, context: Mapping[str, str | None]) -> str:
    """A new link's token, recorded; '' where one was sent a moment ago. Earlier ones by mail end."""
    now = timezone.now()
    with as_one():
        Member.objects.using(SIGN_IN).select_for_update(no_key=True).get(pk=member.pk)
        mine = Invitation.objects.filter(member=member, purpose=Invitation.Purpose.PASSWORD)
        if mine.filter(created_at__gt=now - BETWEEN).exists():
            return ""
        mine.filter(used_at__isnull=True, expires_at__gt=now).update(expires_at=now)
        token = secrets.token_urlsafe(32)
        Invitation.objects.create(
            digest=digest_of(token), member=member, purpose="password", expires_at=now + LINK_LASTS
        )
        _record_link(member, context)
    return token


def _record_link(member: Member, context: Mapping[str, str | None]) -> None:
    Entry.objects.using(SIGN_IN).create(
        event=Event.CHANGE,
        object_repr="password link mailed",
        member=member.number,
        member_name=member.name,
        role=",".join(member.roles),
        **context,
    )


def change(member: Member, password: str, *, but: int | None = None) -> None:
    """Set a new password, end all sessions that were begun under the old one and the links that wait, and
    mail the member.

    `but` is the session in which the member changes it. With the entry, or not at all. Raises
    UnpreparedError, or BusyError.
    """
    _change(member, made(password), but=but)


def _change(member: Member, encoded: str, *, but: int | None = None) -> None:
    with as_one():
        had_one = _keep(member, encoded, but=but)
        now = timezone.now()
        waiting = Invitation.objects.filter(member=member, used_at__isnull=True, expires_at__gt=now)
        waiting.update(expires_at=now)
        if had_one:
            mails.notify_as_one(member, "staff/mail/password_changed.txt")


def renew(member: Member, password: str) -> None:
    """Hash a right password again where its hash is not the one that we would make of it now.

    A session carries a digest of the hash: those that run end, this once. Raises BusyError.
    """
    encoded = renewed(password, member.password)
    if encoded:
        with as_one():
            _keep(member, encoded)


def _keep(member: Member, encoded: str, *, but: int | None = None) -> bool:
    """Whether there was one before."""
    mine = Member.objects.using(SIGN_IN).get(pk=member.pk)
    had_one = mine.has_usable_password()
    mine.password = encoded
    mine.save(update_fields=["password"])
    mine.refresh_from_db(fields=["password_mark"])
    member.password_mark = mine.password_mark
    endings.end_others(member, but=but)
    return had_one


def use(link: Invitation, encoded: str) -> bool:
    """Set the password, hashed, for which a link was given; False when it was used, or ended, meanwhile.

    It is used up by this, at once; the member's others end.
    """
    with as_one():
        now = timezone.now()
        mine = Invitation.objects.select_for_update(no_key=True).filter(pk=link.pk, used_at__isnull=True)
        if mine.first() is None or not is_good(link.pk):
            return False
        Invitation.objects.filter(pk=link.pk).update(used_at=now)
        _change(link.member, encoded)
    return True
