"""What the rules found in the log, and how far they are."""

from __future__ import annotations

from django.db import models

from audit.models.fields import TransactionId


class Flag(models.Model):
    """A rule applies to an entry (audit/detections). Insert-only: nobody takes a flag away.

    It repeats what the log says, and can be found again: it is not an entry itself.
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

    system = models.BigIntegerField()  # the cluster's own identifier: another numbers transactions again
    horizon = TransactionId()  # entries of every transaction below it are judged
    lowest = models.BigIntegerField()  # and so are all up to this number
    done_at = models.DateTimeField()
    # Of a run that is not done: the horizon that it will reach, to which number it goes, and where it is
    next_horizon = TransactionId(null=True)
    newest = models.BigIntegerField(null=True)
    upto = models.BigIntegerField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.pk)
