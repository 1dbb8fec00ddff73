"""Takes the platform's export of participants."""

from __future__ import annotations

from collections.abc import Callable

from gatekeeper import storing
from gatekeeper.exports import ParticipantLine
from gatekeeper.management.importing import Import, ImportCommand

BATCH = 500


class Command(ImportCommand):
    help = (
        "Takes participants' records of accounts that are here, one JSON object a line. Of who objected"
        " nothing is kept but that. Refused lines are named on standard error, without a value; the"
        " others get in. Run it again to resume, or to be sure: nothing is stored twice."
    )
    what = "participants"

    def begin(self, refused: Callable[[int, str], None], source: str) -> Import[ParticipantLine]:
        return Import(ParticipantLine, storing.store_participants, batch=BATCH, refused=refused)
