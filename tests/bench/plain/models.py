"""Customers with their values, tickets, agreements; guardian's rows by a direct foreign key.

The managers are written out for the type checker, which knows Gatekeeper's applications alone.
"""

from __future__ import annotations

from typing import ClassVar

from auditlog.registry import auditlog
from django.conf import settings
from django.db import models
from guardian.models import UserObjectPermissionBase


class Customer(models.Model):
    """An account with its values, by the names of the fields."""

    reference = models.CharField(max_length=13, unique=True)
    plan = models.CharField(max_length=10)
    language = models.CharField(max_length=8)
    created_at = models.DateTimeField(null=True)
    support_until = models.DateTimeField(null=True)
    participants_until = models.DateTimeField(null=True)
    values = models.JSONField(default=dict)

    objects: ClassVar[models.Manager[Customer]] = models.Manager()

    class Meta:
        permissions = (("see_values", "Can see values"),)

    def __str__(self) -> str:
        return self.reference


class CustomerPermission(UserObjectPermissionBase):
    """guardian's row."""

    content_object = models.ForeignKey(Customer, models.CASCADE)

    class Meta(UserObjectPermissionBase.Meta):
        abstract = False


class Ticket(models.Model):
    """A customer's ticket, with whom it is."""

    number = models.CharField(max_length=15, unique=True)
    customer = models.ForeignKey(Customer, models.CASCADE)
    assignee = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    state = models.CharField(max_length=16, default="open")

    objects: ClassVar[models.Manager[Ticket]] = models.Manager()

    def __str__(self) -> str:
        return self.number


class Agreement(models.Model):
    """A signed non-disclosure agreement."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    version = models.PositiveIntegerField()
    valid_until = models.DateTimeField()

    objects: ClassVar[models.Manager[Agreement]] = models.Manager()

    def __str__(self) -> str:
        return str(self.pk)


# An access to a model that auditlog does not know is passed over in silence.
auditlog.register(Customer)
