"""Accounts without a personal value, tickets, requests and grants.

Personal values, data keys and the functions stand in schema `vault`, where no model reaches.
The web role reads these tables; what access rests on changes through functions alone.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from guardian.models import UserObjectPermissionBase

from gatekeeper import catalogue


class Limit(models.Model):
    """A setting that SQL uses; only `apply_settings` writes it."""

    name = models.CharField(max_length=40, primary_key=True)
    value = models.CharField(max_length=200)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name


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


class Ticket(models.Model):
    """A ticket as the helpdesk last told it; never its subject or text."""

    class State(models.TextChoices):
        OPEN = "open", _("open")
        PENDING = "pending", _("pending")
        SOLVED = "solved", _("solved")
        CLOSED = "closed", _("closed")
        UNUSABLE = "unusable", _("shut by an unusable message")
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


class Feed(models.Model):
    """How far a sender's messages can be relied on: the helpdesk's (tickets), the platform's (accounts).

    A doubt is a reason to think that a message was lost: it is settled by a complete list, or a
    heartbeat's digest, that is younger.
    """

    class Doubt(models.TextChoices):
        UNREADABLE = "unreadable", _("An authentic message could not be read, nor what it is about.")
        DIGEST = "digest", _("The helpdesk's heartbeat tells of other open tickets than are held here.")

    name = models.CharField(max_length=10, primary_key=True)
    heard_at = models.DateTimeField(null=True)  # last, authentically
    settled_at = models.DateTimeField(null=True)  # all that is held was compared, or taken anew
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
        """The moment from which the feed's age counts, as the gate counts it; None: never heard."""
        return min(self.heard_at, self.doubted_at or self.heard_at) if self.heard_at else None


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


class AccessRequest(models.Model):
    """A consultant asks: these categories of this account, for this ticket. An edited one is a new one."""

    class State(models.TextChoices):
        PENDING = "pending", _("Pending")
        APPROVED = "approved", _("Approved")
        DENIED = "denied", _("Rejected")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        LAPSED = "lapsed", _("Lapsed")

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
    asked_at = models.DateTimeField()
    lapses_at = models.DateTimeField()
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
            models.Index("state", "lapses_at", name="request_waiting", condition=Q(state="pending")),
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
    # Plain integers: they only grow, and each CHECK is read anew from its text by every view's UPDATE.
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
    """A member asks for one more budget of a day; it is decided on that day, or lapses with it."""

    class State(models.TextChoices):
        PENDING = "pending", _("Pending")
        APPROVED = "approved", _("Approved")
        DENIED = "denied", _("Rejected")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    member = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    day = models.DateField()  # the company's
    asked_at = models.DateTimeField()
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
