"""Requests for access, the grants that came of them, and who decides in whose stead."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from gatekeeper import catalogue
from gatekeeper.models.accounts import Account
from gatekeeper.models.tickets import Assignment, Ticket


class AccessRequest(models.Model):
    """A consultant asks: these categories of this account, for this ticket. An edited one is a new one."""

    class State(models.TextChoices):
        PENDING = "pending", _("Pending")
        APPROVED = "approved", _("Approved")
        DENIED = "denied", _("Rejected")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        EXPIRED = "lapsed", _("Expired")

    member = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="requests")
    account = models.ForeignKey(Account, models.PROTECT, related_name="requests")
    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="requests")
    assignment = models.ForeignKey(Assignment, models.PROTECT, related_name="requests")
    purpose = models.CharField(max_length=20, choices=catalogue.PURPOSES)
    categories = ArrayField(models.CharField(max_length=12, choices=catalogue.CATEGORIES))
    minutes = models.PositiveSmallIntegerField(default=60)
    while_open = models.BooleanField(default=False)  # asked for: while the ticket is open
    reason = models.CharField(max_length=20, choices=catalogue.REASONS)  # the chip
    reason_text = models.BinaryField(null=True)  # encrypted under the account's data key; goes with it
    requested_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    state = models.CharField(max_length=9, choices=State.choices, default=State.PENDING)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="decisions"
    )
    # The manager for whom a deputy decided; empty where who decided stands above the member.
    in_stead_of = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    denial = models.CharField(max_length=20, choices=catalogue.DENIALS, blank=True, default="")

    class Meta:
        ordering = ("-id",)
        default_permissions = ()
        indexes = (
            models.Index("member", "account", "ticket", F("id").desc(), name="request_newest"),
            models.Index("state", "expires_at", name="request_waiting", condition=Q(state="pending")),
            models.Index("ticket", name="request_ticket"),
        )
        constraints = (
            models.CheckConstraint(
                name="request_not_decided_by_requester",
                condition=Q(decided_by__isnull=True)
                | ~Q(decided_by=F("member"))
                | Q(state__in=["withdrawn", "lapsed"]),
            ),
            models.UniqueConstraint(
                fields=["member", "account", "ticket"],
                condition=Q(state="pending"),
                name="request_one_pending",
            ),
            models.CheckConstraint(name="request_minutes", condition=Q(minutes__in=catalogue.MINUTES)),
        )

    def __str__(self) -> str:
        return str(self.pk)


class Grant(models.Model):
    """What was approved, to whom, for which account, ticket and signature; ended is ended."""

    request = models.OneToOneField(AccessRequest, models.PROTECT, related_name="grant")
    member = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="grants")
    account = models.ForeignKey(Account, models.PROTECT, related_name="grants")
    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="grants")
    assignment = models.ForeignKey(Assignment, models.PROTECT, related_name="grants")
    signature = models.ForeignKey("staff.Signature", models.PROTECT, related_name="grants")
    approver = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="approvals")
    purpose = models.CharField(max_length=20, choices=catalogue.PURPOSES)
    categories = ArrayField(models.CharField(max_length=12, choices=catalogue.CATEGORIES))
    minutes = models.SmallIntegerField()
    while_open = models.BooleanField(default=False)
    approved_at = models.DateTimeField()
    open_before = models.DateTimeField()  # once: to be opened by then; while open: the stretch's end
    opened_at = models.DateTimeField(null=True)  # of the newest window
    window_ends_at = models.DateTimeField(null=True)
    # Plain integers: they only grow, and each CHECK is read again from its text by every view's UPDATE.
    openings = models.IntegerField(default=0)
    views = models.IntegerField(default=0)
    participants_shown = models.IntegerField(default=0)
    misses = models.IntegerField(default=0)  # searches for a participant that found none
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=20, blank=True, default="")
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ("-id",)
        default_permissions = ()
        indexes = (
            models.Index("member", "account", name="grant_live", condition=Q(ended_at__isnull=True)),
            models.Index("ticket", name="grant_live_ticket", condition=Q(ended_at__isnull=True)),
            models.Index("account", name="grant_live_account", condition=Q(ended_at__isnull=True)),
            models.Index("approver", name="grant_live_approver", condition=Q(ended_at__isnull=True)),
            models.Index("signature", name="grant_live_signature", condition=Q(ended_at__isnull=True)),
        )
        constraints = (
            models.CheckConstraint(name="grant_by_another", condition=~Q(approver=F("member"))),
            models.CheckConstraint(name="grant_minutes", condition=Q(minutes__in=catalogue.MINUTES)),
        )

    def __str__(self) -> str:
        return str(self.pk)


class Deputy(models.Model):
    """A manager's deputy, named beforehand, who may approve in their stead from–to."""

    manager = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="deputies")
    deputy = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="deputy_for")
    begins_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    named_at = models.DateTimeField()

    class Meta:
        ordering = ("-begins_at",)
        default_permissions = ()
        constraints = (
            models.CheckConstraint(name="deputy_is_another", condition=~Q(manager=F("deputy"))),
            models.CheckConstraint(name="deputy_ends_after", condition=Q(ends_at__gt=F("begins_at"))),
        )

    def __str__(self) -> str:
        return str(self.pk)
