"""Telling people by mail that something waits or happened. A mail holds no personal data: it names
a request by its number and links to its page."""

from __future__ import annotations

import logging
import ssl
from smtplib import (
    SMTPAuthenticationError,
    SMTPException,
    SMTPNotSupportedError,
    SMTPRecipientsRefused,
    SMTPSenderRefused,
)
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, override

from audit.models import Entry, Event, Outcome
from gatekeeper.access import approvers
from staff.frame import mails

if TYPE_CHECKING:
    from django.utils.functional import Promise

    from gatekeeper.models import AccessRequest, Deputy, Grant
    from staff.models import Member

logger = logging.getLogger(__name__)

#: What a mail server that does not take a test tells an administrator, the first that fits. Never the
#: server's own words: they repeat addresses, and sometimes more.
FAILURES: Final[tuple[tuple[type[Exception], Promise], ...]] = (
    (SMTPAuthenticationError, gettext_lazy("The mail server refused the name or the password.")),
    (SMTPSenderRefused, gettext_lazy("The mail server refused the sender: see GATEKEEPER_MAIL_FROM.")),
    (SMTPRecipientsRefused, gettext_lazy("The mail server refused your address.")),
    (SMTPNotSupportedError, gettext_lazy("The mail server offers no encryption, so nothing was sent.")),
    (SMTPException, gettext_lazy("The mail server answered, and did not take the mail.")),
    (ssl.SSLError, gettext_lazy("No encrypted connection came about: see the port, and the certificate.")),
    (TimeoutError, gettext_lazy("The mail server did not answer in time.")),
    (ConnectionError, gettext_lazy("The mail server refused the connection: see its name and port.")),
    (OSError, gettext_lazy("The mail server was not reached: see its name and port.")),
)


def mail_is_configured() -> bool:
    """Whether mail leaves at all; everything works without."""
    return bool(settings.EMAIL_HOST)


def send_test(member: Member) -> str:
    """Mail a test to this member, and record it; '' when the server took it, else what went wrong."""
    if not mail_is_configured():
        return _("No mail server is configured.")
    problem, kind = "", ""
    try:
        body = _("This is a test. If you can read it, mail leaves.\n%(link)s\n") % {"link": settings.SITE_URL}
        EmailMessage(_("Gatekeeper: a test"), body, to=[member.email]).send()
    except (SMTPException, OSError) as error:
        kind = type(error).__name__
        problem = next(str(words) for known, words in FAILURES if isinstance(error, known))
        logger.warning("a test could not be mailed: %s", kind)
    Entry.objects.create(
        event=Event.CHANGE,
        outcome=Outcome.FAILED if problem else Outcome.ALLOWED,
        object_repr="test mail",
        changes_text=kind,
    )
    return problem


def tell_approvers(request: AccessRequest) -> str:
    """Mail everybody who could approve; returns a sentence about it, '' when there is no mail."""
    if not mail_is_configured():
        return ""
    told = sum(
        _tell(member, _("A request waits for your decision"), request)
        for member in approvers.of(request.member)
    )
    return ngettext("%d person was told by mail.", "%d people were told by mail.", told) % told


def tell_of_more(member: Member) -> str:
    """Mail everybody who could add to this member's day; as `tell_approvers`."""
    if not mail_is_configured():
        return ""
    words = gettext_lazy("It stands here:\n%(link)s\n")
    told = sum(
        _mail(approver, _("A request waits for your decision"), words, reverse("inbox"))
        for approver in approvers.of(member)
    )
    return ngettext("%d person was told by mail.", "%d people were told by mail.", told) % told


def tell_of_ended_deputy(named: Deputy, by: Member) -> None:
    """Mail the manager who named the deputy, and the deputy, that somebody else ended it."""
    facts = {"manager": named.manager.number, "deputy": named.deputy.number, "by": by.number}
    for one in (named.manager, named.deputy):
        if one.pk != by.pk:
            subject = gettext_lazy("A deputy’s time was ended")
            mails.tell(one, subject, "gatekeeper/deputy_ended.txt", **facts)


def tell_of_opening(grant: Grant) -> None:
    """While the ticket is open, each opening is told to the approver."""
    if grant.while_open and mail_is_configured():
        _tell(grant.approver, _("An access that you approved was opened"), grant.request)


def _tell(member: Member, subject: str, request: AccessRequest) -> bool:
    words = gettext_lazy("Request %(number)d. Everything about it stands here:\n%(link)s\n")
    return _mail(member, subject, words, reverse("approval", args=[request.pk]), number=request.pk)


def _mail(member: Member, subject: str, words: Promise, address: str, **facts: object) -> bool:
    with override(member.language):
        body = str(words) % {"link": settings.SITE_URL + address, **facts}
        try:
            EmailMessage(subject, body, to=[member.email]).send()
        except (SMTPException, OSError) as error:
            # The inbox shows it all the same; a mail server that is down stops nobody.
            logger.warning("a notice could not be mailed: %s", type(error).__name__)
            return False
    return True
