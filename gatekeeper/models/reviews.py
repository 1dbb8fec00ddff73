"""What reviewers look at: the draw, each unit's review, and what was said about it."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from gatekeeper.models.requests import Grant


class Draw(models.Model):
    """One week's random sample: from which checkpoint it was drawn, of how many, and how many."""

    week = models.DateField(primary_key=True)  # its Monday
    checkpoint = models.BigIntegerField()  # the size of the first one sealed after the week's end
    percent = models.IntegerField()
    cap = models.IntegerField()  # for each reviewer
    reviewers = models.IntegerField()
    population = models.IntegerField()  # accesses that were opened in the week
    drawn = models.IntegerField()
    drawn_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.week}"


class Review(models.Model):
    """What a reviewer looks at as one: a grant with all views under it, or a member's day without one."""

    class State(models.TextChoices):
        WAITING = "waiting", _("To review")
        ASKED = "asked", _("Asked")
        ANSWERED = "answered", _("Answered")
        IN_ORDER = "in_order", _("In order")
        SERIOUS = "serious", _("Serious")

    OPEN = ("waiting", "asked", "answered")

    grant = models.ForeignKey(Grant, models.PROTECT, null=True, related_name="reviews")
    member = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="reviews")
    day = models.DateField(null=True)  # the company's; without a grant
    rules = ArrayField(models.CharField(max_length=24), default=list)  # what flagged it, until its verdict
    sampled = models.BooleanField(default=False)  # drawn, whether or not it was flagged as well
    queued_at = models.DateTimeField()
    due_at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    closed_at = models.DateTimeField(null=True)  # the first verdict
    serious_at = models.DateTimeField(null=True)  # the clock of Art. 33 runs from here

    class Meta:
        ordering = ("due_at", "id")
        default_permissions = ()
        indexes = (
            models.Index("due_at", "id", name="review_open", condition=Q(closed_at__isnull=True)),
            models.Index("closed_at", name="review_closed", condition=Q(closed_at__isnull=False)),
        )
        constraints = (
            models.UniqueConstraint(
                fields=["grant"], condition=Q(closed_at__isnull=True), name="review_one_of_a_grant"
            ),
            models.UniqueConstraint(
                fields=["member", "day"],
                condition=Q(closed_at__isnull=True, day__isnull=False),
                name="review_one_of_a_day",
            ),
            models.CheckConstraint(
                name="review_of_one_thing",
                condition=Q(grant__isnull=True, day__isnull=False) | Q(grant__isnull=False, day__isnull=True),
            ),
        )

    def __str__(self) -> str:
        return str(self.pk)


class Remark(models.Model):
    """A verdict, a question or an answer. Rows are added and never changed: a second overwrites nothing."""

    class Kind(models.TextChoices):
        IN_ORDER = "in_order", _("in order")
        QUESTION = "question", _("question")
        ANSWER = "answer", _("answer")
        SERIOUS = "serious", _("serious")

    review = models.ForeignKey(Review, models.PROTECT, related_name="remarks")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    # Encrypted: under the account's data key, with which it goes; of a day without a grant, under the ring.
    text = models.BinaryField(null=True)

    class Meta:
        ordering = ("id",)
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.pk)
