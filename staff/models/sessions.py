"""Sessions, and the one-time links that lead to a first one or to a new password."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from staff.models.members import Member


class Session(models.Model):
    """A browser's session: ours, so that the database can judge it (DESIGN §4.8).

    The key itself lives in the cookie alone; the log and the evidence hold `id`.
    """

    digest = models.BinaryField(unique=True, max_length=32)  # SHA-256 of the key
    member = models.ForeignKey(Member, models.PROTECT, null=True, related_name="sessions")
    started_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    verified_at = models.DateTimeField(null=True)  # last proof of the second factor
    factor = models.CharField(max_length=12, blank=True, default="")  # which one: "totp"
    ended_at = models.DateTimeField(null=True)
    # The digest of the key before, and when it was replaced: the database alone writes both.
    old_digest = models.BinaryField(null=True, max_length=32)
    renewed_at = models.DateTimeField(null=True)
    # For the member's own list of sessions: whence it was begun, and in what browser.
    remote_addr = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=200, blank=True, default="")
    data = models.JSONField(default=dict)

    class Meta:
        default_permissions = ()
        indexes = (
            models.Index("member", name="session_live_member", condition=Q(ended_at__isnull=True)),
            models.Index("old_digest", name="session_old_key", condition=Q(old_digest__isnull=False)),
        )

    def __str__(self) -> str:
        return str(self.pk)


class Invitation(models.Model):
    """A one-time link: to set a password and a second factor, or a forgotten password anew."""

    class Purpose(models.TextChoices):
        INVITATION = "invitation", _("invitation")
        PASSWORD = "password", _("new password")

    digest = models.BinaryField(unique=True, max_length=32)  # SHA-256 of the link's token
    member = models.ForeignKey(Member, models.PROTECT, related_name="invitations")
    purpose = models.CharField(max_length=10, choices=Purpose.choices, default=Purpose.INVITATION)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.pk)
