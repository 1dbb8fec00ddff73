"""Whether passwords are being guessed, for the page of checks: it is about a network, and nobody's review."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext as _

from audit.models import Entry, Flag
from gatekeeper.frame.health_row import Health

#: How long it is shown after it was found.
SHOWN: Final = timedelta(days=1)


def guesses() -> Health:
    """From where one network has tried to sign in again and again of late."""
    row = partial(Health, "gatekeeper.guesses", _("Attempts to sign in"))
    since = timezone.now() - SHOWN
    flagged = Flag.objects.filter(rule="guesses", found_at__gt=since).values("entry")
    found = Entry.objects.filter(pk__in=flagged).exclude(remote_addr=None).order_by("remote_addr")
    addresses = list(found.values_list("remote_addr", flat=True).distinct())
    if not addresses:
        return row("ok", _("No passwords are being guessed."))
    return row(
        "to_fix",
        _("Passwords were guessed within the last day, from: %(addresses)s.")
        % {"addresses": ", ".join(addresses[:5])},
        cause=_("Each network is locked after some failures; the attempts continue from others."),
        next_step=_("Block them at the proxy. The log has each attempt under odd:guesses."),
    )
