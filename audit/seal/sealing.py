"""The sealer: committed entries become leaves, in one order, under a signed checkpoint.

Writers take no lock. The sealer takes what no running transaction can still add to: entries below the
oldest running transaction, by (xid, id), in READ COMMITTED (audit/seal/spans.py). One sealer works
at a time; a second one waits. An entry below a checkpoint's horizon that has no leaf was put there later,
under a forged transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audit.database import call
from audit.seal import merkle, spans, stored, waiting
from audit.seal.checkpoints import Keys
from audit.seal.silence import break_silence
from audit.seal.writing import write_leaves, write_nodes
from audit.verify_bundle import ProofError, open_checkpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from psycopg import Connection

    from audit.seal.checkpoints import Signer
    from audit.seal.spans import Moment, Span
    from audit.verify_bundle import Head


class SealError(Exception):
    """The sealer must not go on: what is there is not what it signed. The message says what."""


class Sealer:
    """Seals a log under one key, on the connection of the sealer's role."""

    def __init__(
        self, connect: Callable[[], Connection[Any]], signer: Signer, source: str, keys: Keys | None = None
    ) -> None:
        """`connect` gives the connection as it is now: another one after a failure. `keys`: with older."""
        self._connect = connect
        self._signer = signer
        self._keys = keys or Keys(signer.key)
        self._source = source
        self._signed: Head | None = None  # by this process
        self._announced = False

    @property
    def _db(self) -> Connection[Any]:
        return self._connect()

    def seal(self) -> int:
        """Seal all that can be now; return how many leaves are new. Raises SealError, psycopg.Error."""
        sealed = 0
        while True:
            new = self._batch()
            sealed += new
            if new == 0 and not break_silence(self._db, self._source):
                return sealed

    def compare(self, notes: Iterable[str]) -> None:
        """See that the tree here continues checkpoints that are outside. Raises SealError.

        One that does not: the database was rolled back, and to go on would be to sign another history.
        """
        newest = stored.newest_checkpoint(self._db)
        hashes = stored.StoredHashes(self._db)
        for note in notes:
            try:
                outside = open_checkpoint(note, self._signer.key)
            except ProofError:
                continue  # not ours: whoever can write there must not be able to stop the sealer
            if newest is None or newest.size < outside.size:
                raise SealError(
                    f"a checkpoint outside has {outside.size} entries, the database"
                    f" {newest.size if newest else 0}: it was rolled back"
                )
            if stored.root_at(hashes, outside.size) != outside.root:
                raise SealError(f"the first {outside.size} entries are not those of a checkpoint outside")

    def _batch(self) -> int:
        with self._db.transaction():
            # A checkpoint that has left must not be lost in a crash.
            self._db.execute("SET LOCAL synchronous_commit = on")
            call("audit.lock_seal", using=self._db)
            newest = stored.newest_checkpoint(self._db)
            nodes: list[merkle.Kept] = []
            tree = self._tree(newest, nodes)
            moment = spans.now(self._db)
            span = self._span(newest, moment)
            batch = waiting.read(self._db, which=span.which, above=span.above)
            if batch.entries:
                write_leaves(self._db, tree, batch)
                write_nodes(self._db, nodes)
                self._sign(tree, span, moment)
        self._announced = True
        return batch.entries

    def _announce(self) -> None:
        """Say under which key the log goes on, once what is here was signed by it or by one before it."""
        if not self._announced:
            call("audit.announce_key", key=str(self._signer.key), source=self._source, using=self._db)

    def _tree(self, newest: stored.Checkpoint | None, nodes: list[merkle.Kept]) -> merkle.Tree:
        """The tree as it stands, once it gives what was signed last. Raises SealError."""
        if newest is None:
            if self._signed:
                raise SealError("the checkpoints that this sealer made are gone")
            return merkle.Tree(keep=nodes.append)
        try:
            head = self._keys.open(newest.note)
            frontier = merkle.frontier(stored.StoredHashes(self._db), newest.size)
        except (ProofError, LookupError) as error:
            raise SealError(f"the newest checkpoint or its leaves: {error}") from None
        tree = merkle.Tree(newest.size, frontier, keep=nodes.append)
        if head.size != newest.size or tree.root() != head.root:
            raise SealError(f"the leaves up to {newest.size} are not those that were signed")
        if self._signed and head.size < self._signed.size:
            raise SealError(f"{self._signed.size} entries were signed, {head.size} are here: rolled back")
        return tree

    def _span(self, newest: stored.Checkpoint | None, moment: Moment) -> Span:
        era = spans.present_era(self._db, self._signer.key.name)
        if era is None:
            return spans.new_era(self._db, self._signer, self._source, moment)
        self._announce()
        return spans.unsealed(self._db, newest, era, moment)

    def _sign(self, tree: merkle.Tree, span: Span, moment: Moment) -> None:
        note = self._signer.sign(tree.size, tree.root())
        self._db.execute(
            "INSERT INTO public.audit_checkpoint (size, era, horizon, ceiling, drawn, sealed_at, note)"
            " VALUES (%s, %s, %s::text::xid8, pg_current_xact_id(), %s, clock_timestamp(), %s)",
            [tree.size, span.era, str(span.horizon), moment.drawn, note],
        )
        self._signed = open_checkpoint(note, self._signer.key)
