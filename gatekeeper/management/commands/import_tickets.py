"""Takes the helpdesk's export of tickets."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from gatekeeper import tickets
from gatekeeper.exports import TicketLine
from gatekeeper.management.importing import Import, ImportCommand

BATCH = 200


class Command(ImportCommand):
    help = (
        "Takes tickets, one JSON object a line; import members first, for an assignee who is not known"
        " is nobody. updated_at orders them: older never overwrites newer. A line about a known ticket"
        " that cannot be used shuts that ticket. Refused lines are named on standard error, without a"
        " value; the others get in. A run that gets to its end counts as news from the helpdesk."
    )
    what = "tickets"

    def begin(self, refused: Callable[[int, str], None], source: str) -> Import[TicketLine]:
        return Import(
            TicketLine,
            partial(tickets.apply_patiently, source=source),
            batch=BATCH,
            refused=refused,
            unusable=lambda raw: tickets.shut_named(raw, None, source),
        )

    def finished(self) -> None:
        tickets.heard()
