"""Tickets of the helpdesk, and to whom each was assigned for which account."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from gatekeeper import catalogue


class Ticket(models.Model):
    """A ticket as the helpdesk last told it; never its subject or text."""

    class State(models.TextChoices):
        OPEN = "open", _("open")
        PENDING = "pending", _("pending")
        SOLVED = "solved", _("solved")
        CLOSED = "closed", _("closed")
        UNUSABLE = "unusable", _("blocked by an unusable message")
        MISSING = "missing", _("not in the helpdesk's complete list")

    number = models.CharField(max_length=15, unique=True)
    kind = models.CharField(max_length=8, choices=(("support", _("support")), ("privacy", _("privacy"))))
    state = models.CharField(max_length=16)  # the helpdesk's word; open and pending are open
    accounts = ArrayField(models.CharField(max_length=13))
    assignee = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="tickets")
    opened_by = models.CharField(max_length=16, blank=True)  # a member's number or "customer"
    opened_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField()  # the helpdesk's clock; orders the messages
    closed_at = models.DateTimeField(null=True)
    # The assignee as the helpdesk writes it, in lower case: a heartbeat's digest is over its own words.
    sent_assignee = models.CharField(max_length=254, blank=True, db_default="")

    class Meta:
        ordering = ("-updated_at", "-id")
        default_permissions = ()
        indexes = (
            GinIndex("accounts", name="ticket_accounts"),
            # Of the open ones alone: a member's list is short, however long their past is.
            models.Index(
                "assignee",
                F("updated_at").desc(),
                F("id").desc(),
                name="ticket_open",
                condition=Q(state__in=sorted(catalogue.OPEN_STATES)),
            ),
        )

    def __str__(self) -> str:
        return self.number

    @property
    def is_open(self) -> bool:
        """Whether the helpdesk still works on it."""
        return self.state in catalogue.OPEN_STATES


class Assignment(models.Model):
    """A stretch of time in which one ticket, about these accounts, was one member's.

    It is the claim to an account, and what a grant is bound to: closing, moving or reassigning
    ends the assignment, and the ticket's coming back starts another.
    """

    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="assignments")
    member = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="assignments")
    accounts = ArrayField(models.CharField(max_length=13))
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        indexes = (GinIndex("accounts", name="assignment_accounts"),)
        constraints = (
            models.UniqueConstraint(
                fields=["ticket"],
                condition=Q(ended_at__isnull=True),
                name="assignment_one_at_a_time",
            ),
        )

    def __str__(self) -> str:
        return str(self.pk)
