"""Proving a second factor: who may add one, and what follows when one was proved, by code or passkey."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from staff.frame.sign_in import as_one
from staff.models import Invitation
from staff.session.members import member_of
from staff.sign_in import factors, invitations, records

if TYPE_CHECKING:
    from django.http import HttpRequest

#: In the session of whoever came by a link: only they may enrol a second factor.
INVITATION: Final = "invitation"
#: In the session of whoever has just enrolled, until the recovery codes are kept.
ENROLLING: Final = "enrolling"


def came_by_link(request: HttpRequest) -> bool:
    """Whether a link given by a people officer was used in this session, and is still good.

    A link for a forgotten password alone is not enough: it came by mail, and whoever reads the mail
    would enrol their own telephone (ASVS 6.4.3).
    """
    link = Invitation.objects.filter(
        pk=request.session.get(INVITATION, 0),
        member=member_of(request),
        purpose=Invitation.Purpose.INVITATION,
    ).first()
    return link is not None and invitations.is_good(link.pk)


def may_add(request: HttpRequest) -> bool:
    """Whether a factor may be added now: after a fresh proof; the first one, by the link."""
    if factors.has_factor(member_of(request)):
        return factors.is_fresh(request)
    return came_by_link(request)


def passed(request: HttpRequest, device: factors.Device, stage: records.Stage) -> None:
    """Verify the session under a new key, and record it; where it signs in, the member's links are over.

    All of it, or nothing: without the entry no session is verified.
    """
    with as_one():
        request.session.pop(INVITATION, None)
        factors.accept(request, device, stage)


def added(request: HttpRequest, device: factors.Device, *, first: bool) -> None:
    """A factor was added. The first one verifies the session; after another a proof is asked for.

    Call inside the transaction that adds it.
    """
    kind = factors.kind_of(device)
    factors.changed(request, "passkey added" if kind == factors.PASSKEY else "totp added")
    if first:
        request.session[ENROLLING] = True
        passed(request, device, "code")
