"""Which connection does what: pages on `default`, migrations on `migrator`, nothing else is moved.

Nothing reads or writes through `vault` or `migrator` unless it names them.
"""

from __future__ import annotations


class Router:
    """Lets migrations run as the migrator alone: no run-time role owns a table."""

    def allow_migrate(self, db: str, app_label: str, **_hints: object) -> bool:
        return db == "migrator"
