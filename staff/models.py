"""Who works here: members, their sessions and factors, and their non-disclosure agreements.

The web role may read these tables. What access rests on (roles, managers, suspension, leaving,
versions, signatures) it changes through the functions of `staff/sql/people.sql` alone, which
record in the same transaction (DESIGN §4.6).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_otp.models import Device, ThrottlingMixin

from staff import totp
from staff.keyring import ring

if TYPE_CHECKING:
    from datetime import datetime


class Role(models.TextChoices):
    """DESIGN §1. Consultant and manager combine; every other role stands alone."""

    CONSULTANT = "consultant", _("consultant")
    MANAGER = "manager", _("manager")
    REVIEWER = "reviewer", _("security reviewer")
    PEOPLE = "people", _("people officer")
    PRIVACY = "privacy", _("privacy officer")
    ADMINISTRATOR = "administrator", _("system administrator")


class MemberManager(BaseUserManager["Member"]):
    """Members are found by e-mail at sign-in; e-mails are stored normalised."""

    def get_by_natural_key(self, username: str | None) -> Member:
        return self.get(email=username)


class Member(AbstractBaseUser, PermissionsMixin):  # type: ignore[django-manager-missing]  # django-otp's
    """One of the staff. Members leave; they are never deleted."""

    number = models.CharField(_("number"), max_length=8, unique=True)
    name = models.CharField(_("name"), max_length=200)
    email = models.EmailField(_("e-mail"), unique=True)  # normalised by staff.emails.normalise
    roles = ArrayField(models.CharField(max_length=13, choices=Role.choices), default=list, blank=True)
    manager = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="reports", verbose_name=_("manager")
    )
    language = models.CharField(_("language"), max_length=2, default="en")
    theme = models.CharField(_("theme"), max_length=5, default="auto")
    starts_on = models.DateField(_("starts on"), null=True, blank=True)
    left_on = models.DateField(_("last day"), null=True, blank=True)
    suspended_at = models.DateTimeField(_("suspended"), null=True, blank=True)
    # Opening up again takes a second person: not the one who suspended (DESIGN §1).
    suspended_by = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    # No superuser, in the column's absence: guardian and Django ask for the attribute.
    is_superuser = False

    objects: ClassVar[MemberManager] = MemberManager()
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["number", "name"]

    class Meta:
        ordering = ("number",)
        default_permissions = ()
        constraints = (
            models.CheckConstraint(
                name="member_roles_combine",
                condition=Q(roles__contained_by=["consultant", "manager"]) | Q(roles__len=1),
            ),
            models.CheckConstraint(
                name="member_roles_known", condition=Q(roles__contained_by=list(Role.values))
            ),
            models.CheckConstraint(name="member_number_form", condition=Q(number__regex=r"^K-[0-9]{4,6}$")),
            models.CheckConstraint(
                name="member_not_own_manager", condition=~Q(manager=models.F("id")) | Q(manager__isnull=True)
            ),
        )

    def __str__(self) -> str:
        return self.number

    def barred_because(self) -> str:
        """Why the member may not be signed in: suspended, or past the last day; empty when neither.

        The last day counts to its end in the company's time zone (DESIGN §3).
        """
        if self.suspended_at is not None:
            return "member_suspended"
        if self.left_on is not None and self.left_on < timezone.localdate():
            return "member_left"
        return ""


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
    data = models.JSONField(default=dict)

    class Meta:
        default_permissions = ()
        indexes = (models.Index("member", name="session_live_member", condition=Q(ended_at__isnull=True)),)

    def __str__(self) -> str:
        return str(self.pk)


class TotpDevice(ThrottlingMixin, Device):  # type: ignore[misc]  # django-otp ships no types
    """A time-based one-time password (RFC 6238); its key is encrypted under the key ring."""

    # django-otp's Device brings: user, name, confirmed
    sealed_key = models.BinaryField()
    last_step = models.BigIntegerField(default=-1)  # a code is good once (ASVS 6.5.1)

    class Meta(Device.Meta):  # type: ignore[misc]  # django-otp ships no types
        default_permissions = ()

    @property
    def key(self) -> bytes:
        """The secret shared with the member's application. Raises KeyRingError."""
        return ring().open(bytes(self.sealed_key), about=f"totp:{self.user_id}")

    def get_throttle_factor(self) -> int:
        """After the n-th wrong code in a row 2^(n-1) seconds pass before the next is looked at."""
        return 1

    def verify_token(self, token: str) -> bool:
        """Whether this is the code of now, used for the first time (ASVS 6.5.1).

        The row is locked, so that of two that send the same code at once one is refused. A wrong
        code counts; while the throttle runs no code is right.
        """
        with transaction.atomic():
            device = type(self).objects.select_for_update().get(pk=self.pk)
            if not device.verify_is_allowed()[0]:
                return False
            step = totp.matching_step(device.key, token, after=device.last_step)
            if step is None:
                device.throttle_increment(commit=False)
            else:
                device.throttle_reset(commit=False)
                device.last_step = step
            device.save(
                update_fields=["last_step", "throttling_failure_timestamp", "throttling_failure_count"]
            )
        return step is not None


class Invitation(models.Model):
    """A one-time link with which a member sets a password and a second factor."""

    digest = models.BinaryField(unique=True, max_length=32)  # SHA-256 of the link's token
    member = models.ForeignKey(Member, models.PROTECT, related_name="invitations")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.pk)


class NdaVersion(models.Model):
    """A version of the agreement that is required from its effective moment on."""

    number = models.PositiveIntegerField(primary_key=True)
    effective_at = models.DateTimeField(unique=True)
    term_days = models.PositiveIntegerField(default=365)
    grace_days = models.PositiveIntegerField(default=14)  # for those who signed the one before
    published_by = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+")
    published_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-effective_at",)
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.number)


class Signature(models.Model):
    """A member's signature under one version, as a people officer entered it."""

    class Form(models.TextChoices):
        PAPER = "paper", _("on paper")
        FOUNDING = "founding", _("founding, to be signed within 7 days")

    member = models.ForeignKey(Member, models.PROTECT, related_name="signatures")
    version = models.ForeignKey(NdaVersion, models.PROTECT, null=True, related_name="signatures")
    form = models.CharField(max_length=12, choices=Form.choices)
    signed_at = models.DateTimeField()
    valid_until = models.DateTimeField()
    entered_by = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+")
    entered_at = models.DateTimeField(auto_now_add=True)
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ("-signed_at", "-id")
        default_permissions = ()
        indexes = (models.Index("member", name="signature_member"),)
        constraints = (
            models.CheckConstraint(
                name="signature_not_entered_for_oneself",
                condition=Q(entered_by__isnull=True) | ~Q(entered_by=models.F("member")),
            ),
            models.CheckConstraint(
                name="signature_ends_after_it_begins",
                condition=Q(valid_until__gt=models.F("signed_at")),
            ),
        )

    def __str__(self) -> str:
        return str(self.pk)

    def holds_at(self, *, at: datetime) -> bool:
        """Whether the signature itself runs at `at` (aware); the version is the database's to judge."""
        return self.withdrawn_at is None and self.signed_at <= at < self.valid_until
