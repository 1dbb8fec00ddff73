"""The log: django-auditlog's entry, extended by everything that names a view (DESIGN §5).

An entry keeps values, not foreign keys, so that it outlives what it speaks of. Customers' values,
typed text and tokens never enter it. The database alone writes `id`, `xid` and `timestamp`
(audit/sql/entry.sql); nobody updates, deletes or truncates.
"""

from __future__ import annotations

from auditlog.models import AbstractLogEntry
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Event(models.TextChoices):
    """What happened."""

    SIGN_IN = "sign_in", _("signed in")
    SIGN_IN_FAILED = "sign_in_failed", _("sign-in failed")
    SIGN_OUT = "sign_out", _("signed out")
    REQUEST = "request", _("request")
    WITHDRAW = "withdraw", _("withdrawal")
    APPROVE = "approve", _("approval")
    DENY = "deny", _("denial")
    START = "start", pgettext_lazy("event", "opening")
    VIEW = "view", pgettext_lazy("event", "view")
    SEARCH = "search", _("search")
    END = "end", pgettext_lazy("event", "end")
    REVOKE = "revoke", _("revocation")
    SIGN = "sign", _("signature")
    REVIEW = "review", _("review")
    REPORT = "report", _("report")
    EXPORT = "export", _("export")
    IMPORT = "import", _("import")
    CHANGE = "change", pgettext_lazy("event", "change")
    ERASE = "erase", _("erasure")
    SEAL = "seal", _("seal")


class Outcome(models.TextChoices):
    """How it ended. `withheld`: recorded as allowed, then refused at the release."""

    ALLOWED = "allowed", pgettext_lazy("outcome", "allowed")
    REFUSED = "refused", pgettext_lazy("outcome", "refused")
    WITHHELD = "withheld", pgettext_lazy("outcome", "withheld")
    FAILED = "failed", pgettext_lazy("outcome", "failed")


class TransactionId(models.Field):  # type: ignore[type-arg]  # the column is the database's alone
    """PostgreSQL's xid8: the top-level transaction that wrote the entry."""

    def db_type(self, connection: object) -> str:
        return "xid8"


def _words(length: int) -> ArrayField:  # type: ignore[type-arg]  # an array of short words
    return ArrayField(models.CharField(max_length=length), null=True)


class Entry(AbstractLogEntry):  # type: ignore[misc]  # django-auditlog ships no types
    """One thing that happened, with every fact as it was then."""

    id = models.BigAutoField(primary_key=True)
    # Nobody asks for entries by these two: an index on them would only cost every entry.
    content_type = models.ForeignKey(
        "contenttypes.ContentType",
        models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    object_pk = models.CharField(max_length=255, default="")
    object_id = models.BigIntegerField(null=True)
    object_repr = models.TextField(default="")
    action = models.PositiveSmallIntegerField(choices=AbstractLogEntry.Action.choices, default=3)
    cid = models.CharField(max_length=64, null=True)  # noqa: DJ001  # the request's id; null as auditlog has it
    timestamp = models.DateTimeField(db_default=Now())  # UTC, from the database's clock

    schema_version = models.PositiveSmallIntegerField(default=1, db_default=1)
    xid = TransactionId(null=True, editable=False)
    event = models.CharField(max_length=14, choices=Event.choices, default=Event.CHANGE)
    outcome = models.CharField(max_length=8, choices=Outcome.choices, default=Outcome.ALLOWED)
    reason = models.CharField(max_length=24, default="", db_default="")  # first failing condition's code
    failed = _words(24)  # the codes of all failing conditions
    answers = models.BigIntegerField(null=True)  # withheld: the entry that had said allowed

    # who
    member = models.CharField(max_length=8, default="", db_default="")  # number
    member_name = models.CharField(max_length=200, default="", db_default="")
    role = models.CharField(max_length=40, default="", db_default="")
    session = models.BigIntegerField(null=True)  # the session's number, never its key
    factor = models.CharField(max_length=12, default="", db_default="")
    source = models.CharField(max_length=80, default="", db_default="")  # command and system user, or a feed
    user_agent = models.CharField(max_length=200, default="", db_default="")

    # whose, why, what
    account = models.CharField(max_length=13, default="", db_default="")
    subject = models.CharField(max_length=8, default="", db_default="")  # the member it is about
    ticket = models.CharField(max_length=15, default="", db_default="")
    ticket_kind = models.CharField(max_length=8, default="", db_default="")
    ticket_state = models.CharField(max_length=16, default="", db_default="")
    purpose = models.CharField(max_length=20, default="", db_default="")
    categories = _words(12)
    fields = _words(40)  # names, never values
    records = ArrayField(models.IntegerField(), null=True)  # numbers of participants
    results = models.IntegerField(null=True)

    # on what it rested
    request_id = models.BigIntegerField(null=True)
    grant_id = models.BigIntegerField(null=True)
    approver = models.CharField(max_length=8, default="", db_default="")
    signature = models.BigIntegerField(null=True)
    nda_version = models.IntegerField(null=True)
    nda_ends = models.DateTimeField(null=True)
    consent = models.CharField(max_length=24, default="", db_default="")
    details = models.JSONField(null=True)  # counts, minutes, names of changed facts; nothing typed

    class Meta(AbstractLogEntry.Meta):  # type: ignore[misc]  # untyped
        abstract = False
        default_permissions = ()
        ordering = ("-id",)
        verbose_name = _("entry")
        verbose_name_plural = _("entries")
        indexes = (
            models.Index("member", F("id").desc(), name="entry_member"),
            models.Index("account", F("id").desc(), name="entry_account", condition=~models.Q(account="")),
            models.Index("ticket", F("id").desc(), name="entry_ticket", condition=~models.Q(ticket="")),
            models.Index("event", F("id").desc(), name="entry_event"),
            models.Index("reason", F("id").desc(), name="entry_reason", condition=~models.Q(reason="")),
            models.Index("timestamp", name="entry_time"),
        )

    def __str__(self) -> str:
        return str(self.pk)
