"""Telling a member by mail what happened, or what waits for them.

A mail holds no personal data: it says what happened and links to the page that shows it. A notice is a row of
the database until the mail server has taken it (`staff/frame/outbox.py`): nobody waits for a mail server, and
one that is down loses nothing. Everything works without mail.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction

from staff.frame import outbox
from staff.frame.sign_in import SIGN_IN
from staff.models import Mail

if TYPE_CHECKING:
    from collections.abc import Mapping

    from staff.models import Member

logger = logging.getLogger(__name__)


def are_configured() -> bool:
    """Whether mail leaves at all."""
    return bool(settings.EMAIL_HOST)


def notify(member: Member, template: str, /, **facts: object) -> None:
    """Put down a notice to a member, in the transaction at hand, and have it sent once that is committed.

    `facts` are numbers, truths and times for the template, which has `site` as well.
    """
    _put_down("default", member, template, facts)


def notify_as_one(member: Member, template: str, /, **facts: object) -> None:
    """The same, in a transaction of signing in (`sign_in.as_one`)."""
    _put_down(SIGN_IN, member, template, facts)


def _put_down(alias: str, member: Member, template: str, facts: Mapping[str, object]) -> None:
    if are_configured():
        Mail.objects.using(alias).create(member_id=member.pk, template=template, facts=facts)
        transaction.on_commit(outbox.begin, using=alias)


def send_link(member: Member, template: str, /, **facts: object) -> bool:
    """Mail a one-time link at once, because it is stored nowhere; whether the server took it."""
    try:
        outbox.written(member, template, facts).send()
    except (OSError, ValueError) as error:  # the second where the address is invalid
        logger.warning("a link could not be mailed: %s", type(error).__name__)
        return False
    return True
