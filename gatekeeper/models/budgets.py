"""How much a member may see in a day, and what was added to a day."""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from gatekeeper.models.accounts import Account

#: Of the tables of the day: who writes there holds a lock on the member, and a constraint takes time.
_UNLINKED: Final[dict[str, Any]] = {"related_name": "+", "db_index": False, "db_constraint": False}


class DailyBudget(models.Model):
    """What of their budget a member has used on one day of the company's, over all grants."""

    pk = models.CompositePrimaryKey("member", "day")  # by which it is found, and by nothing else
    member = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, **_UNLINKED)
    day = models.DateField()
    accounts = models.IntegerField()  # different ones
    fields = models.IntegerField()  # different pairs of account and field

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.member_id} {self.day}"


class DailyAccount(models.Model):
    """What of one account a member has seen on one day: fields, which count once, and participants."""

    pk = models.CompositePrimaryKey("member", "day", "account")
    member = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, **_UNLINKED)
    day = models.DateField()
    account = models.ForeignKey(Account, models.PROTECT, **_UNLINKED)
    fields = ArrayField(models.CharField(max_length=40))
    participants_shown = models.IntegerField()
    misses = models.IntegerField()  # searches for a participant that found none

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.member_id} {self.day} {self.account_id}"


class MoreToday(models.Model):
    """A member asks for one more budget of a day; it is decided on that day, or expires with it."""

    class State(models.TextChoices):
        PENDING = "pending", _("Pending")
        APPROVED = "approved", _("Approved")
        DENIED = "denied", _("Rejected")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    member = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    day = models.DateField()  # the company's
    requested_at = models.DateTimeField()
    state = models.CharField(max_length=9, choices=State.choices)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ("-id",)
        default_permissions = ()
        indexes = (models.Index("day", "member", name="more_of_a_day"),)
        constraints = (
            models.CheckConstraint(
                name="more_not_decided_by_requester",
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("member")) | Q(state="withdrawn"),
            ),
            models.UniqueConstraint(
                fields=["member", "day"], condition=Q(state="pending"), name="more_one_pending"
            ),
        )

    def __str__(self) -> str:
        return str(self.pk)
