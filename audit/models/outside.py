"""What has left the database: how far, and how the last attempt ended."""

from __future__ import annotations

from django.db import models


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
