"""Whether mail leaves: the row of it on the page of checks."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Final

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gatekeeper.frame.health_row import Health
from staff.frame import mails, outbox, times

#: A notice that waits for longer has met a mail server that takes none, twice at least.
LATE: Final = timedelta(minutes=10)


def mail() -> Health:
    """What waits, and what was given up; where no mail is configured, that nothing leaves."""
    row = partial(Health, "gatekeeper.mail", _("Mail"))
    if not mails.are_configured():
        return row(
            "off",
            _(
                "No mail leaves, and everything works without: requests show in the inbox, one-time links"
                " on the page of the officer who makes them."
            ),
            next_step=_("To send mail, set GATEKEEPER_MAIL_URL and GATEKEEPER_MAIL_FROM."),
        )
    sentence = _("Notices go through %(host)s.") % {"host": settings.EMAIL_HOST}
    if not settings.DEFAULT_FROM_EMAIL:
        return row(
            "to_fix",
            sentence,
            cause=_("Mail has no sender, and most servers refuse it."),
            next_step=_("Set GATEKEEPER_MAIL_FROM."),
            try_it="test_mail",
        )
    causes = _causes()
    if not causes:
        return row("ok", sentence, try_it="test_mail")
    return row(
        "to_fix",
        sentence,
        cause=" ".join(causes),
        next_step=_(
            "Send a test e-mail: it shows what the mail server answers. Check whether send_mail runs."
        ),
        command="python manage.py send_mail --every 60",
        try_it="test_mail",
    )


def _causes() -> list[str]:
    found = outbox.backlog()
    causes = []
    if found.since and timezone.now() - found.since > LATE:
        waiting = ngettext(
            "%(count)d notice waits, since %(time)s.",
            "%(count)d notices wait, the oldest since %(time)s.",
            found.waiting,
        )
        causes.append(waiting % {"count": found.waiting, "time": times.moment(found.since)})
    if found.failed:
        given_up = ngettext(
            "%(count)d notice of the last seven days was tried for a day, and given up.",
            "%(count)d notices of the last seven days were tried for a day, and given up.",
            found.failed,
        )
        causes.append(given_up % {"count": found.failed})
    return causes
