"""What a role can do to itself: it shuts nothing, it is seen, and the line that is said undoes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from django.db import connections
from django.urls import reverse
from django.utils import translation

from audit.seal import stored
from gatekeeper.gate import answers
from gatekeeper.installation import checks, cluster, roles
from gatekeeper.installation.postgresql import pinned
from gatekeeper.pages import cluster_health, surroundings
from tests import environment
from tests.world.log import Log
from tests.world.people import give_factors, sign_in
from tests.world.scene import Scene

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection
    from pytest_django import DjangoDbBlocker

    from gatekeeper.frame.health_row import Health

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

#: The extreme values of every setting that anybody may change, in PostgreSQL's own words; whatever could be
#: taken away by it is taken away. Its text settings are named below.
HOSTILE = """
    SELECT name, CASE vartype
        WHEN 'bool' THEN CASE boot_val WHEN 'on' THEN 'off' ELSE 'on' END
        WHEN 'enum' THEN (SELECT v FROM unnest(enumvals) v WHERE v <> boot_val ORDER BY v LIMIT 1)
        ELSE CASE WHEN min_val::numeric > 0 OR name ~ 'timeout|limit' THEN greatest(min_val::numeric, 1)::text
            ELSE min_val END END
    FROM pg_settings
    WHERE context = 'user' AND vartype <> 'string'
        AND (vartype <> 'enum' OR cardinality(enumvals) > 1)  -- one that can be told otherwise
        -- Of the transaction at hand alone.
        AND name NOT IN ('transaction_isolation', 'transaction_read_only', 'transaction_deferrable')
"""
TEXTS = {
    "search_path": "nowhere",
    "TimeZone": "<X>+167",
    "DateStyle": "German, YMD",
    "timezone_abbreviations": "India",
    "default_tablespace": "",
    "local_preload_libraries": "nothing_there",
    "default_text_search_config": "simple",
    "client_encoding": "LATIN1",
    "application_name": "somebody else",
    "plpgsql.extra_errors": "all",
}


@pytest.fixture(scope="module")
def cluster_of_our_own(
    tmp_path_factory: pytest.TempPathFactory, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[Log]:
    """Roles belong to a cluster: what is done to them here must meet nobody else's tests."""
    server = Log(tmp_path_factory.mktemp("pinned") / "postgres")
    try:
        with django_db_blocker.unblock():
            server.make()
        yield server
    finally:
        server.server.remove()


@pytest.fixture(scope="module")
def facts(cluster_of_our_own: Log, django_db_blocker: DjangoDbBlocker) -> Iterator[Scene]:
    with django_db_blocker.unblock(), cluster_of_our_own.behind_django():
        cluster_of_our_own.open()
        scene = Scene(cluster_of_our_own.setup)
        scene.opened()
        give_factors(scene.world, scene.carl)
        yield scene
        cluster_of_our_own.setup.close()


@pytest.fixture
def site(facts: Scene, cluster_of_our_own: Log, django_db_blocker: DjangoDbBlocker) -> Iterator[Log]:
    """The server with an open gate; afterwards its roles are as they were made."""
    with django_db_blocker.unblock(), cluster_of_our_own.behind_django(), translation.override("en"):
        yield cluster_of_our_own
        with psycopg.connect(cluster_of_our_own.server.setup_url(), autocommit=True) as setup:
            roles.create_roles(setup, {})


def reconnect() -> None:
    """Every connection that is opened from now on meets what the roles were told."""
    for alias in connections:
        connections[alias].close()


def row() -> Health:
    return cluster_health.roles()


def works(scene: Scene) -> None:
    """Signing in, a page, the gate, a value."""
    client = sign_in(scene.world, scene.carl)
    assert client.get(reverse("home")).status_code == 200
    assert isinstance(scene.reveal("contact.name"), answers.Reveal)


def tells_itself(connection: Connection[Any], role: str, name: str, value: str) -> bool:
    """Whether the server takes the value: of some numbers it takes those between two ends, and zero."""
    try:
        connection.execute(f"ALTER ROLE {role} SET {name} = '{value}'".encode())
    except psycopg.errors.InvalidParameterValue:
        return False
    return True


def hostile(site: Log) -> dict[str, str]:
    return dict(site.setup.execute(HOSTILE).fetchall()) | TEXTS


@pytest.mark.parametrize("role", roles.RUN_TIME)
def test_what_a_role_tells_itself_shuts_nothing_and_is_undone(site: Log, facts: Scene, role: str) -> None:
    assert row().state == "ok", row()
    with site.as_role(role) as connection:
        connection.execute("DO $$ BEGIN END $$")  # loads the language, so that its settings are known
        told = {name for name, value in hostile(site).items() if tells_itself(connection, role, name, value)}
    assert TEXTS.keys() | {"statement_timeout", "default_transaction_isolation"} <= told
    reconnect()
    works(facts)
    found = row()
    assert found.state == "to_fix"
    assert f"{role}: statement_timeout = 1" in found.cause
    assert all(name in found.cause for name in told)
    said = checks.roles_as_made(databases=["default"])
    assert f"ALTER ROLE {role} RESET idle_in_transaction_session_timeout;" in {one.hint for one in said}
    assert all(one.level < 40 for one in said), "an error would keep the web processes from starting"
    site.setup.execute(found.command.encode())
    assert row().state == "ok", row()


def test_a_setting_in_one_database_is_seen_and_undone(site: Log) -> None:
    with site.as_role(roles.WEB) as web:
        web.execute(f"ALTER ROLE CURRENT_USER IN DATABASE {site.name} SET work_mem = '64kB'".encode())
    assert row().command == f"ALTER ROLE gatekeeper_web IN DATABASE {site.name} RESET work_mem;"
    site.setup.execute(row().command.encode())
    assert row().state == "ok"


def test_what_bootstrap_set_and_somebody_took_away_is_set_again(site: Log) -> None:
    with site.as_role(roles.VAULT) as vault:
        vault.execute("ALTER ROLE CURRENT_USER RESET ALL")
    assert "gatekeeper_vault: lock_timeout = ?" in row().cause
    site.setup.execute(row().command.encode())
    assert row().state == "ok"


def test_roles_of_an_older_version_are_seen(site: Log) -> None:
    site.setup.execute("REVOKE pg_read_all_stats FROM gatekeeper_owner")
    assert (row().state, row().command) == ("to_fix", cluster_health.MAKE)
    site.setup.execute("GRANT pg_read_all_stats TO gatekeeper_owner")
    site.setup.execute("GRANT EXECUTE ON FUNCTION lo_create(oid) TO PUBLIC")
    assert row().state == "to_fix"
    assert not cluster.is_made(stored.raw("default"))
    roles.create_database(site.server.setup_url(), site.name)
    assert row().state == "ok"


@pytest.mark.parametrize("alias", sorted(connections))
def test_each_alias_says_at_its_start_what_it_means(alias: str) -> None:
    own = {
        "vault": {"lock_timeout": "5s", "statement_timeout": "5s"},
        "feed": {"lock_timeout": "5s"},
    }.get(alias, {})
    reconnect()
    with connections[alias].cursor() as cursor:
        for name, value in (pinned.PINNED | own).items():
            cursor.execute("SELECT current_setting(%s)", [name])
            if (alias, name) not in {
                ("migrator", "role"),
                ("migrator", "idle_in_transaction_session_timeout"),
            }:
                assert cursor.fetchone() == (value if value != "60s" else "1min",), name
        cursor.execute(
            "SELECT count(*) FROM pg_settings WHERE name = 'transaction_timeout' AND source <> 'client'"
        )
        assert cursor.fetchone() == (0,)


@pytest.mark.parametrize("role", roles.LOGIN)
@pytest.mark.parametrize("made", ["lo_create(0)", "lo_creat(-1)", "lo_from_bytea(0, 'x')"])
def test_nobody_makes_large_objects(site: Log, role: str, made: str) -> None:
    with site.as_role(role) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(f"SELECT {made}".encode())


def test_a_password_that_a_role_changed_is_seen(site: Log, facts: Scene) -> None:
    """Connections that are kept go on; the row says that no new one is let in, and what to do."""
    works(facts)
    with site.as_role(roles.VAULT) as vault:
        vault.execute("ALTER ROLE CURRENT_USER PASSWORD 'somebody else knows this'")
    assert isinstance(facts.reveal("contact.name"), answers.Reveal)
    found = surroundings.pooler()
    assert (found.state, found.cause, found.command) == (
        "to_fix",
        "vault: OperationalError",
        cluster_health.MAKE,
    )
    with psycopg.connect(site.server.setup_url(), autocommit=True) as setup:
        roles.create_roles(setup, {roles.VAULT: environment.password(roles.VAULT)})
    assert surroundings.pooler().state == "ok"
