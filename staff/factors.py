"""Second factors of a member: enrolling one, proving one (ASVS 6.3.3, 6.5)."""

from __future__ import annotations

import django_otp
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from staff import sessions, totp
from staff.keyring import ring
from staff.models import Member, TotpDevice

TOTP_FACTOR = "totp"


def enrol_totp(member: Member) -> TotpDevice:
    """Give the member a new key, to be confirmed by a code; until then it verifies nothing.

    Each call makes another key: one that was shown to somebody and never confirmed is not used.
    """
    device = waiting_totp(member)
    if device is None:
        device = TotpDevice(user=member, name="TOTP", confirmed=False)
    device.sealed_key = ring().seal(totp.new_key(), about=f"totp:{member.pk}")
    device.last_step = -1
    device.throttle_reset(commit=False)
    device.save()
    return device


def waiting_totp(member: Member) -> TotpDevice | None:
    """The key that waits for its first code, if there is one."""
    device: TotpDevice | None = TotpDevice.objects.filter(user=member, confirmed=False).first()
    return device


def confirm_totp(device: TotpDevice, token: str) -> bool:
    """Take the device into use when the code is right; it is then the member's only one."""
    with transaction.atomic():
        if not device.verify_token(token):
            return False
        mine = TotpDevice.objects.filter(user=device.user)
        mine.exclude(pk=device.pk).delete()
        mine.filter(pk=device.pk).update(confirmed=True)
    device.confirmed = True
    return True


def has_factor(member: Member) -> bool:
    """Whether the member has a second factor to prove."""
    return bool(django_otp.user_has_device(member))


def verify(member: Member, token: str) -> TotpDevice | None:
    """The member's device that the code proves. None: wrong, used before, or throttled."""
    for device in list(django_otp.devices_for_user(member)):
        verified = django_otp.verify_token(member, device.persistent_id, token)
        if isinstance(verified, TotpDevice):
            return verified
    return None


def seconds_to_wait(member: Member) -> int:
    """For how long no code will be looked at, because too many were wrong; 0 when one will."""
    waits = [0.0]
    for device in django_otp.devices_for_user(member):
        allowed, why = device.verify_is_allowed()
        if not allowed:
            waits.append((why["locked_until"] - timezone.now()).total_seconds())
    return round(max(waits) + 0.5) if max(waits) > 0 else 0


def is_verified(request: HttpRequest) -> bool:
    """Whether the second factor was proved in this session, and is still the member's."""
    proved = getattr(request.user, "is_verified", None)  # MemberMiddleware puts it there
    return bool(proved and proved()) and sessions.of(request).verified_at is not None


def accept(request: HttpRequest, device: TotpDevice) -> None:
    """Make the request's session a verified one, under a new key."""
    django_otp.login(request, device)
    sessions.of(request).mark_verified(TOTP_FACTOR)
