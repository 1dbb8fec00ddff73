"""The log: django-auditlog's entry, extended by everything that names a view (audit/README.md).

An entry keeps values, not foreign keys, so that it outlives what it speaks of. Customers' values,
typed text and tokens never enter it. The database alone writes `id`, `xid`, `timestamp` and the salts
(audit/sql/entry.sql); nobody updates, deletes or truncates. The sealer alone adds leaves, nodes and
checkpoints (audit/seal/sealing.py), and nobody takes one away.
"""

from __future__ import annotations

from typing import Any

from auditlog.models import AbstractLogEntry, LogEntryManager
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
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
    RECOVER = "recover", _("officers brought back")
    ERASE = "erase", _("erasure")
    SEAL = "seal", _("seal")


class Outcome(models.TextChoices):
    """How it ended. `withheld`: a release was refused; what its record says stands beside it."""

    ALLOWED = "allowed", pgettext_lazy("outcome", "allowed")
    REFUSED = "refused", pgettext_lazy("outcome", "refused")
    WITHHELD = "withheld", pgettext_lazy("outcome", "release refused")
    FAILED = "failed", pgettext_lazy("outcome", "failed")


class TransactionId(models.Field):  # type: ignore[type-arg]  # the column is the database's alone
    """PostgreSQL's xid8: the top-level transaction that wrote the entry."""

    def db_type(self, connection: object) -> str:
        return "xid8"


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


class Leaf(models.Model):
    """One entry's place in the tree: its leaf's hash, its tag, its number under the tag.

    Append-only. It stays when the entry's body goes, and says nothing by itself (audit/seal/leaves.py).
    """

    place = models.BigIntegerField(primary_key=True)  # from 0, without gaps
    entry = models.BigIntegerField(unique=True)
    number = models.BigIntegerField()
    hash = models.BinaryField()
    tag = models.BinaryField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.place)


class Node(models.Model):
    """The hash over 256, 65 536, … leaves: what a proof would otherwise compute from all of them."""

    pk = models.CompositePrimaryKey("level", "place")
    level = models.SmallIntegerField()
    place = models.BigIntegerField()
    hash = models.BinaryField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.level}/{self.place}"


class Era(models.Model):
    """One cluster under one name of the log: within it transactions are numbered in one row."""

    number = models.IntegerField(primary_key=True)
    system = models.BigIntegerField()  # the cluster's own identifier
    origin = models.CharField(max_length=100)
    began_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.number)


class Checkpoint(models.Model):
    """A signed statement of how many leaves there are and what they are (C2SP tlog-checkpoint)."""

    size = models.BigIntegerField(primary_key=True)
    era = models.IntegerField()
    horizon = TransactionId()  # every transaction below it is sealed
    ceiling = TransactionId()  # later transactions draw entries' numbers above `drawn` (stored.lowest)
    drawn = models.BigIntegerField()
    sealed_at = models.DateTimeField()
    note = models.TextField()

    class Meta:
        default_permissions = ()
        indexes = (models.Index("sealed_at", name="checkpoint_time"),)

    def __str__(self) -> str:
        return str(self.size)


class LogKey(models.Model):
    """A public key of the log, as the sealer announced it (audit.announce_key); the newest signs now.

    Append-only. The database cannot tell whether a key is the right one: a setting pins it.
    """

    number = models.BigAutoField(primary_key=True)
    key = models.CharField(max_length=160)  # C2SP signed-note: name, id, base64
    announced_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.key


class Copy(models.Model):
    """Up to which size an anchor has copies, and how the last attempt ended."""

    anchor = models.CharField(max_length=200, primary_key=True)
    size = models.BigIntegerField(default=0)
    copied_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    failure = models.CharField(max_length=200, default="")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.anchor


class Stream(models.Model):
    """Up to which leaf a SIEM has the log, and how the last attempt ended (audit/siem/stream.py)."""

    target = models.CharField(max_length=200, primary_key=True)
    place = models.BigIntegerField(default=0)  # of the first leaf that it has not
    sent_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    failure = models.CharField(max_length=200, default="")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.target


class Tag(models.Model):
    """The key under which an account's tag is made, and how many leaves have that tag.

    No role reads it; the sealer gets what it needs from audit.tags. Erasing the account deletes the row.
    """

    account = models.CharField(max_length=13, primary_key=True)
    key = models.BinaryField()
    entries = models.BigIntegerField(default=0)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.account


class Flag(models.Model):
    """A rule applies to an entry (audit/detections). Insert-only: nobody takes a flag away.

    It repeats what the log says, and can be found anew: it is no entry itself.
    """

    pk = models.CompositePrimaryKey("entry", "rule")
    entry = models.BigIntegerField()
    rule = models.CharField(max_length=24)
    found_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        indexes = (models.Index("rule", "entry", name="flag_rule"),)

    def __str__(self) -> str:
        return f"{self.entry}/{self.rule}"


class Round(models.Model):
    """One run of the rules over the log, or a part of one: from where the next goes on. Insert-only."""

    system = models.BigIntegerField()  # the cluster's own identifier: another numbers transactions anew
    horizon = TransactionId()  # entries of every transaction below it are judged
    lowest = models.BigIntegerField()  # and so are all up to this number
    done_at = models.DateTimeField()
    # Of a run that is not done: the horizon that it will reach, to which number it goes, and where it is
    ahead = TransactionId(null=True)
    newest = models.BigIntegerField(null=True)
    upto = models.BigIntegerField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.pk)


class Limit(models.Model):
    """A setting that SQL uses, here and in the rooms above; only `apply_settings` writes it."""

    name = models.CharField(max_length=40, primary_key=True)
    value = models.CharField(max_length=200)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name
