"""Second factors of a member: which there are, proving one, adding and removing (ASVS 6.3.3, 6.5).

A passkey or an application's code is a factor to keep; recovery codes are the way back to one.
Every change of them ends what the earlier ones verified: the database takes 'verified'
from all sessions of the member (`staff/sign_in/sql/factors.sql`), and `changed` ends the others.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import django_otp
from django.conf import settings
from django.contrib import messages
from django.utils import timezone
from django.utils.translation import ngettext
from django_otp_webauthn.models import WebAuthnCredential

from staff.frame import mails
from staff.frame.sign_in import SIGN_IN, as_one
from staff.models import Member, RecoveryDevice, TotpDevice
from staff.secrets import recovery_codes, totp
from staff.secrets.keyring import ring
from staff.session import endings, sessions
from staff.session.members import member_of
from staff.sign_in import records

if TYPE_CHECKING:
    from django.http import HttpRequest

Device: TypeAlias = TotpDevice | RecoveryDevice | WebAuthnCredential

PASSKEY: Final = "passkey"
TOTP: Final = "totp"
RECOVERY: Final = "recovery"
#: What sessions and the log call each kind.
KINDS: Final[dict[str, Any]] = {
    PASSKEY: WebAuthnCredential,
    TOTP: TotpDevice,
    RECOVERY: RecoveryDevice,
}
#: The kinds of which a member has to keep at least one.
LASTING: Final = (PASSKEY, TOTP)


def kind_of(device: Device) -> str:
    """The word of sessions and of the log for a device's kind."""
    return next(kind for kind, model in KINDS.items() if isinstance(device, model))


# Which there are


def has(member: Member, *kinds: str) -> bool:
    """Whether the member has a factor of one of these kinds in use."""
    return any(KINDS[kind].objects.filter(user=member, confirmed=True).exists() for kind in kinds)


def has_factor(member: Member) -> bool:
    """Whether the member has a second factor; recovery codes alone are none."""
    return has(member, *LASTING)


def lasting(member: Member) -> list[Device]:
    """The member's factors in use, the newest of each kind last; without the recovery codes."""
    return [
        device
        for kind in LASTING
        for device in KINDS[kind].objects.filter(user=member, confirmed=True).order_by("pk")
    ]


# Proving one


def verify(member: Member, token: str) -> TotpDevice | RecoveryDevice | None:
    """The member's device that a code proves. None: wrong, used before, or throttled.

    What has the form of a recovery code is tried as one, all else as an application's: a wrong
    code of one kind throttles no other. With two applications the code of one is wrong for the
    other, so that a right one forgives the misses of both.
    """
    model = RecoveryDevice if recovery_codes.is_code(token) else TotpDevice
    devices: list[TotpDevice | RecoveryDevice] = [*model.objects.filter(user=member, confirmed=True)]
    for device in devices:
        if device.verify_token(token):
            model.objects.filter(user=member).update(throttling_failure_count=0)
            return device
    return None


def prove(request: HttpRequest, code: str) -> TotpDevice | RecoveryDevice | None:
    """The signed-in member's device that a code proves; what follows is `accept`'s.

    A recovery code is used up by it: that is recorded, mailed, and the member reads how many are
    left. None: wrong, used before, or throttled; saying and recording so is the caller's.
    """
    member = member_of(request)
    with as_one():  # a code is used up with its entry, or not at all
        device = verify(member, code)
        if isinstance(device, RecoveryDevice):
            records.factor_changed("recovery code used")
            mails.notify_as_one(member, "staff/mail/recovery_used.txt", left=device.left)
    if isinstance(device, RecoveryDevice):
        left = device.left
        words = ngettext(
            "You used a recovery code; %(n)d is left.", "You used a recovery code; %(n)d are left.", left
        )
        messages.warning(request, words % {"n": left})
    return device


def seconds_to_wait(member: Member, code: str = "") -> int:
    """For how long no code of this one's kind will be looked at, because too many were wrong; or 0."""
    model = RecoveryDevice if recovery_codes.is_code(code) else TotpDevice
    return max(map(wait_of, model.objects.filter(user=member, confirmed=True)), default=0)


def wait_of(device: TotpDevice | RecoveryDevice) -> int:
    """For how many seconds this device looks at no code; 0 when it does."""
    allowed, why = device.verify_is_allowed()
    return 0 if allowed else round((why["locked_until"] - timezone.now()).total_seconds() + 0.5)


def is_verified(request: HttpRequest) -> bool:
    """Whether the second factor was proved in this session, and is still the member's."""
    proved = getattr(request.user, "is_verified", None)  # MemberMiddleware puts it there
    return bool(proved and proved()) and sessions.of(request).verified_at is not None


def is_fresh(request: HttpRequest) -> bool:
    """Whether the proof is as recent as signing, or a change of factors, asks for."""
    verified_at = sessions.of(request).verified_at
    limit = timedelta(minutes=settings.LIMITS["factor_minutes_signing"])
    return is_verified(request) and verified_at is not None and timezone.now() < verified_at + limit


def accept(request: HttpRequest, device: Device, stage: records.Stage) -> None:
    """Make the request's session a verified one, under a new key, and record it."""
    django_otp.login(request, device)
    sessions.of(request).mark_verified(kind_of(device), device.pk, stage)


# An application's code


def enrol_totp(member: Member, name: str = "") -> TotpDevice:
    """Give the member a new key, to be confirmed by a code; until then it verifies nothing.

    Each call makes another key: one that was shown to somebody and never confirmed is not used.
    """
    device = waiting_totp(member)
    if device is None:
        device = TotpDevice(user=member, confirmed=False)
    device.name = name
    device.encrypted_key = ring().encrypt(totp.new_key(), about=f"totp:{member.pk}")
    device.last_step = -1
    device.throttle_reset(commit=False)
    device.save()
    return device


def waiting_totp(member: Member) -> TotpDevice | None:
    """The key that waits for its first code, if there is one."""
    device: TotpDevice | None = TotpDevice.objects.filter(user=member, confirmed=False).first()
    return device


def mark_of_key(device: TotpDevice) -> str:
    """Which key a page shows, without the key."""
    return hashlib.sha256(device.key).hexdigest()[:16]


def confirm_totp(device: TotpDevice, token: str, name: str = "") -> bool:
    """Take the device into use when the code is right."""
    with as_one():
        if not device.verify_token(token):
            return False
        # The guarded UPDATE: of two confirmations of one key the second finds nothing to confirm.
        waiting = TotpDevice.objects.filter(pk=device.pk, confirmed=False)
        if not waiting.update(confirmed=True, name=name):
            return False
    device.confirmed, device.name = True, name
    return True


# Changing them


def changed(request: HttpRequest, what: records.FactorChange) -> None:
    """End what the member's earlier factors verified: record the change, end the other sessions, mail.

    The session at hand stays, and is asked for a proof again. Call inside the transaction that
    changes the factor: all of it, or nothing.
    """
    member = member_of(request)
    records.factor_changed(what)
    endings.end_others(member, but=sessions.of(request).number, doubt=True)
    mails.notify_as_one(member, "staff/mail/factors_changed.txt")


def remove(request: HttpRequest, kind: str, pk: int) -> str:
    """Remove one of the member's factors; returns why not, '' when done. Never the last.

    The member's row is locked, so that of two that remove one each, the second sees the first gone.
    """
    member = member_of(request)
    with as_one():
        Member.objects.using(SIGN_IN).select_for_update(no_key=True).get(pk=member.pk)
        mine = lasting(member)
        device = next((one for one in mine if (kind_of(one), one.pk) == (kind, pk)), None)
        if device is None:
            return "factor_unknown"
        if len(mine) == 1:
            return "factor_last"
        device.delete()
        changed(request, "passkey removed" if kind == PASSKEY else "totp removed")
    return ""
