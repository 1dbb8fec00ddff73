"""Connections that pin what they mean, that threads of a server process keep, and that cost no question
while they live.

Before each request's first statement Django asks whether a kept connection still works, with a statement:
for each alias a round trip a page. A server that has gone, or has ended the connection, has said so on the
socket; while nothing waits there to be read, asking would tell nothing newer. A connection that is dead is
made again at once, by the request that finds it so: there is no queue in which requests wait for one.
"""

from __future__ import annotations

import select
from typing import TYPE_CHECKING, Any

from django.db.backends.postgresql import base

from gatekeeper.installation.postgresql import pinned

if TYPE_CHECKING:
    from psycopg import Connection


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's own, but pinned, and without the question whether a connection still works."""

    def get_connection_params(self) -> dict[str, Any]:
        return pinned.joined(super().get_connection_params(), pinned.since(_server.version))

    def get_new_connection(self, conn_params: dict[str, Any]) -> Connection[Any]:
        """Connect; once more where only the handshake has told what this server knows to be pinned."""
        connection: Connection[Any] = super().get_new_connection(conn_params)
        version, known = connection.info.server_version, _server.version
        if pinned.since(version) == pinned.since(known):
            return connection
        connection.close()
        _server.version = version
        more: Connection[Any] = super().get_new_connection(pinned.joined(conn_params, pinned.since(version)))
        return more

    def is_usable(self) -> bool:
        connection: Connection[Any] | None = self.connection
        if connection is None or connection.closed:
            return False
        return not _has_news(connection) or super().is_usable()


class _Server:
    """The database server's version, once a handshake has told it."""

    version = 0


_server = _Server()


def _has_news(connection: Connection[Any]) -> bool:
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))
