"""Counts of attempts to sign in, by which a lock is judged (`staff/sign_in/lockout.py`)."""

from __future__ import annotations

from django.db import models


class AttemptCount(models.Model):
    """How many attempts about one account came from one address within a quarter of an hour.

    No count reaches back more than an hour; `tidy` deletes a row two hours after its last attempt.
    """

    #: An HMAC of the e-mail: what was typed as one may be a password in the wrong field.
    about = models.CharField(max_length=64)
    #: Null where it is not known. Of IPv6 the network of 64 bits.
    remote_addr = models.GenericIPAddressField(null=True)
    #: Quarters of an hour since 1970.
    quarter = models.PositiveIntegerField()
    attempts = models.PositiveIntegerField()
    last_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        indexes = (models.Index("remote_addr", name="attempts_from_address"),)
        constraints = (
            models.UniqueConstraint(
                fields=("about", "remote_addr", "quarter"), name="attempts_one_row", nulls_distinct=False
            ),
        )

    def __str__(self) -> str:
        return str(self.pk)
