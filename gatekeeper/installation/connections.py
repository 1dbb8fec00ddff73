"""The web processes' connections: which there are, which are kept, and where they lead."""

from __future__ import annotations

import psycopg
from django.conf import settings
from django.db import connections

from gatekeeper.installation import connection_budget

#: What a link's alias is called, where it is not the link's name.
ALIASES = {"WEB": "default"}
#: Opened when somebody signs in and given back with the answer; the others serve every page or message, and
#: each thread keeps them from request to request.
NOT_KEPT = ("signin",)

#: What is wrong with an alias that leads through a pooler, and what to do.
THROUGH_POOLER = "The connection '{}' leads through a connection pooler, such as PgBouncer."
NO_POOLER = (
    "Lead its GATEKEEPER_DATABASE_URL to PostgreSQL itself: the web processes keep connections by themselves."
)

#: By what else than a link one could come to its server: to this machine by TCP, and elsewhere in clear.
_OTHERWISE = {
    True: ({"host": "127.0.0.1"}, {"host": "::1"}),
    False: ({"sslmode": "disable"},),
}

#: Whether somebody answers is not for long the question of who it is.
_ANSWER_SECONDS = 5


def serving() -> tuple[str, ...]:
    """Return the aliases that this process uses, where it is a web process."""
    return tuple(ALIASES.get(link, link.lower()) for link in connection_budget.links(settings.SERVES))


def leads_through_pooler(alias: str) -> bool:
    """Whether a pooler stands between an alias and PostgreSQL: the process that the handshake names is not
    the one that answers. Raises psycopg.Error where nobody answers.

    A pooler by transactions hands each transaction to another connection, whose settings, prepared
    statements and locks are somebody else's. A plain proxy passes the handshake on, and is none.
    """
    wanted = connections[alias].get_connection_params() | {"connect_timeout": _ANSWER_SECONDS}
    with psycopg.connect(**wanted) as connection:
        [(process,)] = connection.execute("SELECT pg_backend_pid()").fetchall()
        return bool(process != connection.info.backend_pid)


def has_password(alias: str) -> bool:
    """Whether an alias' role signs in by a password."""
    return bool(settings.DATABASES[alias]["PASSWORD"])


def takes_password(alias: str) -> bool:
    """Whether PostgreSQL would take a password from an alias' role, or nothing at all, if it came by another
    way than its link. A role has none by itself; whoever speaks as it can give it one."""
    wanted = connections[alias].get_connection_params() | {"connect_timeout": _ANSWER_SECONDS}
    for way in _OTHERWISE[wanted["host"].startswith("/")]:
        try:
            psycopg.connect(**wanted | way | {"passfile": "/dev/null"}).close()
        except psycopg.OperationalError as error:
            if error.pgconn and error.pgconn.needs_password:
                return True
        else:
            return True
    return False
