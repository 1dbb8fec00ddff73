"""Verifying the log: every leaf against its entry, every checkpoint against the leaves, copies against both.

One pass over the leaves in the order of the tree, each with the judgement whether it is its entry's
(audit/seal/judging.py), in one snapshot, in constant memory. The database is not trusted: what it says must
lead to roots that the log's key signed, and to those of the copies that had left it.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

from django.utils.translation import gettext as _

from audit.database import rows
from audit.seal import beyond, judging, stored
from audit.seal.findings import Finding, Kind
from audit.seal.followed import FollowedTree
from audit.seal.judged import Leaves
from audit.seal.report import Report
from audit.seal.walked import WalkedLeaves
from audit.verify_bundle import ProofError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from psycopg import Connection

    from audit.seal.checkpoints import Keys
    from audit.verify_bundle import Head

_BEFORE_ALL: Final = "SELECT place, entry FROM public.audit_leaf WHERE place < 0 ORDER BY place"


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
        """`outside`: checkpoints that were kept elsewhere. `progress`: called with the number of leaves
        done since its last call. `others`: processes that judge leaves; this one only follows the tree.
        """
        self._reading = reading
        self._db = beside
        self._keys = keys
        self._others = others
        self.report = Report()
        self._outside = self._opened(outside)
        self._followed = FollowedTree(beside)
        self._leaves = WalkedLeaves(beside, self.report, self._followed, progress)

    def run(self, *, since: datetime | None = None) -> Report:
        """Verify all, or what was sealed after the last checkpoint before `since`. Raises psycopg.Error."""
        with self._reading.transaction(), self._db.transaction():
            self._one_snapshot()
            self._leaves.begin()
            newest = self._walk(self._start(since) if since else None)
            beyond.judge_copies(self._db, self._outside, newest, self.report)
            beyond.judge_waiting(self._db, newest, self.report)
        return self.report

    def _one_snapshot(self) -> None:
        self._reading.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        [(name,)] = rows("SELECT pg_export_snapshot()", using=self._reading)
        judging.share(self._db, name)

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
        self._leaves.next = before.size
        while self._outside and self._outside[-1].size < before.size:
            self._outside.pop()
        self._followed.resume(before, self._signed(before))
        if self._followed.tree is None:
            words = _("the first %(size)d leaves are not those that were signed; verify from the beginning")
            self.report.add(Finding(Kind.EDITED, words % {"size": before.size}, 0, before.size - 1))
        while self._outside and self._outside[-1].size == before.size:
            self._compare_outside(self._outside.pop(), named=self.report.found)
        return before

    def _walk(self, before: stored.Checkpoint | None) -> stored.Checkpoint | None:
        """Every leaf, up to one checkpoint after the other; returns the newest checkpoint."""
        erasures = judging.Erasures.read(self._db)
        with closing(
            judging.judgements(self._reading, self._leaves.next, erasures, self._others)
        ) as judgements:
            walk = Leaves(judgements)
            for current in self._checkpoints(before):
                self.report.checkpoints += 1
                self._leaves.enter(before, current)
                self._segment(walk, current, named=self.report.found)
                before = current
            beyond = [(place, entry) for place, entry, *_rest in walk.rest()]
        self._leaves.report_rest()
        # A leaf before the first is walked by nobody, and would give an entry the look of a sealed one.
        self._name_uncovered(rows(_BEFORE_ALL, using=self._db))
        self._name_uncovered(beyond)
        self.report.size = self._leaves.next
        return before

    def _name_uncovered(self, uncovered: Sequence[tuple[int, int]]) -> None:
        """Leaves, each with its entry, that no checkpoint covers."""
        if not uncovered:
            return
        words = _("leaf %(place)d and %(more)d after it are under no checkpoint")
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

    def _segment(self, walk: Leaves, current: stored.Checkpoint, *, named: int) -> None:
        """The leaves up to a checkpoint, and the copies from elsewhere that lie on the way."""
        first = self._leaves.next
        while self._outside and self._outside[-1].size <= current.size:
            outside = self._outside.pop()
            self._see(walk, outside.size)
            self._compare_outside(outside, named=named)
        self._see(walk, current.size)
        if self._leaves.next < current.size:
            self._leaves.lacking(current.size)
        head = self._signed(current)
        tree = self._followed.tree
        agrees = tree is not None and head is not None and tree.root() == head.root
        if agrees:
            self._followed.compare_nodes(self.report)
        elif head and tree is not None and self.report.found == named:
            self._name(first, current)
        if not agrees:
            self._followed.resume(current, head)

    def _see(self, walk: Leaves, end: int) -> None:
        """Each leaf before `end`."""
        see = self._leaves.see
        for judgement in walk.before(end):
            see(*judgement)

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
