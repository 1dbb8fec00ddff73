"""Checks of the parts that work only when they are set: a part that is off says so, and what is lost."""

from __future__ import annotations

from functools import partial

from cryptography import x509
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from gatekeeper.frame.health_row import Health


def signatures() -> Health:
    """Whether electronic signatures made elsewhere can be trusted."""
    row = partial(Health, "gatekeeper.roots", _("Signatures made elsewhere"))
    if not settings.TRUST_ROOTS:
        return row(
            "off",
            _("No uploaded electronic signature is accepted; members sign here, or on paper."),
            next_step=_("To accept some, set GATEKEEPER_TRUST_ROOTS to a file of certificates."),
        )
    count = len(x509.load_pem_x509_certificates(settings.TRUST_ROOTS.encode("ascii")))
    sentence = ngettext("%(count)d certificate is trusted.", "%(count)d certificates are trusted.", count)
    return row("ok", sentence % {"count": count})


def helpdesk_links() -> Health:
    """Whether a ticket's number leads into the helpdesk."""
    row = partial(Health, "gatekeeper.links", pgettext("check", "Links into the helpdesk"))
    if not settings.HELPDESK_TICKET_URL:
        return row(
            "off",
            _("Numbers of tickets are no links."),
            next_step=_("To link them, set GATEKEEPER_HELPDESK_TICKET_URL."),
        )
    return row("ok", _("Ticket numbers link to the helpdesk."))
