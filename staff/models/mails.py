"""Notices that are to be sent (`staff/frame/mails.py`)."""

from __future__ import annotations

from typing import Final

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils import timezone

from staff.models.members import Member

#: How often a notice is tried: at once, then after 1, 4, 16, 64, 256 and 1024 minutes, a day in all.
TRIES: Final = 7


class Mail(models.Model):
    """One notice to one member. The row goes when the mail server has taken it.

    Address and language are the member's at the time of sending. What it says is in the template; the facts
    are numbers and times, never an address or a link (one-time links are stored nowhere: `mails.send_link`).
    """

    member = models.ForeignKey(Member, models.CASCADE, related_name="+")
    template = models.CharField(max_length=60)
    facts = models.JSONField(encoder=DjangoJSONEncoder)
    put_at = models.DateTimeField(default=timezone.now)
    tries = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        indexes = (models.Index("next_at", name="mail_due"),)
        constraints = (
            models.CheckConstraint(
                condition=Q(template__regex=r"^(staff|gatekeeper)/mail/[a-z_]+\.txt$"),
                name="mail_is_a_notice",
            ),
            models.CheckConstraint(condition=~Q(facts__regex="[@/]"), name="mail_holds_no_address"),
        )

    def __str__(self) -> str:
        return str(self.pk)
