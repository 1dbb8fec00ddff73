"""Connections that server processes share between their threads, in a pool an alias; and where they lead."""

from __future__ import annotations

import select
from typing import Any

import psycopg
from django.db import connections
from psycopg import Connection, Cursor


class PooledConnection(Connection[Any]):
    """A connection that answers the pool's question, whether it still works, without the server.

    Before it lends a connection the pool executes an empty statement: for each alias a round trip a
    page. A server that has gone, or has ended the connection, has said so on the socket; while nothing
    waits there to be read, asking would tell nothing newer.
    """

    def execute(self, query: Any, *values: Any, **more: Any) -> Cursor[Any]:
        if query == "" and not self.closed and not self._has_news():
            return self.cursor()
        return super().execute(query, *values, **more)

    def _has_news(self) -> bool:
        poll = select.poll()
        poll.register(self.fileno(), select.POLLIN)
        return bool(poll.poll(0))


POOL = {"min_size": 1, "max_size": 16, "timeout": 10, "connection_class": PooledConnection}

#: What is wrong with an alias that leads through a pooler, and what to do.
THROUGH_POOLER = "The connection '{}' leads through a connection pooler, such as PgBouncer."
NO_POOLER = "Lead its GATEKEEPER_DATABASE_URL to PostgreSQL itself: the web processes pool by themselves."

#: Whether somebody answers is not for long the question of who it is.
_ANSWER_SECONDS = 5


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
