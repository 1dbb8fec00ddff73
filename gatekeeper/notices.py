"""Telling people by mail that something waits or happened. A mail holds no personal data: it names
a request by its number and links to its page."""

from __future__ import annotations

import logging
from smtplib import SMTPException
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from gatekeeper import access

if TYPE_CHECKING:
    from gatekeeper.models import AccessRequest, Grant
    from staff.models import Member

logger = logging.getLogger(__name__)


def mail_is_configured() -> bool:
    """Whether mail leaves at all; everything works without."""
    return bool(settings.EMAIL_HOST)


def tell_approvers(request: AccessRequest) -> str:
    """Mail everybody who could approve; returns a sentence about it, '' when there is no mail."""
    if not mail_is_configured():
        return ""
    told = sum(
        _tell(member, _("A request waits for your decision"), request)
        for member in access.approvers(request.member)
    )
    return ngettext("%d person was told by mail.", "%d people were told by mail.", told) % told


def tell_of_opening(grant: Grant) -> None:
    """While the ticket is open, each opening is told to the approver (DESIGN §3)."""
    if grant.while_open and mail_is_configured():
        _tell(grant.approver, _("An access that you approved was opened"), grant.request)


def _tell(member: Member, subject: str, request: AccessRequest) -> bool:
    with override(member.language):
        link = settings.SITE_URL + reverse("approval", args=[request.pk])
        body = _("Request %(number)d. Everything about it stands here:\n%(link)s\n") % {
            "number": request.pk,
            "link": link,
        }
        try:
            EmailMessage(subject, body, to=[member.email]).send()
        except (SMTPException, OSError) as error:
            # The inbox shows it all the same; a mail server that is down stops nobody.
            logger.warning("a notice could not be mailed: %s", type(error).__name__)
            return False
    return True
