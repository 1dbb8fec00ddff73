"""Which connection does what: pages on `default`, migrations on `migrator`, nothing else is moved.

Nothing reads or writes through another alias unless it names it. All of them lead to one database, so that
what was loaded by one may be related to what was loaded by another.
"""

from __future__ import annotations

from django.db.models import Model


class Router:
    """Lets migrations run as the migrator alone: no run-time role owns a table."""

    def allow_migrate(self, db: str, app_label: str, **_hints: object) -> bool:
        return db == "migrator"

    def allow_relation(self, one: Model, other: Model, **_hints: object) -> bool:
        return True
