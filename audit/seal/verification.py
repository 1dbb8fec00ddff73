"""Verifying the log: every leaf against its entry, every checkpoint against the leaves, copies against both.

One pass over the leaves in the order of the tree, each with the judgement whether it is its entry's
(audit/seal/judging.py), in one snapshot, in constant memory. The database is not believed: what it says must
lead to roots that the log's key signed, and to those of the copies that had left it.
"""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.utils.translation import gettext as _

from audit.database import rows
from audit.seal import beyond, judging, stored
from audit.seal.findings import Finding, Kind
from audit.seal.followed import FollowedTree
from audit.seal.judged import Leaves
from audit.seal.report import Report
from audit.verify_bundle import ProofError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from psycopg import Connection

    from audit.seal.checkpoints import Keys
    from audit.verify_bundle import Head

#: So long a transaction may have run before its entry is taken for one with a false time.
LONGEST: Final = timedelta(minutes=10)
_TOLD: Final = 1000  # leaves between two calls of `progress`

_BEFORE_ALL: Final = "SELECT place, entry FROM public.audit_leaf WHERE place < 0 ORDER BY place"
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)  # PostgreSQL's


class Verification:
    """One verification of the log, on two connections: one reads the log from end to end, one looks up."""

    def __init__(
        self,
        reading: Connection[Any],
        beside: Connection[Any],
        keys: Keys,
        *,
        outside: Iterable[str] = (),
        progress: Callable[[int], object] = lambda _: None,
        others: judging.Others | None = None,
    ) -> None:
        """`outside`: checkpoints that were kept elsewhere. `progress` is told of more leaves done. `others`:
        processes that judge leaves, so that this one only follows the tree.
        """
        self._reading = reading
        self._db = beside
        self._keys = keys
        self._progress = progress
        self._others = others
        self.report = Report()
        self._bare_upto = 0  # leaves below it have rightly lost their entries' bodies
        self._outside = self._opened(outside)
        self._followed = FollowedTree(beside)
        self._next = 0
        self._order = (0, 0)  # transaction and number of the entry before
        self._floor = 0

    def run(self, *, since: datetime | None = None) -> Report:
        """Verify all, or what was sealed after the last checkpoint before `since`. Raises psycopg.Error."""
        with self._reading.transaction(), self._db.transaction():
            self._one_snapshot()
            self._bare_upto = self._retained()
            newest = self._walk(self._start(since) if since else None)
            beyond.judge_copies(self._db, self._outside, newest, self.report)
            beyond.judge_waiting(self._db, newest, self.report)
        return self.report

    def _one_snapshot(self) -> None:
        self._reading.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        [(name,)] = rows("SELECT pg_export_snapshot()", using=self._reading)
        judging.share(self._db, name)

    def _retained(self) -> int:
        """Below which leaf bodies are gone rightly; a retention that breaks its own rule is a finding."""
        found = rows(
            "SELECT e.id, (r->>'to')::bigint, e.timestamp - make_interval(days => (r->>'days')::int)"
            " FROM public.audit_entry e, LATERAL (SELECT e.details->'retention') x (r)"
            " WHERE e.event = 'seal' AND e.details ? 'retention' ORDER BY e.id DESC LIMIT 1",
            using=self._db,
        )
        if not found:
            return 0
        [(entry, upto, limit)] = found
        sealed = rows("SELECT sealed_at FROM public.audit_checkpoint WHERE size = %s", [upto], using=self._db)
        if not sealed or sealed[0][0] > limit:
            words = _("the retention of entry %(entry)d goes beyond the rule that it names")
            self.report.add(Finding(Kind.MISSING, words % {"entry": entry}, entry=entry))
        return int(upto)

    def _opened(self, notes: Iterable[str]) -> list[Head]:
        """The checkpoints from elsewhere, the smallest last."""
        heads = []
        for note in notes:
            try:
                heads.append(self._keys.open(note))
            except ProofError as error:
                words = _("a checkpoint that was given: %(error)s") % {"error": error}
                self.report.add(Finding(Kind.UNSIGNED, words))
        return sorted(heads, key=lambda head: -head.size)

    # The walk

    def _start(self, since: datetime) -> stored.Checkpoint | None:
        """Go on from the last checkpoint before a moment, whose signed root the nodes must give."""
        found = rows(
            f"SELECT {stored.CHECKPOINT} FROM public.audit_checkpoint WHERE sealed_at <= %s"  # noqa: S608
            " ORDER BY size DESC LIMIT 1",
            [since],
            using=self._db,
        )
        if not found:
            return None
        before = stored.Checkpoint(*found[0])
        self._next = before.size
        while self._outside and self._outside[-1].size < before.size:
            self._outside.pop()
        self._followed.resume(before, self._signed(before))
        if self._followed.tree is None:
            words = _("the first %(size)d leaves are not those that were signed; verify from the beginning")
            self.report.add(Finding(Kind.EDITED, words % {"size": before.size}, 0, before.size - 1))
        return before

    def _walk(self, before: stored.Checkpoint | None) -> stored.Checkpoint | None:
        """Every leaf, up to one checkpoint after the other; returns the newest checkpoint."""
        erasures = judging.Erasures.read(self._db)
        with closing(judging.judgements(self._reading, self._next, erasures, self._others)) as judgements:
            walk = Leaves(judgements)
            for current in self._checkpoints(before):
                self._enter(before, current)
                self._segment(walk, current, named=self.report.found)
                before = current
            beyond = [(place, entry) for place, entry, *_rest in walk.rest()]
        self._progress(self._next % _TOLD)
        # A leaf before the first is walked by nobody, and would give an entry the look of a sealed one.
        self._name_uncovered(rows(_BEFORE_ALL, using=self._db))
        self._name_uncovered(beyond)
        self.report.size = self._next
        return before

    def _name_uncovered(self, uncovered: Sequence[tuple[int, int]]) -> None:
        """Leaves, each with its entry, that no checkpoint covers."""
        if not uncovered:
            return
        words = _("leaf %(place)d and %(more)d after it stand under no checkpoint")
        (first, entry), (last, _entry) = uncovered[0], uncovered[-1]
        facts = {"place": first, "more": len(uncovered) - 1}
        self.report.add(Finding(Kind.INSERTED, words % facts, first, last, entry))

    def _checkpoints(self, before: stored.Checkpoint | None) -> Iterator[stored.Checkpoint]:
        with self._db.cursor("checkpoints") as cursor:
            cursor.execute(
                f"SELECT {stored.CHECKPOINT} FROM public.audit_checkpoint WHERE size > %s ORDER BY size",  # noqa: S608
                [before.size if before else 0],
            )
            for row in cursor:
                yield stored.Checkpoint(*row)

    def _enter(self, before: stored.Checkpoint | None, current: stored.Checkpoint) -> None:
        """What holds for the leaves of one checkpoint: their order in the era, a floor for their times."""
        self.report.checkpoints += 1
        self._floor = _micros(before.sealed_at - LONGEST) if before else 0
        if before and before.era != current.era:
            self._order = (0, 0)  # transactions are numbered anew

    def _segment(self, walk: Leaves, current: stored.Checkpoint, *, named: int) -> None:
        """The leaves up to a checkpoint, and the copies from elsewhere that lie on the way."""
        first = self._next
        while self._outside and self._outside[-1].size <= current.size:
            outside = self._outside.pop()
            self._leaves(walk, outside.size)
            self._compare_outside(outside, named=named)
        self._leaves(walk, current.size)
        if self._next < current.size:
            self._lacking(current.size)
        head = self._signed(current)
        tree = self._followed.tree
        agrees = tree is not None and head is not None and tree.root() == head.root
        if agrees:
            self._followed.compare_nodes(self.report)
        elif head and tree is not None and self.report.found == named:
            self._name(first, current)
        if not agrees:
            self._followed.resume(current, head)

    def _leaves(self, walk: Leaves, end: int) -> None:
        """Each leaf before `end`."""
        leaf = self._leaf
        for judgement in walk.before(end):
            leaf(*judgement)

    def _leaf(self, place: int, entry: int, transaction: int, time: int, state: int, found: bytes) -> None:
        if place != self._next:
            self._lacking(place)
        self._next += 1
        if not self._next % _TOLD:
            self._progress(_TOLD)
        if self._followed.tree is not None:
            self._followed.tree.append(found)
        if state == judging.BARE:
            self._without_body(place, entry)
            return
        self.report.entries += 1
        if state == judging.EDITED:
            words = _("entry %(entry)d is not what leaf %(place)d says")
            self._wrong(Kind.EDITED, words, place, entry)
            return
        if state == judging.ERASED:
            self.report.erased += 1
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
            self.report.removed += 1
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

    # Roots

    def _signed(self, checkpoint: stored.Checkpoint) -> Head | None:
        """What a checkpoint of the database says, once its signature holds."""
        try:
            head = self._keys.open(checkpoint.note)
        except ProofError as error:
            words = _("the checkpoint of %(size)d: %(error)s") % {"size": checkpoint.size, "error": error}
        else:
            if head.size == checkpoint.size:
                return head
            words = _("the checkpoint of %(size)d speaks of another size") % {"size": checkpoint.size}
        self.report.add(Finding(Kind.UNSIGNED, words))
        return None

    def _lacking(self, end: int) -> None:
        words = _("the leaves %(first)d to %(last)d are not there")
        facts = {"first": self._next, "last": end - 1}
        self.report.add(Finding(Kind.MISSING, words % facts, self._next, end - 1))
        self._followed.tree = None
        self._next = end

    def _name(self, first: int, current: stored.Checkpoint) -> None:
        """What was done to leaves that agree with their entries and not with the signed root.

        By the horizon: what the checkpoint sealed was written below it, and nothing else was.
        """
        [(strange, elsewhere)] = rows(
            "SELECT count(*) FILTER (WHERE l.place < %(last)s AND e.xid >= %(horizon)s::text::xid8),"
            " count(*) FILTER (WHERE l.place >= %(last)s AND e.xid < %(horizon)s::text::xid8)"
            " FROM public.audit_leaf l JOIN public.audit_entry e ON e.id = l.entry"
            " WHERE l.place >= %(first)s",
            {"first": first, "last": current.size, "horizon": str(current.horizon)},
            using=self._db,
        )
        if elsewhere:
            kind, words = Kind.INSERTED, _("%(count)d leaves too many among %(first)d to %(last)d")
        elif strange:
            kind, words = Kind.MISSING, _("%(count)d leaves were taken out of %(first)d to %(last)d")
        else:
            kind, words = Kind.EDITED, _("the leaves %(first)d to %(last)d are not those that were signed")
        facts = {"count": elsewhere or strange, "first": first, "last": current.size - 1}
        self.report.add(Finding(kind, words % facts, first, current.size - 1))

    def _compare_outside(self, outside: Head, *, named: int) -> None:
        self.report.outside += 1
        tree = self._followed.tree
        if tree is not None and self.report.found == named and tree.root() != outside.root:
            words = _("the checkpoint outside of %(size)d entries is of another history")
            self.report.add(Finding(Kind.ROLLED_BACK, words % {"size": outside.size}, 0, outside.size - 1))

    def _wrong(self, kind: Kind, words: str, place: int, entry: int) -> None:
        facts = {"entry": entry, "place": place}
        self.report.add(Finding(kind, words % facts, place, place, entry))


def _micros(time: datetime) -> int:
    """A time as PostgreSQL's binary form has it."""
    return (time - _EPOCH) // timedelta(microseconds=1)
