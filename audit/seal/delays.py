"""What holds the sealing up: which process, whose, since when, and how a superuser ends it.

Any role may keep a transaction open that has begun to write, and PostgreSQL lets it: an entry of its could
still come, so nothing newer is sealed. No setting forbids that to a session that can change its own settings.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.utils.translation import gettext as _

from audit.database import calls

if TYPE_CHECKING:
    from datetime import datetime

    from psycopg import Connection

#: So long a transaction of ours never lasts, and the sealer never waits.
PATIENCE: Final = timedelta(seconds=30)


@dataclass(frozen=True)
class Delay:
    """One cause. `kind`: transaction, prepared, lock or locks; `process` None where it is prepared; `since`
    None where the owner may not know."""

    kind: str
    process: int | None
    role: str
    since: datetime | None
    named: str

    @property
    def sentence(self) -> str:
        """What it does, and since when."""
        facts = {
            "process": self.process,
            "role": self.role,
            "since": self.since.isoformat(" ", "seconds") if self.since else "?",
        }
        match self.kind:
            case "prepared":
                return _("A prepared transaction of %(role)s has waited for its end since %(since)s.") % facts
            case "lock":
                return _("The sealer has waited for process %(process)d of %(role)s since %(since)s.") % facts
            case "locks":
                return _("Process %(process)d of %(role)s holds more than 1000 locks.") % facts
        return _("Process %(process)d of %(role)s has been in a transaction since %(since)s.") % facts

    @property
    def remedy(self) -> str:
        """What a superuser says to end it."""
        if self.process is None:
            escaped = self.named.replace("'", "''")
            return f"ROLLBACK PREPARED '{escaped}';"
        return f"SELECT pg_terminate_backend({self.process});"


def sealing_delays(connection: Connection[Any], now: datetime, *, waits: bool) -> list[Delay]:
    """What holds the sealing up for longer than our own ever do; where an entry `waits`, all that may."""
    found = calls("audit.sealing_delays", into=Delay, using=connection)
    return [one for one in found if waits or (one.since and now - one.since > PATIENCE)]
