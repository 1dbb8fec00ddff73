"""Connections that each thread of a server process keeps, and that cost no question while they live.

Before each request's first statement Django asks whether a kept connection still works, with a statement:
for each alias a round trip a page. A server that has gone, or has ended the connection, has said so on the
socket; while nothing waits there to be read, asking would tell nothing newer. A connection that is dead is
made anew at once, by the request that finds it so: there is no queue in which requests wait for one.
"""

from __future__ import annotations

import select
from typing import TYPE_CHECKING, Any

from django.db.backends.postgresql import base

if TYPE_CHECKING:
    from psycopg import Connection


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's own but for the question whether a connection still works."""

    def is_usable(self) -> bool:
        connection: Connection[Any] | None = self.connection
        if connection is None or connection.closed:
            return False
        return not _has_news(connection) or super().is_usable()


def _has_news(connection: Connection[Any]) -> bool:
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))
