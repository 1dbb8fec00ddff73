"""Databases and connections for the tests, with the real roles: nobody tests as a superuser."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import Any

import psycopg
import pytest
from django.conf import UserSettingsHolder, settings
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core.management import call_command
from django.db import connections
from django.test import TransactionTestCase
from django.test.client import ClientHandler
from django.utils import translation
from psycopg import sql
from pytest_django import DjangoDbBlocker

from gatekeeper.installation import roles
from gatekeeper.installation.checks import limits_wanted
from staff.frame import background
from staff.nda.documents import uploaded
from tests import environment
from tests.world import SOON, order, programs, recording
from tests.world.desks import chromium, desks  # noqa: F401  # two fixtures
from tests.world.log import Log
from tests.world.scene import Scene
from tests.world.schemas import OURS
from tests.world.twins import Twins

Connection = psycopg.Connection
AsRole = Callable[[str], Connection]
Thresholds = Callable[[dict[str, dict[str, int]]], None]

# What migrations and apply_settings put there stays; everything else goes after each test.
KEPT = (
    "django_migrations",
    "django_content_type",
    "auth_permission",
    "audit_limit",
    "limits",
    "installation",
)

TABLES = f"""
    SELECT schemaname, tablename FROM pg_tables
     WHERE schemaname IN {OURS} AND NOT tablename = ANY(%s)
"""


def pytest_report_header() -> list[str]:
    """Say at the start what the machine lacks."""
    return programs.header()


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark what a quick run takes (`make quick`)."""
    if order.is_quick(item):
        item.add_marker("quick")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put fast tests first, for each worker. Where the browser is missing, leave its tests out and name the
    package; under CI they fail."""
    items[:] = order.dealt(items, getattr(config, "workerinput", {}).get("workercount", 1))
    if not programs.left_out("Chromium"):
        return
    missing = pytest.mark.skip(reason="The package chromium is missing: apt-get install chromium")
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(missing)


@pytest.fixture(autouse=True)
def _in_english() -> None:
    """A test begins in the site's language, whatever the page before it was asked for in."""
    translation.deactivate()


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
        recording.install(environment.setup_url(name))
        call_command("apply_settings", verbosity=0)
        connections["migrator"].close()
        empty_tables()
    yield
    while _cleaner:
        _cleaner.pop().close()
    with django_db_blocker.unblock():
        connections.close_all()
    roles.drop_database(environment.setup_url(), name)


_cleaner: list[Connection] = []


def empty_tables() -> None:
    """Delete every row that a test can have left, past triggers and rights, as a superuser.

    DELETE, for TRUNCATE of some forty small tables takes a tenth of a second; in a function of one
    connection, which keeps their plans. The lock timeout names a test that leaves a transaction open.
    """
    if not _cleaner:
        _cleaner.append(_make_cleaner())
    _cleaner[0].execute("SELECT pg_temp.empty_tables()")


def _make_cleaner() -> Connection:
    connection = psycopg.connect(environment.setup_url(environment.database_name()), autocommit=True)
    connection.execute("SET session_replication_role = replica")
    connection.execute("SET lock_timeout = '60s'")
    tables = connection.execute(TABLES, [list(KEPT)]).fetchall()
    statements = [sql.SQL("DELETE FROM {};").format(sql.Identifier(*table)) for table in tables]
    connection.execute(
        sql.SQL(
            "CREATE FUNCTION pg_temp.empty_tables() RETURNS void LANGUAGE plpgsql AS $$ BEGIN {} END $$"
        ).format(sql.SQL("").join(statements))
    )
    return connection


# The real algorithm at its least cost: hundreds of sign-ins would otherwise wait for nothing else.
Argon2PasswordHasher.time_cost = 1
Argon2PasswordHasher.memory_cost = 64
Argon2PasswordHasher.parallelism = 1

# How long a file is examined is bounded by processor seconds as well, which a busy machine does not use up.
vars(uploaded)["SECONDS"] = 10 * SOON


def _fixture_teardown(_case: TransactionTestCase) -> None:
    background.finish()
    empty_tables()
    with psycopg.connect(environment.setup_url(environment.database_name())) as setup:
        slipped = recording.slip(setup)
    assert not slipped, f"{slipped} was written without an entry"


# Django's flush would run as each alias' role, none of which may delete or truncate.
TransactionTestCase._fixture_teardown = _fixture_teardown  # type: ignore[attr-defined]

_load_middleware = ClientHandler.load_middleware
_loaded: dict[str, Any] = {}


def _share_middleware(handler: ClientHandler, is_async: bool = False) -> None:
    """Django's test client makes the middleware again for each client, as if each were another server, and
    most of that time finds static files. Under settings that a test has changed it is still made again."""
    if isinstance(vars(settings)["_wrapped"], UserSettingsHolder) or is_async:
        _load_middleware(handler, is_async)
        return
    if not _loaded:
        _load_middleware(handler)
        _loaded.update(vars(handler))
    for name in (
        "_view_middleware",
        "_template_response_middleware",
        "_exception_middleware",
        "_middleware_chain",
    ):
        setattr(handler, name, _loaded[name])


ClientHandler.load_middleware = _share_middleware  # type: ignore[method-assign,assignment]  # of this class alone


@pytest.fixture
def setup_connection(db_exists: None) -> Iterator[Connection]:
    """A superuser's connection to this worker's database, in autocommit."""
    url = environment.setup_url(environment.database_name())
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def scene(setup_connection: Connection) -> Scene:
    """A member with an open ticket of an account, and who may approve for them."""
    return Scene(setup_connection)


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
def thresholds(setup_connection: Connection, settings: Any) -> Iterator[Thresholds]:
    """Other thresholds of the rules, as `apply_settings` would write them; afterwards their own."""

    def change(given: dict[str, dict[str, int]]) -> None:
        settings.DETECTION_THRESHOLDS = given
        for name, value in limits_wanted().items():
            setup_connection.execute(
                "UPDATE audit_limit SET value = %s WHERE name = %s AND value <> %s", [value, name, value]
            )

    yield change
    change({})


@pytest.fixture(scope="session")
def log_server(
    tmp_path_factory: pytest.TempPathFactory, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[Log]:
    """A server of its own for the log, for all tests of this worker."""
    log = Log(tmp_path_factory.mktemp("log") / "postgres")
    try:
        with django_db_blocker.unblock():
            log.make()
        yield log
    finally:
        log.server.remove()


@pytest.fixture
def log(log_server: Log, django_db_blocker: DjangoDbBlocker) -> Iterator[Log]:
    """An empty log, and Django's aliases leading to it."""
    with django_db_blocker.unblock(), log_server.opened():
        yield log_server


@pytest.fixture
def db_exists(django_db_setup: None) -> None:
    """The database is there and migrated; nothing of it is open to Django."""
