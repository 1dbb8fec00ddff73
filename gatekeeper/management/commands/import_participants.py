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
        " nothing is kept but that. A field that cannot be used is dropped, or mended, and named on"
        " standard error; the line gets in. A line is refused for its references or its objection alone,"
        " and an objection that cannot be read is kept as one. Nothing that is said repeats a value."
        " Run it again to resume: nothing is stored twice."
    )
    what = "participants"

    def begin(self, refused: Callable[[int, str], None], source: str) -> Import[ParticipantLine]:
        run = Import(
            ParticipantLine,
            storing.store_participants,
            batch=BATCH,
            refused=refused,
            unusable=lambda raw: run.closed(storing.object_refused(raw)),
            noted=self.noted,
        )
        return run
