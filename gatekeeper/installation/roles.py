"""The roles of a cluster, and databases for them (gatekeeper/README.md has the table of rights).

Roles belong to the cluster, not to a database: they are made once, by `manage.py bootstrap`, by the
demo and by the tests, through the setup connection (a superuser's), never by a migration and never
by the running application.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

OWNER = "gatekeeper_owner"
MIGRATOR = "gatekeeper_migrator"
WEB = "gatekeeper_web"
SIGNIN = "gatekeeper_signin"
FEED = "gatekeeper_feed"
VAULT = "gatekeeper_vault"
WATCH = "gatekeeper_watch"
PEOPLE = "gatekeeper_people"
SEALER = "gatekeeper_sealer"

#: A role for each purpose, with a login and a connection of its own: whoever speaks on one connection must
#: not be able to make up the facts of another. By the name that a link has in the settings.
PURPOSES = {
    "WEB": WEB,
    "SIGNIN": SIGNIN,
    "FEED": FEED,
    "VAULT": VAULT,
    "WATCH": WATCH,
    "PEOPLE": PEOPLE,
    "SEALER": SEALER,
}
#: Those that every web process speaks as; the others belong to commands, each where it runs.
SERVING = ("WEB", "SIGNIN", "FEED", "VAULT")
LINKS = PURPOSES | {"MIGRATOR": MIGRATOR}

RUN_TIME = tuple(PURPOSES.values())
LOGIN = (MIGRATOR, *RUN_TIME)

# What a role is allowed to be; its rights come with the objects.
HUMBLE = "NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
ATTRIBUTES = {OWNER: f"NOLOGIN {HUMBLE} INHERIT"} | dict.fromkeys(LOGIN, f"LOGIN {HUMBLE} NOINHERIT")
# What the owner's functions need to say how long somebody has been in a transaction; never what they asked.
STATISTICS = "pg_read_all_stats"

# The vault's connection must never hang on a lock that a page of the same thread holds. Whoever connects by
# the settings' alias has pinned more (gatekeeper.installation.postgresql.pinned).
PARAMETERS: dict[str, dict[str, str]] = {VAULT: {"lock_timeout": "5s", "statement_timeout": "5s"}}

# Creating roles in parallel gives 'tuple concurrently updated'. An advisory lock counts within one
# database: all who prepare use the setup URL's.
LOCK = 0x6761746B


@contextmanager
def _alone(setup: psycopg.Connection) -> Iterator[None]:
    setup.execute("SELECT pg_advisory_lock(%s)", [LOCK])
    try:
        yield
    finally:
        setup.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def create_roles(
    setup: psycopg.Connection,
    passwords: Mapping[str, str | None],
    limits: Mapping[str, int] | None = None,
) -> None:
    """Create the roles, or bring existing ones to what they should be.

    `setup` is a superuser's connection in autocommit. `passwords` are set for the roles that it
    names, None takes one away; others keep theirs (a role without any cannot log in by password).
    `limits` are how many connections a role may have; others have no limit. May be run again.
    """
    with _alone(setup):
        for role, attributes in ATTRIBUTES.items():
            _create_role(setup, role, f"{attributes} CONNECTION LIMIT {(limits or {}).get(role, -1)}")
        # The migrator becomes the owner by SET ROLE. No run-time role is a member of anything.
        setup.execute(f"GRANT {OWNER} TO {MIGRATOR}")
        for role in (OWNER, *RUN_TIME):
            _leave_others(setup, role)
        setup.execute(f"GRANT {STATISTICS} TO {OWNER}")
        for role, password in passwords.items():
            _set_password(setup, role, password)


def _create_role(setup: psycopg.Connection, role: str, attributes: str) -> None:
    known = setup.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
    verb = "ALTER" if known else "CREATE"
    setup.execute(sql.SQL(f"{verb} ROLE {{}} {attributes}").format(sql.Identifier(role)))
    # A role may have set defaults for its own sessions, and so may whoever spoke as it.
    setup.execute(sql.SQL("ALTER ROLE {} RESET ALL").format(sql.Identifier(role)))
    for name, value in PARAMETERS.get(role, {}).items():
        setup.execute(
            sql.SQL("ALTER ROLE {} SET {} = {}").format(
                sql.Identifier(role), sql.Identifier(name), sql.Literal(value)
            )
        )


def _leave_others(setup: psycopg.Connection, role: str) -> None:
    """Take a role out of every role that somebody put it in."""
    rows = setup.execute(
        "SELECT roleid::regrole::text FROM pg_auth_members WHERE member = %s::regrole", [role]
    ).fetchall()
    for (other,) in rows:
        # The name comes quoted from the catalogue.
        setup.execute(sql.SQL("REVOKE {} FROM {}").format(sql.SQL(other), sql.Identifier(role)))


def _set_password(setup: psycopg.Connection, role: str, password: str | None) -> None:
    """Store the verifier alone: the password itself never appears in a statement or a log."""
    verifier = None
    if password is not None:
        verifier = setup.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    setup.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(verifier)))


def create_database(setup_url: str, name: str) -> bool:
    """Create a database of the owner's where there is none, and close it to everybody else.

    Says whether it was created. Its rights are set each time: a template does not copy them.
    """
    with psycopg.connect(setup_url, autocommit=True) as setup, _alone(setup):
        known = setup.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
        if not known:
            setup.execute(
                sql.SQL(
                    "CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'"
                ).format(sql.Identifier(name), sql.Identifier(OWNER))
            )
        _restrict_database(setup, name)
        with psycopg.connect(make_conninfo(setup_url, dbname=name), autocommit=True) as inside:
            _restrict_schema(inside)
            _restrict_large_objects(inside)
    return not known


def _restrict_database(setup: psycopg.Connection, name: str) -> None:
    """Leave the login roles CONNECT and PUBLIC nothing: a temporary table could shadow ours."""
    database = sql.Identifier(name)
    setup.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
    for role in LOGIN:
        setup.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM {}").format(database, sql.Identifier(role)))
        setup.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, sql.Identifier(role)))


def _restrict_schema(inside: psycopg.Connection) -> None:
    """Give `public` to the owner, and no new function to PUBLIC."""
    inside.execute(f"ALTER SCHEMA public OWNER TO {OWNER}")
    inside.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
    inside.execute(f"GRANT USAGE ON SCHEMA public TO {WEB}")
    inside.execute(f"ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC")


#: How a large object comes into being. Nothing of ours is one, nobody would see it, and the disk would fill.
LARGE_OBJECTS = ("lo_creat(integer)", "lo_create(oid)", "lo_from_bytea(oid, bytea)")


def _restrict_large_objects(inside: psycopg.Connection) -> None:
    for function in LARGE_OBJECTS:
        inside.execute(sql.SQL(f"REVOKE EXECUTE ON FUNCTION pg_catalog.{function} FROM PUBLIC"))


def drop_database(setup_url: str, name: str) -> None:
    """Drop a database with its connections; harmless where there is none. For tests."""
    with psycopg.connect(setup_url, autocommit=True) as setup:
        setup.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
