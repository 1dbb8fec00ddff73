"""Accounts without a personal value, and who may see one at all."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from guardian.models import UserObjectPermissionBase

from gatekeeper import catalogue


class Account(models.Model):
    """A customer's account: what is not personal. Erased, it stays as a bar on its reference."""

    reference = models.CharField(max_length=13, unique=True)
    plan = models.CharField(max_length=10, choices=catalogue.PLANS, blank=True)
    language = models.CharField(max_length=35, blank=True)  # as long as a tag of BCP 47 need be
    created_at = models.DateTimeField(null=True)  # on the platform
    exported_at = models.DateTimeField(null=True)  # orders the lines: older never overwrites newer
    participants_since = models.DateTimeField(null=True)  # the declaration that participants consented
    participants_until = models.DateTimeField(null=True)
    support_since = models.DateTimeField(null=True)  # consent to keep what was told to support
    support_until = models.DateTimeField(null=True)
    restricted_at = models.DateTimeField(null=True)  # Art. 18
    erased_at = models.DateTimeField(null=True)
    filled = ArrayField(models.CharField(max_length=40), default=list)  # names of fields that hold a value
    participants = models.PositiveIntegerField(default=0)  # how many records

    class Meta:
        ordering = ("reference",)
        default_permissions = ()
        permissions = (("view_personal_data", "Can see personal data while the gate is open"),)

    def __str__(self) -> str:
        return self.reference


class AccountPermission(UserObjectPermissionBase):
    """django-guardian's row: this member has a live grant on this account."""

    content_object = models.ForeignKey(Account, models.CASCADE)

    class Meta(UserObjectPermissionBase.Meta):
        abstract = False
        default_permissions = ()
