"""Connections that server processes share between their threads, in a pool an alias."""

from __future__ import annotations

import select
from typing import Any

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
