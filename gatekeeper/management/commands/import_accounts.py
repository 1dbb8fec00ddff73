"""Takes the platform's export of accounts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from django.utils import timezone

from gatekeeper.feeds import closing, doubts, store
from gatekeeper.feeds.account_lines import AccountLine
from gatekeeper.feeds.importing import Import, ImportCommand

BATCH = 500


class Command(ImportCommand):
    help = (
        "Takes accounts, one JSON object a line. A line is the whole account: what it lacks is gone."
        " exported_at orders them: older never overwrites newer. Personal values are encrypted here,"
        " before they reach the database. A field that is merely shown and cannot be used is dropped, or"
        " mended, and named on standard error; the line gets in. A line is refused for its reference,"
        " its time, a consent or a restriction alone; what it can only have meant to close is closed."
        " Nothing that is said repeats a value. Run it again to resume: nothing is stored twice."
    )
    what = "accounts"

    def begin(self, refused: Callable[[int, str], None], source: str) -> Import[AccountLine]:
        run = Import(
            AccountLine,
            partial(store.store_accounts, source=source),
            batch=BATCH,
            refused=refused,
            unusable=lambda raw: run.closed(store.close_all(closing.of_refused(raw), source)),
            noted=self.noted,
        )
        self._run, self._began, self._source = run, timezone.now(), source
        return run

    def finished(self) -> None:
        counts = self._run.counts
        if not counts["refused"] and any(counts.values()):
            doubts.settle(doubts.PLATFORM, self._began, self._source)
