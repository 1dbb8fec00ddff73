"""Whether what is held of a feed is what its sender holds: what is younger settles a doubt."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from gatekeeper.feeds import connection
from gatekeeper.models import Feed

HELPDESK: Final = "tickets"
PLATFORM: Final = "accounts"


def doubt(name: str, what: Feed.Doubt, source: str) -> None:
    """What a feed holds may not be what its sender holds. Recorded once, until it is settled."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT gatekeeper.doubt(%s::text, %s::text, %s::text)", [name, what.value, source])


def settle(name: str, as_of: datetime, source: str) -> None:
    """All of a feed was taken as it was at that moment: older doubts are over."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT gatekeeper.settle(%s::text, %s::timestamptz, %s::text)", [name, as_of, source])
