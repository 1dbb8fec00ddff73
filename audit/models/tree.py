"""The sealed log: leaves, what proofs are computed from, checkpoints, keys.

The sealer alone adds to it (audit/seal), and nobody takes anything away but the tag of an erased account.
"""

from __future__ import annotations

from django.db import models

from audit.models.fields import TransactionId


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
