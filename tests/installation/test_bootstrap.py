"""`manage.py bootstrap` on a PostgreSQL without any database of ours, twice."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from audit.installation import install
from gatekeeper.installation import roles
from gatekeeper.installation.sql_files import FILES
from tests import environment, readme, rights

if TYPE_CHECKING:
    from pytest_django import DjangoDbBlocker

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
OFFICERS = ("--people", "K-0001", "Ewa Pierwsza", "ewa@firma.test", "--people", "K-0002", "Jan Drugi")
FOUNDERS = [
    *(*OFFICERS, "jan@firma.test"),
    *("--administrator", "K-0003", "Ola Trzecia", "ola@firma.test"),
    *("--administrator", "K-0004", "Adam Czwarty", "adam@firma.test"),
]


@pytest.fixture
def database() -> Iterator[str]:
    name = f"{environment.database_name()}_installed"
    yield name
    roles.drop_database(environment.setup_url(), name)


def bootstrap(
    database: str, secrets: Path, *arguments: str, **changes: str
) -> subprocess.CompletedProcess[str]:
    variables = {
        "GATEKEEPER_SITE_URL": "https://gatekeeper.test",
        "GATEKEEPER_ALLOWED_HOSTS": "gatekeeper.test",
        "GATEKEEPER_DATABASE_URL_SETUP": environment.setup_url(),
        **{
            f"GATEKEEPER_DATABASE_URL_{name}": environment.role_url(role, database)
            for name, role in roles.LINKS.items()
        },
    } | changes
    for name in ("SECRET_KEY", "KEY_RING", "SEAL", "LOG_KEY", "TICKETS_SECRET", "ACCOUNTS_SECRET"):
        variables[f"GATEKEEPER_{name}_FILE"] = str(secrets / name)
    return subprocess.run(
        [sys.executable, "manage.py", "bootstrap", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_from_nothing_to_the_first_four(database: str, tmp_path: Path) -> None:
    first = bootstrap(database, tmp_path, *FOUNDERS)
    assert first.returncode == 0, first.stderr
    assert len(set(re.findall(r"https://gatekeeper\.test/\S+", first.stdout))) == 4
    assert "Back up" in first.stdout
    assert "gatekeeper.test/log+" in first.stdout  # the log's public key
    ring = tmp_path / "KEY_RING"
    assert stat.S_IMODE(ring.stat().st_mode) == 0o600
    made = ring.read_text()

    again = bootstrap(database, tmp_path)
    assert again.returncode == 0, again.stderr
    assert ring.read_text() == made
    with psycopg.connect(environment.setup_url(database)) as setup:
        rows = setup.execute("SELECT number, roles FROM staff_member ORDER BY 1").fetchall()
    assert rows == [
        ("K-0001", ["people"]),
        ("K-0002", ["people"]),
        ("K-0003", ["administrator"]),
        ("K-0004", ["administrator"]),
    ]

    # Later on nobody becomes an officer by it.
    third = bootstrap(database, tmp_path, "--people", "K-0005", "Iza Piąta", "iza@firma.test")
    assert third.returncode != 0
    assert "people officer" in third.stderr


def connecting(database: str) -> set[str]:
    """Which roles may connect to the database."""
    with psycopg.connect(environment.setup_url()) as setup:
        rows = setup.execute(
            "SELECT x FROM unnest(%s::text[]) x WHERE has_database_privilege(x, %s, 'CONNECT')",
            [list(roles.LOGIN), database],
        ).fetchall()
    return {role for (role,) in rows}


def test_roles_alone_come_before_an_upgrades_migrate(database: str, tmp_path: Path) -> None:
    """A database from before a role was there: it connects, and nothing else of an upgrade has been done."""
    roles.create_database(environment.setup_url(), database)
    with psycopg.connect(environment.setup_url(), autocommit=True) as setup:
        setup.execute(f"REVOKE CONNECT ON DATABASE {database} FROM gatekeeper_feed".encode())
    assert roles.FEED not in connecting(database)
    for _ in range(2):
        ended = bootstrap(database, tmp_path, "--roles-only")
        assert ended.returncode == 0, ended.stderr
        assert ended.stdout == "Roles are up to date; the database is there.\n"
        assert connecting(database) == set(roles.LOGIN)
    with psycopg.connect(environment.setup_url(database)) as setup:
        assert setup.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)


def test_one_officer_is_not_enough(database: str, tmp_path: Path) -> None:
    ended = bootstrap(database, tmp_path, *FOUNDERS[:4])
    assert ended.returncode != 0
    assert "1 named" in ended.stderr


def test_links_that_do_not_fit_are_refused(database: str, tmp_path: Path) -> None:
    exchanged = bootstrap(
        database, tmp_path, GATEKEEPER_DATABASE_URL_WEB=environment.role_url(roles.VAULT, database)
    )
    assert "not for the role gatekeeper_web" in exchanged.stderr
    elsewhere = bootstrap(
        database, tmp_path, GATEKEEPER_DATABASE_URL_VAULT=environment.role_url(roles.VAULT, "other")
    )
    assert "different databases" in elsewhere.stderr


AXES = """
    CREATE TABLE axes_accessattempt (id serial PRIMARY KEY, username varchar(255));
    CREATE TABLE axes_accessattemptexpiration (attempt_id int PRIMARY KEY REFERENCES axes_accessattempt);
    CREATE TABLE axes_accesslog (id serial PRIMARY KEY);
    CREATE TABLE axes_accessfailurelog (id serial PRIMARY KEY);
    INSERT INTO django_migrations (app, name, applied) VALUES ('axes', '0001_initial', now());
    INSERT INTO django_content_type (app_label, model) VALUES ('axes', 'accesslog');
    INSERT INTO auth_permission (name, codename, content_type_id)
        SELECT 'Can add access log', 'add_accesslog', id FROM django_content_type WHERE app_label = 'axes';
"""
LEFT = """
    SELECT tablename::text FROM pg_tables WHERE tablename LIKE 'axes%'
    UNION ALL SELECT name FROM django_migrations WHERE app = 'axes'
    UNION ALL SELECT model FROM django_content_type WHERE app_label = 'axes'
    UNION ALL SELECT codename FROM auth_permission WHERE codename LIKE '%accesslog'
"""


@pytest.fixture
def migrated_to(database: str, django_db_blocker: DjangoDbBlocker) -> Iterator[Callable[..., None]]:
    """Brings a database of its own to migrations, forwards or back; without any named, to the last."""
    roles.create_database(environment.setup_url(), database)
    connection = connections["migrator"]

    def migrate(*targets: tuple[str, str]) -> None:
        executor = MigrationExecutor(connection)
        executor.migrate(list(targets) or executor.loader.graph.leaf_nodes())

    with django_db_blocker.unblock():
        usual = connection.settings_dict["NAME"]
        connection.close()
        connection.settings_dict["NAME"] = database
        try:
            yield migrate
        finally:
            connection.close()
            connection.settings_dict["NAME"] = usual


def test_an_upgrade_leaves_nothing_of_django_axes(database: str, migrated_to: Callable[..., None]) -> None:
    """And goes back, and comes again: then as on a new site, where none of it ever was."""
    migrated_to(("staff", "0008_password_mark"))
    with psycopg.connect(environment.setup_url(database), autocommit=True) as setup:
        setup.execute(f"SET ROLE {roles.OWNER}".encode())
        setup.execute(AXES.encode())
        migrated_to(("staff", "0009_attempt_counts"))
        assert setup.execute(LEFT).fetchall() == []
        migrated_to(("staff", "0008_password_mark"))
        migrated_to(("staff", "0009_attempt_counts"))
        assert setup.execute("SELECT FROM staff_attemptcount").fetchall() == []


BEFORE_ROOMS = (
    ("gatekeeper", "0015_delivery_digest"),
    ("staff", "0011_mails"),
    ("audit", "0009_recover"),
)
#: What stood in the vault as long as everything did.
ALL_IN_THE_VAULT = """
    CREATE FUNCTION vault.spread_limits() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
        BEGIN UPDATE vault.limits SET time_zone = 'old'; RETURN NULL; END $$;
    CREATE TRIGGER limit_spread AFTER INSERT OR UPDATE ON public.gatekeeper_limit
        FOR EACH STATEMENT EXECUTE FUNCTION vault.spread_limits();
    CREATE FUNCTION vault.heard(p_source text) RETURNS void LANGUAGE sql SECURITY DEFINER AS '';
    CREATE TABLE vault.installation (fingerprint text NOT NULL, sources text NOT NULL);
    INSERT INTO vault.clock VALUES (7, now());
    GRANT USAGE ON SCHEMA vault TO gatekeeper_web, gatekeeper_signin, gatekeeper_sealer;
    GRANT EXECUTE ON FUNCTION vault.heard TO gatekeeper_web;
    GRANT SELECT ON vault.installation TO gatekeeper_web;
"""


def test_an_upgrade_to_a_schema_a_room_ends_as_a_new_site(
    database: str, migrated_to: Callable[..., None]
) -> None:
    """And goes back, and comes again. Who may do what is compared: README's table has every object."""
    migrated_to(*BEFORE_ROOMS)
    with psycopg.connect(environment.setup_url(database), autocommit=True) as setup:
        setup.execute(f"SET ROLE {roles.OWNER}".encode())
        setup.execute(ALL_IN_THE_VAULT.encode())
        migrated_to()
        setup.execute("INSERT INTO audit_limit VALUES ('time_zone', 'UTC')")  # no old trigger is in the way
        install(connections["migrator"], FILES)
        assert rights.table(setup) == readme.stands("rights")
        assert setup.execute("SELECT accepted_entry FROM staff.clock").fetchall() == [(7,)]
        assert setup.execute("SELECT time_zone FROM staff.limits").fetchall() == [("UTC",)]
        migrated_to(*BEFORE_ROOMS)
        assert setup.execute("SELECT accepted_entry FROM vault.clock").fetchall() == [(7,)]
        migrated_to()
        install(connections["migrator"], FILES)
        assert rights.table(setup) == readme.stands("rights")
