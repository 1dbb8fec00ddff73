"""Telling people by mail that something waits or happened, and the test mail of the page of checks."""

from __future__ import annotations

import logging
import ssl
from smtplib import (
    SMTPAuthenticationError,
    SMTPException,
    SMTPNotSupportedError,
    SMTPRecipientsRefused,
    SMTPSenderRefused,
    SMTPServerDisconnected,
)
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

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
    (SMTPServerDisconnected, gettext_lazy("The mail server closed the connection.")),
    (SMTPException, gettext_lazy("The mail server answered, and did not take the mail.")),
    (ssl.SSLError, gettext_lazy("No encrypted connection came about: see the port, and the certificate.")),
    (TimeoutError, gettext_lazy("The mail server did not answer in time.")),
    (ConnectionError, gettext_lazy("The mail server refused the connection: see its name and port.")),
    (OSError, gettext_lazy("The mail server was not reached: see its name and port.")),
    (ValueError, gettext_lazy("No e-mail can be sent to your address.")),
)

#: From where on a server's code says 'not now', and from where on 'no'.
_FOR_NOW: Final = 400
_FOR_GOOD: Final = 500


def send_test(member: Member) -> str:
    """Mail a test to this member, and record it; '' when the server took it, else what went wrong."""
    if not mails.are_configured():
        return _("No mail server is configured.")
    problem, kind = "", ""
    try:
        body = _("This is a test. If you can read it, mail leaves.\n%(link)s\n") % {"link": settings.SITE_URL}
        EmailMessage(_("Gatekeeper: a test"), body, to=[member.email]).send()
    except (OSError, ValueError) as error:
        kind = type(error).__name__
        problem = _in_words(error)
        logger.warning("a test could not be mailed: %s", kind)
    Entry.objects.create(
        event=Event.CHANGE,
        outcome=Outcome.FAILED if problem else Outcome.ALLOWED,
        object_repr="test mail",
        changes_text=kind,
    )
    return problem


def _in_words(error: Exception) -> str:
    """What went wrong, for an administrator. A server says by its codes whether it is for a while."""
    if isinstance(error, SMTPRecipientsRefused) and all(
        _FOR_NOW <= code < _FOR_GOOD for code, _said in error.recipients.values()
    ):
        return _("The mail server does not take the mail for the present: try again in some minutes.")
    return next(str(words) for known, words in FAILURES if isinstance(error, known))


def notify_approvers(request: AccessRequest) -> str:
    """Tell everybody who could approve; returns a sentence about it, '' when nobody is told."""
    return _notify_approvers(request.member, "gatekeeper/mail/request_waits.txt", number=request.pk)


def notify_of_more_today(member: Member) -> str:
    """Tell everybody who could add to this member's day; as `notify_approvers`."""
    return _notify_approvers(member, "gatekeeper/mail/more_waits.txt")


def notify_of_ended_deputy(named: Deputy, by: Member) -> None:
    """Tell the manager who named the deputy, and the deputy, that somebody else ended it."""
    facts = {"manager": named.manager.number, "deputy": named.deputy.number, "by": by.number}
    for one in (named.manager, named.deputy):
        if one.pk != by.pk:
            mails.notify(one, "gatekeeper/mail/deputy_ended.txt", **facts)


def notify_of_opened_access(grant: Grant) -> None:
    """While the ticket is open, each opening is told to the approver."""
    if grant.while_open:
        mails.notify(grant.approver, "gatekeeper/mail/opened.txt", number=grant.request_id)


def _notify_approvers(member: Member, template: str, **facts: object) -> str:
    found = list(approvers.of(member)) if mails.are_configured() else []
    for approver in found:
        mails.notify(approver, template, **facts)
    words = ngettext(
        "%d person will be notified by e-mail.", "%d people will be notified by e-mail.", len(found)
    )
    return words % len(found) if found else ""
