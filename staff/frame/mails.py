"""Telling a member by mail what happened to their own access.

A mail holds no personal data: it says what happened and links to the page that shows it. Everything
works without mail; a mail server that is down stops nobody.
"""

from __future__ import annotations

import logging
from smtplib import SMTPException
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.utils.translation import override

if TYPE_CHECKING:
    from django.utils.functional import Promise

    from staff.models import Member

logger = logging.getLogger(__name__)


def are_configured() -> bool:
    """Whether mail leaves at all."""
    return bool(settings.EMAIL_HOST)


def tell(member: Member, subject: str | Promise, body_template: str, **facts: object) -> None:
    """Mail one member, in their language, once the transaction at hand is committed.

    `facts` are numbers and times for the template, which has `site` as well. Nothing is raised: a
    mail that cannot be sent is a line of the process' log.
    """
    if are_configured():
        transaction.on_commit(lambda: send(member, subject, body_template, **facts))


def send(member: Member, subject: str | Promise, body_template: str, **facts: object) -> bool:
    """The same at once; whether the server took it."""
    with override(member.language):
        body = render_to_string(body_template, {"site": settings.SITE_URL, **facts})
        message = EmailMessage(str(subject), body, to=[member.email])
    try:
        message.send()
    except (SMTPException, OSError) as error:
        logger.warning("a notice could not be mailed: %s", type(error).__name__)
        return False
    return True
