"""Roles and databases: made once, in parallel, with no way up for a run-time role."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from gatekeeper.installation import roles
from tests import environment

AsRole = Callable[[str], psycopg.Connection]


def prepare(name: str) -> None:
    with psycopg.connect(environment.setup_url(), autocommit=True) as setup:
        roles.create_roles(setup, {role: environment.password(role) for role in roles.LOGIN})
    roles.create_database(environment.setup_url(), name)


def test_many_may_prepare_at_once() -> None:
    """Without the lock: 'tuple concurrently updated'."""
    name = f"{environment.database_name()}_parallel"
    try:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(prepare, [name] * 16))
    finally:
        roles.drop_database(environment.setup_url(), name)


UPWARDS = (
    "CREATE TEMPORARY TABLE shadow ()",
    "CREATE TABLE public.shadow ()",
    "CREATE SCHEMA shadow",
    "CREATE ROLE other",
    "CREATE DATABASE other",
    "SET ROLE gatekeeper_owner",
    "SET ROLE gatekeeper_migrator",
    "SET SESSION AUTHORIZATION gatekeeper_owner",
    "SET session_replication_role = replica",
    "ALTER ROLE CURRENT_USER SUPERUSER",
    "ALTER SYSTEM SET fsync = off",
    "COPY (SELECT 1) TO PROGRAM 'true'",
    "SELECT pg_read_file('postgresql.conf')",
)


@pytest.mark.parametrize("role", roles.RUN_TIME)
@pytest.mark.parametrize("statement", UPWARDS)
def test_no_way_up(as_role: AsRole, role: str, statement: str) -> None:
    with pytest.raises(psycopg.errors.Error) as refusal:
        as_role(role).execute(statement.encode())
    assert isinstance(
        refusal.value,
        psycopg.errors.InsufficientPrivilege
        | psycopg.errors.InvalidSchemaName  # nothing to create in: the role sees no schema
        | psycopg.errors.UndefinedTable,
    )


def test_only_the_migrator_belongs_to_another_role(setup_connection: psycopg.Connection) -> None:
    rows = setup_connection.execute(
        "SELECT member::regrole::text, roleid::regrole::text FROM pg_auth_members"
        " WHERE member::regrole::text LIKE 'gatekeeper%' ORDER BY 1"
    ).fetchall()
    # The owner, who has no login, knows of others' sessions what its functions tell: never what they ask.
    assert rows == [("gatekeeper_migrator", "gatekeeper_owner"), ("gatekeeper_owner", "pg_read_all_stats")]


def test_what_the_roles_are(setup_connection: psycopg.Connection) -> None:
    rows = setup_connection.execute(
        "SELECT rolname, rolcanlogin, rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication"
        " OR rolbypassrls OR (rolinherit AND rolcanlogin)"
        " FROM pg_roles WHERE rolname LIKE 'gatekeeper%' ORDER BY 1"
    ).fetchall()
    assert rows == [(role, role != roles.OWNER, False) for role in sorted((roles.OWNER, *roles.LOGIN))]


def test_the_vault_never_hangs(as_role: AsRole) -> None:
    vault = as_role(roles.VAULT)
    assert vault.execute("SHOW lock_timeout").fetchone() == ("5s",)
    assert vault.execute("SHOW statement_timeout").fetchone() == ("5s",)


def test_passwords_never_stand_in_a_statement() -> None:
    seen: list[bytes] = []

    class Watched(psycopg.Cursor):
        def execute(self, query, *args, **kwargs):  # type: ignore[no-untyped-def]  # passes all on
            seen.append(
                query.as_bytes(self.connection)
                if isinstance(query, psycopg.sql.Composable)
                else str(query).encode()
            )
            return super().execute(query, *args, **kwargs)

    url = environment.setup_url()
    with psycopg.connect(url, autocommit=True, cursor_factory=Watched) as setup:
        roles.create_roles(setup, {roles.SEALER: environment.password(roles.SEALER)})
    assert any(b"SCRAM-SHA-256" in statement for statement in seen)
    assert environment.password(roles.SEALER).encode() not in b"\n".join(seen)
