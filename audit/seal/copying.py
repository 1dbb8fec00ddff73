"""Taking checkpoints out of the database to the anchors. An anchor that fails is shown and tried again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audit.database import rows
from audit.seal import stored
from audit.seal.anchors import anchor

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from psycopg import Connection

FAILURE_LENGTH = 200


_COPIED = (
    "INSERT INTO public.audit_copy (anchor, size, copied_at, failure)"
    " VALUES (%s, %s, clock_timestamp(), '') ON CONFLICT (anchor) DO UPDATE"
    " SET size = excluded.size, copied_at = excluded.copied_at, failed_at = NULL, failure = ''"
)


_FORGOTTEN = "DELETE FROM public.audit_copy WHERE NOT anchor = ANY (%s::text[])"


class Copier:
    """The anchors by their names in the settings, and up to where each has copies."""

    def __init__(self, connect: Callable[[], Connection[Any]], names: Sequence[str]) -> None:
        self._connect = connect
        self._anchors = {name: anchor(name) for name in names}

    def newest(self, origin: str) -> list[str]:
        """The newest checkpoint of that log in each anchor that can be read back."""
        found = []
        for name, where in self._anchors.items():
            try:
                note = where.newest(origin)
            except OSError as error:
                self._failed(name, error)
            else:
                found += [note] if note else []
        return found

    def copy(self) -> None:
        """Give the newest checkpoint to every anchor that lacks it; earlier ones follow from it."""
        connection = self._connect()
        connection.execute(_FORGOTTEN, [list(self._anchors)])
        newest = stored.newest_checkpoint(connection)
        if newest is None:
            return
        done = dict(rows("SELECT anchor, size FROM public.audit_copy", using=connection))
        for name, where in self._anchors.items():
            if done.get(name, 0) == newest.size:
                continue
            try:
                where.copy(newest.note, newest.size, newest.sealed_at)
            except OSError as error:
                self._failed(name, error)
            else:
                connection.execute(_COPIED, [name, newest.size])

    def _failed(self, name: str, error: OSError) -> None:
        words = f"{type(error).__name__}: {error.strerror or ''}"[:FAILURE_LENGTH]
        self._connect().execute(
            "INSERT INTO public.audit_copy (anchor, size, failed_at, failure)"
            " VALUES (%s, 0, clock_timestamp(), %s) ON CONFLICT (anchor) DO UPDATE"
            " SET failed_at = excluded.failed_at, failure = excluded.failure",
            [name, words],
        )
