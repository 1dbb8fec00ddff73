"""Second factors: time-based codes and recovery codes (ASVS 6.5). Passkeys are django-otp-webauthn's."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django_otp.models import Device, ThrottlingMixin, TimestampMixin

from staff.frame.sign_in import as_one
from staff.secrets import recovery_codes, totp
from staff.secrets.keyring import ring

#: What an attempt changes of a device, whatever its kind.
COUNTED = ["throttling_failure_timestamp", "throttling_failure_count", "last_used_at"]


class TotpDevice(TimestampMixin, ThrottlingMixin, Device):  # type: ignore[misc]  # django-otp ships no types
    """A time-based one-time password (RFC 6238); its key is encrypted under the key ring."""

    # django-otp brings: user, name, confirmed; created_at, last_used_at
    encrypted_key = models.BinaryField()
    last_step = models.BigIntegerField(default=-1)  # a code is good once (ASVS 6.5.1)

    class Meta(Device.Meta):  # type: ignore[misc]  # django-otp ships no types
        default_permissions = ()

    @property
    def key(self) -> bytes:
        """The secret shared with the member's application. Raises KeyRingError."""
        return ring().decrypt(bytes(self.encrypted_key), about=f"totp:{self.user_id}")

    def get_throttle_factor(self) -> int:
        """After the n-th wrong code in a row 2^(n-1) seconds pass before the next is looked at."""
        return 1

    def verify_token(self, token: str) -> bool:
        """Whether this is the code of now, used for the first time (ASVS 6.5.1).

        The row is locked, so that of two that send the same code at once one is refused. A wrong
        code counts; while the throttle runs no code is right.
        """
        with as_one():
            device = type(self).objects.select_for_update().get(pk=self.pk)
            if not device.verify_is_allowed()[0]:
                return False
            step = totp.matching_step(device.key, token, after=device.last_step)
            if step is None:
                device.throttle_increment(commit=False)
            else:
                device.throttle_reset(commit=False)
                device.set_last_used_timestamp(commit=False)
                device.last_step = step
            device.save(update_fields=["last_step", *COUNTED])
        return step is not None


class RecoveryDevice(TimestampMixin, ThrottlingMixin, Device):  # type: ignore[misc]  # django-otp ships no types
    """A member's sheet of recovery codes: ten, each good once. In use when its member has kept it."""

    class Meta(Device.Meta):  # type: ignore[misc]  # django-otp ships no types
        default_permissions = ()

    def get_throttle_factor(self) -> int:
        """After the n-th wrong code in a row 2^(n-1) seconds pass before the next is looked at."""
        return 1

    def verify_token(self, token: str) -> bool:
        """Whether this is one of the codes, used for the first time. A wrong one counts.

        The rows are locked, so that of two that send the same code at once one is refused.
        """
        with as_one():
            device = type(self).objects.select_for_update().get(pk=self.pk)
            if not device.verify_is_allowed()[0]:
                return False
            used = device.codes.filter(digest=recovery_codes.digest_of(token), used_at__isnull=True).update(
                used_at=timezone.now()
            )
            if used:
                device.throttle_reset(commit=False)
                device.set_last_used_timestamp(commit=False)
            else:
                device.throttle_increment(commit=False)
            device.save(update_fields=COUNTED)
        return bool(used)

    @property
    def left(self) -> int:
        """How many codes are still good."""
        return RecoveryCode.objects.filter(device=self, used_at__isnull=True).count()


class RecoveryCode(models.Model):
    """One code, by its SHA-256: it is random (80 bits), so that no salt is needed."""

    device = models.ForeignKey(RecoveryDevice, models.CASCADE, related_name="codes")
    digest = models.BinaryField(max_length=32, unique=True)
    used_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.pk)
