"""A log to seal and to attack, on a server of its own: the seal's horizon is the whole cluster's.

Entries are written by the owner's one writer, sealed by the sealer's role and verified by the pages'
role; what an attacker does is done as a superuser with the triggers off.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from psycopg import sql
from psycopg.types.json import Jsonb

from audit.seal import judging, stored
from audit.seal.checkpoints import Keys, Signer
from audit.seal.report import Report
from audit.seal.sealing import Sealer
from audit.seal.verification import Verification
from gatekeeper.demo.postgres import Server
from gatekeeper.installation import roles
from tests import environment
from tests.world import SOON, recording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

    from tests.conftest import Connection

#: Two more processes that judge three leaves at a time.
FEW_EACH = judging.Others(partial(stored.another, "default"), processes=2, span=3)
ACCOUNT = "MOC-40001"
VIEW: dict[str, Any] = {
    "account": ACCOUNT,
    "actor_id": 193,
    "member": "K-0193",
    "member_name": "Katarzyna Przykładowa",
    "role": "consultant",
    "session": 7,
    "factor": "totp",
    "remote_addr": "192.0.2.1",
    "cid": "c-1",
    "user_agent": "tests",
    "ticket": "ZD-10001",
    "ticket_kind": "support",
    "ticket_state": "open",
    "purpose": "support_request",
    "categories": ["contact"],
    "fields": ["contact.name", "contact.email"],
    "failed": [],
    "request_id": 3,
    "grant_id": 4,
    "approver": "K-0020",
    "signature": 5,
    "nda_version": 1,
    "nda_ends": "2030-01-01T00:00:00Z",
}
TABLES = (
    "audit_entry, audit_leaf, audit_node, audit_checkpoint, audit_era, audit_copy, audit_tag, audit_stream,"
    " audit_logkey"
)
GUARDED = ("audit_entry", "audit_leaf", "audit_node", "audit_checkpoint", "audit_era", "audit_logkey")


class Log:
    """The log of a server of its own. `setup` is a superuser's connection."""

    def __init__(self, folder: Path) -> None:
        self.name = environment.database_name()
        # The seal waits for every transaction, and so for one that analyses a table.
        self.server = Server(folder, fast=True, settings={"autovacuum": "off"})
        self.setup: Connection

    # The server

    def make(self) -> None:
        """Roles, database, tables and functions."""
        self.server.start()
        with psycopg.connect(self.server.setup_url(), autocommit=True) as setup:
            roles.create_roles(setup, {role: environment.password(role) for role in roles.LOGIN})
        roles.create_database(self.server.setup_url(), self.name)
        with self.behind_django():
            call_command("migrate", verbosity=0, interactive=False)
            recording.install(self.server.setup_url(self.name))
            call_command("apply_settings", verbosity=0)

    @contextmanager
    def behind_django(self) -> Iterator[None]:
        """Django's aliases lead to this server: only the socket differs."""
        usual = connections["default"].settings_dict["HOST"]
        try:
            _lead_to(str(self.server.socket_dir))
            yield
        finally:
            _lead_to(usual)

    @contextmanager
    def opened(self) -> Iterator[Log]:
        """Empty, with Django leading here."""
        with self.behind_django():
            self.open()
            self.empty()
            try:
                yield self
                slipped = recording.slip(self.setup)
                assert not slipped, f"{slipped} was written without an entry"
            finally:
                self.setup.close()

    def open(self) -> None:
        self.setup = psycopg.connect(self.server.setup_url(self.name), autocommit=True)

    def empty(self) -> None:
        """As on the first day."""
        with self.untriggered():
            self.setup.execute(f"TRUNCATE {TABLES} RESTART IDENTITY".encode())
            self.setup.execute("TRUNCATE gatekeeper_account CASCADE")  # an erasure bars it

    def as_role(self, role: str) -> Connection:
        url = self.server.url(role, environment.password(role), self.name)
        return psycopg.connect(url, autocommit=True)

    # The log

    def write(self, event: str = "view", outcome: str = "allowed", **facts: Any) -> int:
        """One entry, by the one writer."""
        with self.setup.transaction():
            self.setup.execute("SET LOCAL ROLE gatekeeper_owner")
            row = self.setup.execute(
                "SELECT audit.write_entry(%s, %s, %s)", [event, outcome, Jsonb(VIEW | facts)]
            ).fetchone()
        assert row is not None
        return int(row[0])

    def sealer(self, origin: str = "") -> Sealer:
        signer = Signer(origin or settings.LOG_ORIGIN, settings.LOG_KEY)
        return Sealer(partial(stored.raw, "sealer"), signer, "tests")

    def sealer_on(self, connection: Connection, signer: Signer) -> Sealer:
        """A sealer on a connection of its own, for a thread of its own."""
        return Sealer(lambda: connection, signer, "tests")

    def sealed_by(self, origin: str, count: int) -> None:
        """So many entries, sealed under another name."""
        for _ in range(count):
            self.write()
        self._seal(count, origin)

    def sealed(self, count: int, **facts: Any) -> list[int]:
        """So many entries, sealed together; their numbers."""
        written = [self.write(**facts) for _ in range(count)]
        self._seal(count)
        return written

    def _seal(self, count: int, origin: str = "") -> None:
        """Seal so many: a backend that has not yet noticed that its client is gone may hold them up."""
        deadline = time.monotonic() + SOON
        while count > 0:
            assert time.monotonic() < deadline, "something holds the seal up"
            count -= self.sealer(origin).seal()

    def verify(
        self, *outside: str, progress: Callable[[int], object] = lambda _: None, since: datetime | None = None
    ) -> Report:
        """Verify by one process, and by several of a few leaves each: they must find the same."""
        beside = stored.another("default")
        given: dict[str, Any] = {"outside": outside, "progress": progress}
        try:
            alone, together = (
                Verification(
                    stored.raw("default"), beside, Keys.read(settings.LOG_VERIFIER), **given | more
                ).run(since=since)
                for more in ({}, {"others": FEW_EACH, "progress": lambda _: None})
            )
        finally:
            beside.close()
        assert vars(together) == vars(alone)
        return alone

    def checkpoint(self, size: int | None = None) -> str:
        """The newest checkpoint, or the one of a size."""
        rows = self.setup.execute(
            "SELECT note FROM audit_checkpoint WHERE size = coalesce(%s, size) ORDER BY size DESC LIMIT 1",
            [size],
        ).fetchall()
        return str(rows[0][0])

    def count(self, table: str) -> int:
        [(found,)] = self.setup.execute(f"SELECT count(*) FROM {table}".encode()).fetchall()
        return int(found)

    # The attacker

    @contextmanager
    def untriggered(self) -> Iterator[None]:
        """All triggers of the log off, and as they were afterwards."""
        for table in GUARDED:
            self.setup.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL".encode())
        try:
            yield
        finally:
            for table in GUARDED:
                self.setup.execute(f"ALTER TABLE {table} ENABLE TRIGGER ALL".encode())
            for trigger in ("entry_1_admit", "entry_2_stamp", "entry_3_answer"):
                self.setup.execute(f"ALTER TABLE audit_entry ENABLE ALWAYS TRIGGER {trigger}".encode())

    def tamper(self, statement: str, values: Iterable[object] = ()) -> int:
        """What a superuser does with the triggers off; returns how many rows it changed."""
        with self.untriggered():
            return self.setup.execute(statement.encode(), list(values) or None).rowcount

    def copy_database(self, name: str) -> None:
        """A backup of the database under another name, as it is now."""
        own, backup = sql.Identifier(self.name), sql.Identifier(name)
        self._over(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(backup, own))
        self.open()

    def restore_database(self, name: str) -> None:
        """Put the backup in the database's place."""
        own, backup = sql.Identifier(self.name), sql.Identifier(name)
        self._over(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(own))
        self._over(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(backup, own))
        roles.create_database(self.server.setup_url(), self.name)  # a template does not copy its rights
        self.open()

    def _over(self, statement: sql.Composed) -> None:
        """Outside the database, with nobody in it."""
        for alias in connections:
            connections[alias].close()
        self.setup.close()
        with psycopg.connect(self.server.setup_url(), autocommit=True) as setup:
            setup.execute(statement)


def _lead_to(host: str) -> None:
    """Let Django's aliases connect there from now on."""
    for alias in connections:
        connections[alias].close()
        connections[alias].settings_dict["HOST"] = host
