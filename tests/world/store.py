"""The way of a year into the database: rows by COPY, past triggers and foreign keys, as the superuser.

The triggers would stamp each entry with the clock of now. They are back before anything is judged.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from psycopg import sql

if TYPE_CHECKING:
    from tests.conftest import Connection

NULL: Final = "\\N"
#: Columns of an entry that differ; the others are the same in each.
ENTRY: Final = (
    *("event", "outcome", "reason", "actor_id", "member", "role", "session", "factor", "remote_addr"),
    *("account", "subject", "ticket", "categories", "fields", "records", "results", "request_id"),
    *("grant_id", "approver", "details", "source", "object_repr"),
)
_SAME: Final = {
    "xid": "3",  # a transaction of long ago: the first round judges all of them
    "object_pk": "",
    "action": "3",
    "changes_text": "",
    "failed": "{}",
    "cid": "c",
    "member_name": "Katarzyna Przykładowa",
    "ticket_kind": "support",
    "ticket_state": "open",
    "purpose": "support_request",
    "signature": "1",
    "nda_version": "1",
    "nda_ends": "2100-01-01",
}
_TABLES: Final = {
    "gatekeeper_account": (*("id", "reference", "plan", "language", "filled", "participants"),),
    "gatekeeper_ticket": (
        *("id", "number", "kind", "state", "accounts", "opened_by", "opened_at", "updated_at"),
    ),
    "gatekeeper_accessrequest": (
        *("id", "member_id", "account_id", "ticket_id", "assignment_id", "purpose", "categories", "minutes"),
        *("while_open", "reason", "requested_at", "expires_at", "state", "denial"),
    ),
    "gatekeeper_grant": (
        *("id", "request_id", "member_id", "account_id", "ticket_id", "assignment_id", "signature_id"),
        *("approver_id", "purpose", "categories", "minutes", "while_open", "approved_at", "open_before"),
        *("opened_at", "window_ends_at", "openings", "views", "participants_shown", "misses", "ended_at"),
        "end_reason",
    ),
}


def moment(at: float) -> str:
    """A moment as COPY takes it."""
    return datetime.fromtimestamp(at, UTC).isoformat()


class Store:
    """Collects rows, and puts them into the database in order."""

    def __init__(self, setup: Connection) -> None:
        self.setup = setup
        self._rows: dict[str, list[str]] = defaultdict(list)
        self._entries: list[tuple[float, str, int]] = []
        [(self._last,)] = setup.execute("SELECT coalesce(max(id), 0) FROM audit_entry").fetchall()
        #: Episode -> the numbers of its entries.
        self.marked: dict[int, list[int]] = defaultdict(list)

    def entry(self, at: float, episode: int, values: list[str]) -> None:
        """One entry of a moment, its columns in the order of ENTRY; `episode`: of a misuse, or 0."""
        self._entries.append((at, "\t".join(values), episode))

    def row(self, table: str, *values: object) -> None:
        """One row of another table, its columns in the order in which they stand above."""
        self._rows[table].append("\t".join(NULL if one is None else str(one) for one in values))

    def flush(self, before: float) -> None:
        """Write what is older than a moment: nothing older comes any more."""
        entries = sorted(self._entries, key=lambda one: one[0])
        ready = [one for one in entries if one[0] < before]
        self._entries = entries[len(ready) :]
        names = sql.SQL(", ").join(map(sql.Identifier, ("id", "timestamp", *_SAME, *ENTRY)))
        same = "\t".join(_SAME.values())
        copy = sql.SQL("COPY audit_entry ({}) FROM STDIN").format(names)
        with past_triggers(self.setup), self.setup.cursor() as cursor:
            with cursor.copy(copy) as into:
                for at, line, episode in ready:
                    self._last += 1
                    if episode:
                        self.marked[episode].append(self._last)
                    into.write(f"{self._last}\t{moment(at)}\t{same}\t{line}\n")
            self._write_others()

    def _write_others(self) -> None:
        for table, columns in _TABLES.items():
            names = sql.SQL(", ").join(map(sql.Identifier, columns))
            copy = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names)
            with self.setup.cursor() as cursor, cursor.copy(copy) as into:
                for line in self._rows.pop(table, []):
                    into.write(line + "\n")

    def finish(self) -> None:
        """Write what is left, and let the database number what comes next."""
        self.flush(float("inf"))
        with past_triggers(self.setup):
            self.setup.execute("SELECT setval('audit_entry_id_seq', %s)", [self._last])
        self.setup.execute("ANALYZE")


@contextmanager
def past_triggers(setup: Connection) -> Iterator[None]:
    """In a transaction: no trigger fires, and no foreign key is asked."""
    always = setup.execute(
        "SELECT tgname FROM pg_trigger WHERE tgrelid = 'audit_entry'::regclass AND tgenabled = 'A'"
    ).fetchall()
    with setup.transaction():
        setup.execute("SET LOCAL session_replication_role = replica")
        _alter(setup, always, "DISABLE")
        yield
        _alter(setup, always, "ENABLE ALWAYS")


def _alter(setup: Connection, triggers: list[tuple[str]], how: str) -> None:
    for (name,) in triggers:
        setup.execute(
            sql.SQL("ALTER TABLE audit_entry {} TRIGGER {}").format(sql.SQL(how), sql.Identifier(name))
        )
