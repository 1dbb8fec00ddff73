"""Whether what is held of a feed is what its sender holds: what is younger settles a doubt."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from audit.database import call
from gatekeeper.feeds.connection import ALIAS
from gatekeeper.models import Feed

HELPDESK: Final = "tickets"
PLATFORM: Final = "accounts"


def doubt(name: str, what: Feed.Doubt, source: str) -> None:
    """What a feed holds may not be what its sender holds. Recorded once, until it is settled."""
    call("gatekeeper.doubt", feed=name, doubt=what, source=source, using=ALIAS)


def settle(name: str, as_of: datetime, source: str) -> None:
    """All of a feed was taken as it was at that moment: older doubts are over."""
    call("gatekeeper.settle", feed=name, as_of=as_of, source=source, using=ALIAS)
