"""The non-disclosure agreement: its versions, who signed, the documents that prove it.

What ends with a signature is the right to access; the duty of secrecy goes on.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from staff.models.members import Member


class NdaDraft(models.Model):
    """What a people officer is writing; nobody is bound by it."""

    text_en = models.TextField(_("English text"), blank=True, default="")  # Markdown
    text_pl = models.TextField(_("Polish text"), blank=True, default="")
    effective_on = models.DateField(_("required from"), null=True, blank=True)
    term_days = models.PositiveIntegerField(default=365)
    grace_days = models.PositiveIntegerField(default=14)
    countersigned = models.BooleanField(default=False)
    updated_by = models.ForeignKey(Member, models.PROTECT, related_name="+")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.pk)


class NdaVersion(models.Model):
    """A published version, required from its effective moment on. Its text never changes."""

    number = models.PositiveIntegerField(primary_key=True)
    effective_at = models.DateTimeField()
    term_days = models.PositiveIntegerField(default=365)
    grace_days = models.PositiveIntegerField(default=14)  # for those who signed the one before
    countersigned = models.BooleanField(default=False)  # a people officer signs after the member
    text_en = models.TextField(default="")
    text_pl = models.TextField(default="")
    sha256_en = models.BinaryField(max_length=32, default=bytes)  # of the text's UTF-8, by the database
    sha256_pl = models.BinaryField(max_length=32, default=bytes)
    published_by = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+")
    published_at = models.DateTimeField(auto_now_add=True)
    recalled_at = models.DateTimeField(null=True)  # before its effective moment, or never
    recalled_by = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ("-effective_at",)
        default_permissions = ()
        constraints = (
            models.UniqueConstraint(
                name="nda_version_one_a_moment",
                fields=["effective_at"],
                condition=Q(recalled_at__isnull=True),
            ),
            models.CheckConstraint(
                name="nda_version_recalled_in_time",
                condition=Q(recalled_at__isnull=True) | Q(recalled_at__lt=F("effective_at")),
            ),
        )

    def __str__(self) -> str:
        return str(self.number)


class Signature(models.Model):
    """A member's signature under one version.

    It counts from `counts_from`: at once, or when a people officer has countersigned it (where the
    version asks for it), or when a second person has seen the document. Until then that is empty.
    """

    class Form(models.TextChoices):
        DOCUMENTARY = "documentary", _("in the application")
        ELECTRONIC = "electronic", _("with an electronic signature")
        QUALIFIED = "qualified", _("with a qualified electronic signature")
        PAPER = "paper", _("on paper")
        FOUNDING = "founding", _("founding, to be signed within 7 days")

    class Withdrawal(models.TextChoices):
        REVOKED = "revoked", _("revoked by the company")
        DECLARED = "declared", _("withdrawn by the member")
        INVALID = "invalid", _("not valid: wrong person, document or date")
        LEFT = "left", _("left, and came back since")  # by the database, when a member comes back

    member = models.ForeignKey(Member, models.PROTECT, related_name="signatures")
    version = models.ForeignKey(NdaVersion, models.PROTECT, null=True, related_name="signatures")
    form = models.CharField(max_length=12, choices=Form.choices)
    language = models.CharField(max_length=2, default="")
    signed_at = models.DateTimeField()
    counts_from = models.DateTimeField(null=True)
    valid_until = models.DateTimeField()
    evidence = models.JSONField(null=True)
    entered_by = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+")
    entered_at = models.DateTimeField(auto_now_add=True)
    countersigned_at = models.DateTimeField(null=True)
    countersigned_by = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+")
    confirmed_at = models.DateTimeField(null=True)  # the document's original was seen
    confirmed_by = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+")
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+")
    withdrawn_why = models.CharField(max_length=8, choices=Withdrawal.choices, blank=True, default="")

    class Meta:
        ordering = ("-signed_at", "-id")
        default_permissions = ()
        indexes = (models.Index("member", name="signature_member"),)
        constraints = (
            models.CheckConstraint(
                name="signature_not_entered_for_oneself",
                condition=Q(entered_by__isnull=True) | Q(form="documentary") | ~Q(entered_by=F("member")),
            ),
            models.CheckConstraint(
                name="signature_not_countersigned_by_oneself",
                condition=Q(countersigned_by__isnull=True) | ~Q(countersigned_by=F("member")),
            ),
            models.CheckConstraint(
                name="signature_confirmed_by_a_second_person",
                condition=Q(confirmed_by__isnull=True)
                | (~Q(confirmed_by=F("member")) & ~Q(confirmed_by=F("entered_by"))),
            ),
            models.CheckConstraint(
                name="signature_ends_after_it_begins",
                condition=Q(valid_until__gt=F("signed_at")),
            ),
            models.CheckConstraint(
                name="signature_counts_when_complete",
                condition=Q(counts_from__isnull=True) | Q(counts_from__gte=F("signed_at")),
            ),
        )

    def __str__(self) -> str:
        return str(self.pk)


class SignatureFile(models.Model):
    """A PDF that proves a signature. Append-only; the newest counts, the older stay."""

    class Kind(models.TextChoices):
        SIGNED = "signed", _("signed")
        COUNTERSIGNED = "countersigned", _("countersigned")
        UPLOADED = "uploaded", _("uploaded")

    signature = models.ForeignKey(Signature, models.PROTECT, related_name="files")
    kind = models.CharField(max_length=13, choices=Kind.choices)
    data = models.BinaryField()
    sha256 = models.BinaryField(max_length=32)  # by the database
    added_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("id",)
        default_permissions = ()
        constraints = (
            models.UniqueConstraint(name="signature_file_one_a_kind", fields=["signature", "kind"]),
        )

    def __str__(self) -> str:
        return str(self.pk)


class Reminder(models.Model):
    """That somebody was reminded of a signature's end, so that nobody is reminded twice."""

    signature = models.ForeignKey(Signature, models.PROTECT, related_name="reminders")
    days = models.PositiveSmallIntegerField()  # before the end: 30, 14, 3 or 0
    sent_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()
        constraints = (models.UniqueConstraint(name="reminder_once", fields=["signature", "days"]),)

    def __str__(self) -> str:
        return str(self.pk)


class Authorisation(models.Model):
    """A standing written authorisation to process personal data (upoważnienie, Art. 29 GDPR)."""

    member = models.ForeignKey(Member, models.PROTECT, related_name="authorisations")
    scope = models.TextField(_("scope"), max_length=500)
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("to"), null=True, blank=True)
    issued_by = models.ForeignKey(Member, models.PROTECT, related_name="+")
    issued_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ("-starts_on", "-id")
        default_permissions = ()
        constraints = (
            models.CheckConstraint(name="authorisation_not_for_oneself", condition=~Q(issued_by=F("member"))),
            models.CheckConstraint(
                name="authorisation_ends_after_it_begins",
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
            ),
        )

    def __str__(self) -> str:
        return str(self.pk)
