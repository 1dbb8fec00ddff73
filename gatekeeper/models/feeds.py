"""Feeds: the last contact with each, and what it delivered."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _


class Feed(models.Model):
    """How far a sender's messages can be relied on: the helpdesk's (tickets), the platform's (accounts).

    A doubt is a reason to think that a message was lost: it is settled by a complete list, or a
    heartbeat's digest, that is younger.
    """

    class Doubt(models.TextChoices):
        UNREADABLE = "unreadable", _("An authentic message could not be read, nor what it is about.")
        DIGEST = "digest", _("The helpdesk's heartbeat names other open tickets than those stored here.")

    name = models.CharField(max_length=10, primary_key=True)
    contact_at = models.DateTimeField(null=True)  # last, authentically
    settled_at = models.DateTimeField(null=True)  # all that is held was compared, or taken again
    doubted_at = models.DateTimeField(null=True)  # the first doubt that is not settled
    doubted_last_at = models.DateTimeField(null=True)
    doubt = models.CharField(max_length=12, blank=True, db_default="", choices=Doubt.choices)
    contact = models.CharField(max_length=5, blank=True, db_default="")  # as last recorded: fresh or stale

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name

    @property
    def relied_on_from(self) -> datetime | None:
        """The moment from which the feed's age counts, as the gate counts it; None: no contact so far."""
        return min(self.contact_at, self.doubted_at or self.contact_at) if self.contact_at else None


class Delivery(models.Model):
    """A webhook's identifier that was taken, so that a replay has no effect; and what came under it."""

    source = models.CharField(max_length=10)
    webhook_id = models.CharField(max_length=128)
    # SHA-256 over the body, in hexadecimal; empty of those that came before it was kept.
    digest = models.CharField(max_length=64, default="", db_default="")
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()
        constraints = (models.UniqueConstraint(fields=["source", "webhook_id"], name="delivery_once"),)

    def __str__(self) -> str:
        return str(self.pk)
