"""The sealer: committed entries become leaves, in one order, under a signed checkpoint.

Writers take no lock. The sealer takes what no running transaction can still add to: entries below the
oldest running transaction, by (xid, id), in READ COMMITTED. One sealer
works at a time; a second one waits. An entry below a checkpoint's horizon that has no leaf was put
there later, under a forged transaction.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import timedelta
from itertools import count, repeat
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from psycopg import sql

from audit.database import call, calls, rows
from audit.seal import leaves, merkle, stored
from audit.seal.checkpoints import Keys
from audit.verify_bundle import ProofError, open_checkpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from psycopg import Connection

    from audit.seal.checkpoints import Signer
    from audit.verify_bundle import Head

#: After so long without an entry one is written, so that the next checkpoint proves the silence.
QUIET: Final = timedelta(minutes=5)

#: Sorted first and printed then (OFFSET 0 keeps it so), while the rows before are hashed. The bound on both
#: sides, for PostgreSQL might look through all leaves there are.
_READ: Final = f"""
    COPY (SELECT e.id, e.{leaves.SALTS}, {leaves.PARTS}
          FROM (SELECT e.* FROM public.audit_entry e
                WHERE {{which}} AND e.id > {{above}} AND NOT EXISTS (
                    SELECT FROM public.audit_leaf l WHERE l.entry = e.id AND l.entry > {{above}})
                ORDER BY e.xid, e.id OFFSET 0) e
          ORDER BY e.xid, e.id) TO STDOUT (FORMAT binary)
"""  # noqa: S608  # columns of our own list
_WRITE: Final = "COPY public.audit_leaf (place, entry, number, hash, tag) FROM STDIN (FORMAT binary)"
_COPY_HEAD: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_COPY_END: Final = b"\xff\xff"
_LEAF_ROW: Final = struct.Struct(f">h iq iq iq i32s i{leaves.TAG_BYTES}s")
_NUMBER: Final = struct.Struct(">2xiq")
_KEPT: Final = struct.Struct(">qi32s32s")
_LEAST: Final = -(1 << 63)  # below every number
_IN_MEMORY: Final = 16 << 20
_BLOCK: Final = 64 << 10


class SealError(Exception):
    """The sealer must not go on: what is there is not what it signed. The message says what."""


@dataclass(frozen=True)
class _Moment:
    """What had been when this batch began: the last number drawn, then the oldest running transaction."""

    drawn: int
    oldest: int


@dataclass(frozen=True)
class _Span:
    """What one batch takes: which entries above a number, and the horizon that they leave behind."""

    era: int
    above: int
    which: sql.Composable
    horizon: int


class _Era(NamedTuple):
    number: int
    horizon: str  # a transaction's number


class _Tag(NamedTuple):
    tagged: str
    tag_key: bytes
    leaves: int


class _Waiting:
    """Entries about to be sealed, in order: on disk where they are many, for memory stays constant."""

    def __init__(self) -> None:
        self.entries = 0
        self.leaves: list[int] = []  # of each account
        self.accounts: dict[str, int] = {}  # by name, its place in `leaves`
        self._file = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  # closed with the object

    def add(self, row: bytes) -> None:
        """Hash both parts of an entry out of a row of `_READ`."""
        _, entry = _NUMBER.unpack_from(row)
        salts, at = leaves.value(row, _NUMBER.size)
        account, _ = leaves.value(row, at)
        place = self._place(account.decode()) if account else -1
        self._file.write(_KEPT.pack(entry, place, *leaves.hashes(row, at, salts or b"")))
        self.entries += 1

    def _place(self, account: str) -> int:
        """Count one leaf more of an account; return where its count stands."""
        place = self.accounts.setdefault(account, len(self.leaves))
        if place == len(self.leaves):
            self.leaves.append(0)
        self.leaves[place] += 1
        return place

    def __iter__(self) -> Iterator[tuple[int, int, bytes, bytes]]:
        """Entry, its account's place or -1, and both hashes."""
        self._file.seek(0)
        while block := self._file.read(_KEPT.size * 1024):
            yield from _KEPT.iter_unpack(block)


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
            if new == 0 and not self._break_silence():
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
            moment = self._moment()
            span = self._span(newest, moment)
            waiting = self._read(span)
            if waiting.entries:
                self._write(tree, waiting)
                self._keep(nodes)
                self._sign(tree, span, moment)
        self._announced = True
        return waiting.entries

    def _announce(self) -> None:
        """Say under which key the log goes on, once what is here was signed by it or by one before it."""
        if not self._announced:
            call("audit.announce_key", key=str(self._signer.key), source=self._source, using=self._db)

    def _break_silence(self) -> bool:
        """Write an entry where the newest checkpoint is so old that another is due."""
        found = rows(
            "SELECT clock_timestamp() - sealed_at > %s"
            # While one still waits for a transaction that runs on, another would wait with it.
            " AND EXISTS (SELECT FROM public.audit_leaf"
            " WHERE entry = (SELECT max(id) FROM public.audit_entry))"
            " FROM public.audit_checkpoint ORDER BY size DESC LIMIT 1",
            [QUIET],
            using=self._db,
        )
        if found != [(True,)]:
            return False
        call("audit.note_quiet", source=self._source, using=self._db)
        return self._is_free()

    def _is_free(self) -> bool:
        """Whether the newest entry can be sealed: no transaction that still runs holds it back."""
        newest = (
            "SELECT pg_snapshot_xmin(pg_current_snapshot()) > xid FROM public.audit_entry"
            " ORDER BY id DESC LIMIT 1"
        )
        return rows(newest, using=self._db) == [(True,)]

    def _moment(self) -> _Moment:
        # In this order, see stored.lowest.
        last = "SELECT last_value - (NOT is_called)::int FROM public.audit_entry_id_seq"
        [(drawn,)] = rows(last, using=self._db)
        [(oldest,)] = rows("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint", using=self._db)
        return _Moment(drawn, oldest)

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

    def _span(self, newest: stored.Checkpoint | None, moment: _Moment) -> _Span:
        found = rows(
            "SELECT number FROM public.audit_era WHERE number = (SELECT max(number) FROM public.audit_era)"
            " AND system = (SELECT system_identifier FROM pg_control_system()) AND origin = %s",
            [self._signer.key.name],
            using=self._db,
        )
        if not found:
            return self._new_era(moment)
        self._announce()
        return self._unsealed(newest, found[0][0], moment)

    def _new_era(self, moment: _Moment) -> _Span:
        key = str(self._signer.key)
        begun = call("audit.begin_era", key=key, source=self._source, into=_Era, using=self._db)
        if begun.number == 1:
            return self._unsealed(None, begun.number, moment)
        # All that are here, whatever their numbers: nobody writes until this transaction has ended.
        return _Span(begun.number, _LEAST, sql.SQL("e.xid <> pg_current_xact_id()"), int(begun.horizon))

    def _unsealed(self, newest: stored.Checkpoint | None, era: int, moment: _Moment) -> _Span:
        """The entries of transactions that have ended since the last horizon."""
        horizon = newest.horizon if newest else 0
        which = sql.SQL("e.xid >= {}::xid8 AND e.xid < {}::xid8").format(
            sql.Literal(str(horizon)), sql.Literal(str(moment.oldest))
        )
        return _Span(era, stored.lowest(self._db, horizon, era), which, moment.oldest)

    def _read(self, span: _Span) -> _Waiting:
        waiting = _Waiting()
        statement = sql.SQL(_READ).format(which=span.which, above=sql.Literal(span.above))
        with self._db.cursor() as cursor, cursor.copy(statement) as copy:
            for row in leaves.rows(copy):
                waiting.add(row)
        return waiting

    def _tags(self, waiting: _Waiting) -> list[tuple[bytes, Iterator[int]]]:
        """The tag of each account, and the running numbers of its leaves; last, for -1, those of none."""
        tags = calls(
            "audit.tags", accounts=list(waiting.accounts), leaves=waiting.leaves, into=_Tag, using=self._db
        )
        found: list[tuple[bytes, Iterator[int]]] = [(leaves.NO_TAG, repeat(0))] * (len(waiting.leaves) + 1)
        for account, key, after in tags:
            place = waiting.accounts[account]
            found[place] = leaves.tag(account, key), count(after - waiting.leaves[place] + 1)
        return found

    def _write(self, tree: merkle.Tree, waiting: _Waiting) -> None:
        tags = self._tags(waiting)
        with self._db.cursor() as cursor, cursor.copy(_WRITE) as copy:
            out = bytearray(_COPY_HEAD)
            for entry, account, customer, staff in waiting:
                tag, numbers = tags[account]
                number = next(numbers)
                leaf = leaves.leaf_hash(customer, staff, tag, number)
                out += _LEAF_ROW.pack(
                    *(5, 8, tree.size, 8, entry, 8, number, 32, leaf, leaves.TAG_BYTES, tag)
                )
                tree.append(leaf)
                if len(out) > _BLOCK:
                    copy.write(bytes(out))
                    out.clear()
            copy.write(bytes(out) + _COPY_END)

    def _keep(self, nodes: list[merkle.Kept]) -> None:
        with self._db.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO public.audit_node (level, place, hash) VALUES (%s, %s, %s)", nodes
            )

    def _sign(self, tree: merkle.Tree, span: _Span, moment: _Moment) -> None:
        note = self._signer.sign(tree.size, tree.root())
        self._db.execute(
            "INSERT INTO public.audit_checkpoint (size, era, horizon, ceiling, drawn, sealed_at, note)"
            " VALUES (%s, %s, %s::text::xid8, pg_current_xact_id(), %s, clock_timestamp(), %s)",
            [tree.size, span.era, str(span.horizon), moment.drawn, note],
        )
        self._signed = open_checkpoint(note, self._signer.key)
