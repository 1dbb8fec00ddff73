"""Sending the notices that wait: after the answer, and by `manage.py send_mail`, whichever comes first.

Who takes one up counts its try and moves its next one first, and only then talks to the mail server. So no
two send the same, and what a process that ended had taken up comes due again.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from smtplib import SMTPDataError, SMTPRecipientsRefused
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.core import mail
from django.db import transaction
from django.db.models import Count, Min, Q
from django.template import TemplateDoesNotExist
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import override

from staff.frame import background
from staff.models import TRIES, Mail

if TYPE_CHECKING:
    from staff.models import Member

logger = logging.getLogger(__name__)

#: From the first try to the second; each further one is four times as far.
FIRST: Final = timedelta(minutes=1)
#: For how long a notice that could not be sent is shown to administrators, and then forgotten.
KEPT: Final = timedelta(days=7)
#: What goes wrong with one mail, and not with all: the mail server says so, or the address is invalid.
OF_ONE: Final = (SMTPRecipientsRefused, SMTPDataError, ValueError)
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d(T.+)?")

_begun = threading.Semaphore()


@dataclass(frozen=True)
class Backlog:
    """How many notices wait, since when the oldest does, and how many were given up."""

    waiting: int
    since: datetime | None
    failed: int


def backlog() -> Backlog:
    """What waits, for the page of checks."""
    open_still = Q(tries__lt=TRIES)
    found = Mail.objects.aggregate(
        waiting=Count("pk", filter=open_still),
        since=Min("put_at", filter=open_still),
        failed=Count("pk", filter=~open_still),
    )
    return Backlog(**found)


def begin() -> None:
    """Have all that is due sent soon by this process, off the request. One round that waits is enough."""
    if _begun.acquire(blocking=False) and not background.run(_after_the_answer):
        _begun.release()


def _after_the_answer() -> None:
    _begun.release()
    send_due()


def send_due() -> int:
    """Send what is due, until nothing is or the mail server fails; how many it took."""
    Mail.objects.filter(put_at__lt=timezone.now() - KEPT).delete()
    taken, connection = 0, mail.get_connection()
    try:
        while (one := _take_up()) is not None:
            taken += _send(one, connection)
    except OSError as error:
        logger.warning("notices could not be mailed: %s", type(error).__name__)
    finally:
        connection.close()
    return taken


def _take_up() -> Mail | None:
    now = timezone.now()
    due = Mail.objects.filter(tries__lt=TRIES, next_at__lte=now).order_by("next_at", "pk")
    with transaction.atomic():
        one = due.select_for_update(skip_locked=True).first()
        if one is not None:
            one.next_at = now + FIRST * 4**one.tries
            one.tries += 1
            one.save(update_fields=["tries", "next_at"])
    return one


def _send(one: Mail, connection: Any) -> bool:
    """Whether the server took it; False where it refuses this one. Raises OSError where it takes none."""
    try:
        message = written(one.member, one.template, one.facts)
    except TemplateDoesNotExist:  # put down by another release
        logger.error("there is no notice %s", one.template)  # noqa: TRY400 - no value
        return False
    connection.open()
    try:
        connection.send_messages([message])
    except OF_ONE as error:
        logger.warning("a notice could not be mailed: %s", type(error).__name__)
        return False
    one.delete()
    return True


def written(member: Member, template: str, facts: Mapping[str, object]) -> mail.EmailMessage:
    """A mail from a template, whose first line is the subject; all of it in the member's language."""
    with override(member.language):
        text = render_to_string(template, {"site": settings.SITE_URL, **_with_times(facts)})
    subject, _line, body = text.partition("\n")
    return mail.EmailMessage(subject, body.lstrip("\n"), to=[member.email])


def _with_times(facts: Mapping[str, object]) -> dict[str, object]:
    """Facts as they were put down: JSON has no times."""
    return {name: _time(value) if isinstance(value, str) else value for name, value in facts.items()}


def _time(text: str) -> str | date:
    if not _TIME.fullmatch(text):
        return text
    return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)
