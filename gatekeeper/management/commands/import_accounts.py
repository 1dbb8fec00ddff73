"""Takes the platform's export of accounts."""

from __future__ import annotations

from collections.abc import Callable

from gatekeeper import storing
from gatekeeper.exports import AccountLine
from gatekeeper.management.importing import Import, ImportCommand

BATCH = 500


class Command(ImportCommand):
    help = (
        "Takes accounts, one JSON object a line. A line is the whole account: what it lacks is gone."
        " exported_at orders them: older never overwrites newer. Personal values are encrypted here,"
        " before they reach the database. Refused lines are named on standard error, without a value;"
        " the others get in. Run it again to resume, or to be sure: nothing is stored twice."
    )
    what = "accounts"

    def begin(self, refused: Callable[[int, str], None], source: str) -> Import[AccountLine]:
        return Import(AccountLine, storing.store_accounts, batch=BATCH, refused=refused)
