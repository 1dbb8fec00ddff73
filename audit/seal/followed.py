"""The tree of the log, followed leaf by leaf as a verification reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from audit.database import rows
from audit.seal import merkle, stored
from audit.seal.findings import Finding, Kind

if TYPE_CHECKING:
    from psycopg import Connection

    from audit.seal.report import Report
    from audit.verify_bundle import Head


class FollowedTree:
    """The tree up to the leaf that was read last, with its nodes that were not compared yet.

    `tree` is None where it cannot be followed: leaves lack, or what is stored does not give a signed root.
    """

    def __init__(self, db: Connection[Any]) -> None:
        self._db = db
        self._nodes: list[merkle.Kept] = []
        self.tree: merkle.Tree | None = merkle.Tree(keep=self._nodes.append)

    def resume(self, checkpoint: stored.Checkpoint, head: Head | None) -> None:
        """Follow the tree again from a checkpoint, if what is stored gives the root that was signed."""
        self.tree = None
        self._nodes.clear()
        if head is None:
            return
        try:
            frontier = merkle.frontier(stored.StoredHashes(self._db), checkpoint.size)
        except LookupError:
            return
        if merkle.fold(frontier) == head.root:
            self.tree = merkle.Tree(checkpoint.size, frontier, keep=self._nodes.append)

    def compare_nodes(self, report: Report) -> None:
        """The stored nodes: no proof holds with a wrong one."""
        for level, place, found in self._nodes:
            statement = "SELECT hash FROM public.audit_node WHERE level = %s AND place = %s"
            if rows(statement, [level, place], using=self._db) != [(found,)]:
                words = _("the node %(place)d of level %(level)d is not what its leaves give")
                facts = {"place": place, "level": level}
                first, last = place << level, (place + 1 << level) - 1
                report.add(Finding(Kind.EDITED, words % facts, first, last))
        self._nodes.clear()
