"""Sessions, and the one-time links that lead to a first one or to a new password."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from staff.models.members import Member


class Session(models.Model):
    """A browser's session: ours, so that the database can judge it; the log and the evidence hold `id`.

    The key lives in the cookie alone. Its SHA-256 (`digest`), that of the key before (`old_digest`,
    `renewed_at`) and what signing in remembers between its steps (`data`) are columns that the database's
    functions alone read and write (`staff/session/sql/sessions.sql`), so the model leaves them out.
    """

    member = models.ForeignKey(Member, models.PROTECT, null=True, related_name="sessions")
    started_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    verified_at = models.DateTimeField(null=True)  # last proof of the second factor
    factor = models.CharField(max_length=12, blank=True, default="")  # which one: "totp"
    ended_at = models.DateTimeField(null=True)
    # For the member's own list of sessions: whence it was begun, and in what browser.
    remote_addr = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        default_permissions = ()
        indexes = (models.Index("member", name="session_live_member", condition=Q(ended_at__isnull=True)),)

    def __str__(self) -> str:
        return str(self.pk)


class SessionNotes(models.Model):
    """What pages keep for their next answer: messages, and which forms were answered. Nobody judges by it."""

    session = models.OneToOneField(Session, models.CASCADE, primary_key=True, related_name="notes")
    data = models.JSONField(default=dict)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.pk)


class Invitation(models.Model):
    """A one-time link: to set a password and a second factor, or a new password where it was forgotten."""

    class Purpose(models.TextChoices):
        INVITATION = "invitation", _("invitation")
        PASSWORD = "password", _("new password")

    digest = models.BinaryField(unique=True, max_length=32)  # SHA-256 of the link's token
    member = models.ForeignKey(Member, models.PROTECT, related_name="invitations")
    purpose = models.CharField(max_length=10, choices=Purpose.choices, default=Purpose.INVITATION)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    # The people officer who made it; nobody, where a command did or the member asked for it by mail.
    made_by = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.pk)
