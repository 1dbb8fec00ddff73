"""Databases and connections for the tests, with the real roles: nobody tests as a superuser."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import psycopg
import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core.management import call_command
from django.db import connections
from django.test import TransactionTestCase
from psycopg import sql
from pytest_django import DjangoDbBlocker

from gatekeeper import roles
from tests import environment
from tests.twins import Twins

Connection = psycopg.Connection
AsRole = Callable[[str], Connection]

# What migrations and apply_settings put there stays; everything else goes after each test.
KEPT = ("django_migrations", "django_content_type", "auth_permission", "gatekeeper_limit", "installation")

TABLES = """
    SELECT schemaname, tablename FROM pg_tables
     WHERE schemaname IN ('public', 'vault') AND NOT tablename = ANY(%s)
"""


CHROMIUM = "/usr/bin/chromium"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where the browser is missing, leave its tests out and name the package."""
    if Path(CHROMIUM).exists():
        return
    missing = pytest.mark.skip(reason="The package chromium is missing: apt-get install chromium")
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(missing)


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_blocker: DjangoDbBlocker
) -> Generator[None, None, None]:
    """Create this worker's database as setup, migrate it as migrator, drop it at the end."""
    name = environment.database_name()
    with django_db_blocker.unblock():
        roles.drop_database(environment.setup_url(), name)
        roles.create_database(environment.setup_url(), name)
        call_command("migrate", verbosity=0, interactive=False)
        call_command("apply_settings", verbosity=0)
        connections["migrator"].close()
    yield
    with django_db_blocker.unblock():
        connections.close_all()
    roles.drop_database(environment.setup_url(), name)


def empty_tables() -> None:
    """Delete every row that a test can have left, past triggers and rights, as a superuser.

    DELETE, for TRUNCATE of some forty small tables takes a tenth of a second. The lock timeout
    names a test that leaves a transaction open.
    """
    with psycopg.connect(environment.setup_url(environment.database_name())) as setup:
        setup.execute("SET session_replication_role = replica")
        setup.execute("SET lock_timeout = '10s'")
        tables = setup.execute(TABLES, [list(KEPT)]).fetchall()
        statements = [sql.SQL("DELETE FROM {}").format(sql.Identifier(*table)) for table in tables]
        setup.execute(sql.SQL(";").join(statements))


# The real algorithm at its least cost: hundreds of sign-ins would otherwise wait for nothing else.
Argon2PasswordHasher.time_cost = 1
Argon2PasswordHasher.memory_cost = 64
Argon2PasswordHasher.parallelism = 1


def _fixture_teardown(_case: TransactionTestCase) -> None:
    empty_tables()


# Django's flush would run as each alias' role, none of which may delete or truncate.
TransactionTestCase._fixture_teardown = _fixture_teardown  # type: ignore[attr-defined]


@pytest.fixture
def setup_connection(db_exists: None) -> Iterator[Connection]:
    """A superuser's connection to this worker's database, in autocommit."""
    url = environment.setup_url(environment.database_name())
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def as_role(db_exists: None) -> Iterator[AsRole]:
    """Open fresh connections as database roles, in autocommit; all are closed after the test."""
    opened: list[Connection] = []

    def connect(role: str) -> Connection:
        opened.append(psycopg.connect(environment.role_url(role), autocommit=True))
        return opened[-1]

    yield connect
    for connection in opened:
        connection.close()


@pytest.fixture
def twins(setup_connection: Connection, django_db_blocker: DjangoDbBlocker) -> Iterator[Twins]:
    """Changes to the installed SQL; afterwards the files are installed again."""
    changed = Twins(setup_connection)
    yield changed
    with django_db_blocker.unblock():
        changed.restore()
        connections["migrator"].close()


@pytest.fixture
def db_exists(django_db_setup: None) -> None:
    """The database is there and migrated; nothing of it is open to Django."""
