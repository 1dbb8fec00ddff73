"""The log: django-auditlog's entry, extended by everything that names a view (audit/README.md).

An entry keeps values, not foreign keys, so that it outlives what it speaks of. Customers' values,
typed text and tokens never enter it. The database alone writes `id`, `xid`, `timestamp` and the salts
(audit/sql/entry.sql); nobody updates, deletes or truncates.
"""

from __future__ import annotations

from typing import Any, Final

from auditlog.models import AbstractLogEntry, LogEntryManager
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from audit.models.fields import TransactionId


class Event(models.TextChoices):
    """What happened."""

    SIGN_IN = "sign_in", _("signed in")
    SIGN_IN_FAILED = "sign_in_failed", _("sign-in failed")
    SIGN_OUT = "sign_out", _("signed out")
    REQUEST = "request", _("request")
    WITHDRAW = "withdraw", _("withdrawal")
    APPROVE = "approve", _("approval")
    DENY = "deny", _("denial")
    START = "start", pgettext_lazy("event", "access opened")
    VIEW = "view", pgettext_lazy("event", "view")
    COPY = "copy", pgettext_lazy("event", "copy")
    SEARCH = "search", _("search")
    END = "end", pgettext_lazy("event", "end")
    REVOKE = "revoke", _("revocation")
    SIGN = "sign", _("signature")
    REVIEW = "review", _("review")
    REPORT = "report", _("report")
    EXPORT = "export", _("export")
    IMPORT = "import", _("import")
    CHANGE = "change", pgettext_lazy("event", "change")
    RECOVER = "recover", _("officers brought back")
    ERASE = "erase", _("erasure")
    SEAL = "seal", _("seal")


#: What shows a customer's data, on a page or on the clipboard: a view everywhere. Participants are shown by a
#: search as well. In SQL: audit.is_view.
VIEWS: Final = (Event.VIEW, Event.COPY)


class Outcome(models.TextChoices):
    """How it ended. `withheld`: a release was refused; what its record says is beside it."""

    ALLOWED = "allowed", pgettext_lazy("outcome", "allowed")
    REFUSED = "refused", pgettext_lazy("outcome", "refused")
    WITHHELD = "withheld", pgettext_lazy("outcome", "release refused")
    FAILED = "failed", pgettext_lazy("outcome", "failed")


def _words(length: int) -> ArrayField:  # type: ignore[type-arg]  # an array of short words
    return ArrayField(models.CharField(max_length=length), null=True)


class EntryManager(LogEntryManager):  # type: ignore[misc]  # django-auditlog ships no types
    """Writes an entry over the connection that writes what it records: both, or neither."""

    def log_create(self, instance: models.Model, force_log: bool = False, **facts: Any) -> Any:
        manager = self.db_manager(instance._state.db)
        return LogEntryManager.log_create(manager, instance, force_log, **facts)


class Entry(AbstractLogEntry):  # type: ignore[misc]  # django-auditlog ships no types
    """One thing that happened, with every fact as it was then."""

    objects = EntryManager()

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
    answers = models.BigIntegerField(null=True)  # withheld: the record, of the same session

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

    # for the seal: 16 bytes for the customer's part and 16 for the staff part, so that nobody guesses
    # what is hashed; the account's erasure puts the customer's part's hash in the first one's place
    salts = models.BinaryField(null=True, editable=False)

    class Meta(AbstractLogEntry.Meta):  # type: ignore[misc]  # untyped
        abstract = False
        default_permissions = ()
        ordering = ("-id",)
        verbose_name = _("entry")
        verbose_name_plural = _("entries")
        # Newest first is a scan backwards: an index that runs the other way is split in halves as it grows.
        indexes = (
            models.Index("member", "id", name="entry_member"),
            models.Index("account", "id", name="entry_account", condition=~models.Q(account="")),
            models.Index("ticket", "id", name="entry_ticket", condition=~models.Q(ticket="")),
            models.Index("event", "id", name="entry_event"),
            models.Index("reason", "id", name="entry_reason", condition=~models.Q(reason="")),
            models.Index("timestamp", name="entry_time"),
        )

    def __str__(self) -> str:
        return str(self.pk)

    def _do_insert(self, manager: Any, using: str, fields: Any, returning_fields: Any, raw: bool) -> Any:
        """Ask for the number alone, not for what the database filled in: who writes need not read the log."""
        [[number]] = super()._do_insert(manager, using, fields, [self._meta.pk], raw)
        return [[number if one.primary_key else getattr(self, one.attname) for one in returning_fields]]
