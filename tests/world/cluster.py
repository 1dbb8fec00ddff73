"""A PostgreSQL of its own with our database, for tests that kill it, fill it or start it again."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
from django.core.management import call_command
from django.db import connections

from gatekeeper.demo.postgres import Server
from gatekeeper.installation import roles
from tests import environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Connection

DURABLE = {
    "recovery_init_sync_method": "syncfs",  # one call instead of one a file: most of a recovery
    "wal_writer_delay": "50ms",  # so long a release waits, at most, with synchronous_commit off
    "autovacuum": "off",  # it would make room in the log that the full disk must not have
}


class Cluster:
    """A server of its own with our database and the suite's passwords."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = environment.database_name()
        self.server = Server(folder, fast=True)

    def make(self) -> None:
        """Roles, database, tables and functions, made fast; then the server becomes durable."""
        self.server.start()
        with psycopg.connect(self.server.setup_url(), autocommit=True) as setup:
            roles.create_roles(setup, {role: environment.password(role) for role in roles.LOGIN})
        roles.create_database(self.server.setup_url(), self.name)
        with self.behind_django():
            call_command("migrate", verbosity=0, interactive=False)
            call_command("apply_settings", verbosity=0)
        with self.setup() as setup:
            setup.execute("UPDATE audit_limit SET value = '1000000' WHERE name = 'views_per_grant'")
        self.server.stop()
        self.server = Server(self.folder, settings=DURABLE)
        self.server.start()

    @contextmanager
    def behind_django(self) -> Iterator[None]:
        """Django's aliases lead to this server: only the socket differs."""
        usual = connections["default"].settings_dict["HOST"]
        try:
            lead_to(str(self.server.socket_dir))
            yield
        finally:
            lead_to(usual)

    def setup(self) -> Connection:
        return psycopg.connect(self.server.setup_url(self.name), autocommit=True)

    def as_role(self, role: str, synchronous: str = "on") -> Connection:
        url = self.server.url(role, environment.password(role), self.name)
        return psycopg.connect(url, autocommit=True, options=f"-c synchronous_commit={synchronous}")

    def kill_and_restart(self) -> None:
        self.server.kill()
        self.server.start()


def lead_to(host: str) -> None:
    """Let Django's aliases connect there from now on."""
    for alias in connections:
        connections[alias].close()
        connections[alias].settings_dict["HOST"] = host
