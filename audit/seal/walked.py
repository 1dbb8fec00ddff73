"""Each leaf on the walk of a verification: whether it is its entry's, in order, and of a likely time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.utils.translation import gettext as _

from audit.database import rows
from audit.seal import judging
from audit.seal.findings import Finding, Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg import Connection

    from audit.seal.followed import FollowedTree
    from audit.seal.report import Report
    from audit.seal.stored import Checkpoint

#: So long a transaction may have run before its entry is taken for one with a false time.
LONGEST: Final = timedelta(minutes=10)
_PROGRESS_STEP: Final = 1000  # leaves between two calls of `progress`
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)  # PostgreSQL's


class WalkedLeaves:
    """The leaves seen so far, one after the other; what is wrong with one goes into the report."""

    def __init__(
        self, db: Connection[Any], report: Report, followed: FollowedTree, progress: Callable[[int], object]
    ) -> None:
        self._db = db
        self._report = report
        self._followed = followed
        self._progress = progress
        self._bare_upto = 0  # leaves below it have rightly lost their entries' bodies
        self.next = 0  # the place of the leaf that comes
        self._order = (0, 0)  # transaction and number of the entry before
        self._floor = 0

    def begin(self) -> None:
        """Find out which leaves may be without their entries' bodies."""
        self._bare_upto = retained(self._db, self._report)

    def enter(self, before: Checkpoint | None, current: Checkpoint) -> None:
        """Take up what holds for the leaves of one checkpoint: their order in the era, a floor for times."""
        self._floor = _micros(before.sealed_at - LONGEST) if before else 0
        if before and before.era != current.era:
            self._order = (0, 0)  # transactions are numbered again

    def report_rest(self) -> None:
        """Tell `progress` of the leaves that it has not been told of."""
        self._progress(self.next % _PROGRESS_STEP)

    def see(self, place: int, entry: int, transaction: int, time: int, state: int, found: bytes) -> None:
        """Judge the leaf at a place; `time` in microseconds since 2000, `state` and hash as judged."""
        if place != self.next:
            self.lacking(place)
        self.next += 1
        if not self.next % _PROGRESS_STEP:
            self._progress(_PROGRESS_STEP)
        if self._followed.tree is not None:
            self._followed.tree.append(found)
        if state == judging.BARE:
            self._without_body(place, entry)
            return
        self._report.entries += 1
        if state == judging.EDITED:
            words = _("entry %(entry)d is not what leaf %(place)d says")
            self._wrong(Kind.EDITED, words, place, entry)
            return
        if state == judging.ERASED:
            self._report.erased += 1
        self._in_order(place, entry, transaction, time)

    def _in_order(self, place: int, entry: int, transaction: int, time: int) -> None:
        order = transaction, entry
        if order <= self._order:
            words = _("entry %(entry)d at leaf %(place)d was written before the one that it follows")
            self._wrong(Kind.REORDERED, words, place, entry)
        elif time < self._floor and not self._clock_was_accepted(entry):
            words = _("entry %(entry)d at leaf %(place)d bears a time long before it was written")
            self._wrong(Kind.INSERTED, words, place, entry)
        self._order = order

    def _without_body(self, place: int, entry: int) -> None:
        if place < self._bare_upto:
            self._report.removed += 1
        else:
            self._wrong(Kind.MISSING, _("entry %(entry)d of leaf %(place)d is gone"), place, entry)

    def _clock_was_accepted(self, entry: int) -> bool:
        """Whether somebody has said since that entries before bear false times (manage.py accept_clock)."""
        found = rows(
            "SELECT FROM public.audit_entry WHERE event = 'change' AND id > %s AND details ? 'clock_accepted'"
            " LIMIT 1",
            [entry],
            using=self._db,
        )
        return bool(found)

    def lacking(self, end: int) -> None:
        """Note that every leaf before `end` that was not seen yet is missing."""
        words = _("the leaves %(first)d to %(last)d are not there")
        facts = {"first": self.next, "last": end - 1}
        self._report.add(Finding(Kind.MISSING, words % facts, self.next, end - 1))
        self._followed.tree = None
        self.next = end

    def _wrong(self, kind: Kind, words: str, place: int, entry: int) -> None:
        facts = {"entry": entry, "place": place}
        self._report.add(Finding(kind, words % facts, place, place, entry))


def retained(db: Connection[Any], report: Report) -> int:
    """Return below which leaf bodies are gone rightly; a retention that breaks its own rule is a finding."""
    found = rows(
        "SELECT e.id, (r->>'to')::bigint, e.timestamp - make_interval(days => (r->>'days')::int)"
        " FROM public.audit_entry e, LATERAL (SELECT e.details->'retention') x (r)"
        " WHERE e.event = 'seal' AND e.details ? 'retention' ORDER BY e.id DESC LIMIT 1",
        using=db,
    )
    if not found:
        return 0
    [(entry, upto, limit)] = found
    sealed = rows("SELECT sealed_at FROM public.audit_checkpoint WHERE size = %s", [upto], using=db)
    if not sealed or sealed[0][0] > limit:
        words = _("the retention of entry %(entry)d goes beyond the rule that it names")
        report.add(Finding(Kind.MISSING, words % {"entry": entry}, entry=entry))
    return int(upto)


def _micros(time: datetime) -> int:
    """A time as PostgreSQL's binary form has it."""
    return (time - _EPOCH) // timedelta(microseconds=1)
