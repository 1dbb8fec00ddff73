"""Sheets of recovery codes: the one in use, and a new one, which counts once the member has kept it."""

from __future__ import annotations

from staff.frame.sign_in import SIGN_IN, as_one
from staff.models import Member, RecoveryCode, RecoveryDevice
from staff.secrets import recovery_codes


def in_use(member: Member) -> RecoveryDevice | None:
    """The member's recovery codes in use."""
    device: RecoveryDevice | None = RecoveryDevice.objects.filter(user=member, confirmed=True).first()
    return device


def make(member: Member) -> list[str]:
    """Ten new codes, to be shown once; the sheet counts when the member has kept it (`keep`)."""
    codes = recovery_codes.new_codes()
    with as_one():
        Member.objects.using(SIGN_IN).select_for_update(no_key=True).get(pk=member.pk)
        RecoveryDevice.objects.filter(user=member, confirmed=False).delete()
        device = RecoveryDevice.objects.create(user=member, name="", confirmed=False)
        RecoveryCode.objects.bulk_create(
            RecoveryCode(device=device, digest=recovery_codes.digest_of(code)) for code in codes
        )
    return codes


def mark_of(codes: list[str]) -> str:
    """Which sheet a page shows, without a code of it."""
    return recovery_codes.digest_of(codes[0]).hex()


def is_overtaken(member: Member, mark: str) -> bool:
    """Whether a page shows a sheet that is not the member's any more: another one was made since."""
    mine = RecoveryCode.objects.filter(device__user=member).values_list("digest", flat=True)
    return bool(mark) and mark not in {bytes(digest).hex() for digest in mine}


def keep(member: Member) -> bool:
    """Put the newest sheet into use, in place of the one before. False: none waits."""
    with as_one():
        Member.objects.using(SIGN_IN).select_for_update(no_key=True).get(pk=member.pk)
        mine = RecoveryDevice.objects.filter(user=member)
        waiting = mine.filter(confirmed=False).first()
        if waiting is None:
            return False
        mine.exclude(pk=waiting.pk).delete()
        mine.update(confirmed=True)
    return True
