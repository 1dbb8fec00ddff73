"""Which of the log's public keys are trusted here: those that are set, or else those of this server.

The sealer announces its key in the database (audit.announce_key). Whoever can rewrite everything there
can announce another one, too: what holds under such a key is consistent with this server, and no more.
`GATEKEEPER_LOG_VERIFIER` pins the key, and wins wherever the two differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils.translation import gettext as _

from audit.database import rows
from audit.seal.checkpoints import Keys
from audit.verify_bundle import ProofError

if TYPE_CHECKING:
    from psycopg import Connection


@dataclass(frozen=True)
class Trust:
    """`keys`: None where none is set and none was announced. `announced`: the newest one; '' for none."""

    keys: Keys | None
    pinned: bool
    announced: str = ""

    @property
    def differs(self) -> bool:
        """Whether the sealer signs with a key that is none of those that are set."""
        return self.pinned and bool(self.announced) and self.announced not in str(self.keys).split(",")

    def warnings(self) -> list[str]:
        """What a command has to say beside an outcome under these keys, in sentences."""
        if self.differs:
            words = _("The sealer signs with another key than the one that is set: %(key)s")
        elif not self.pinned:
            words = _(
                "No key is set (GATEKEEPER_LOG_VERIFIER), so this server's own was used. Compare it with the"
                " one that was published: %(key)s"
            )
        else:
            return []
        return [words % {"key": self.announced}]


def read(connection: Connection[Any]) -> Trust:
    """The keys to judge by, as a role that reads the log sees them. Raises psycopg.Error."""
    announcements = rows("SELECT key FROM public.audit_logkey ORDER BY number DESC", using=connection)
    announced = list(dict.fromkeys(key for (key,) in announcements))
    newest = announced[0] if announced else ""
    if settings.LOG_VERIFIER:
        return Trust(Keys.read(settings.LOG_VERIFIER), pinned=True, announced=newest)
    try:
        keys = Keys.read(",".join(announced)) if announced else None
    except ProofError:  # the function refuses such a key: somebody else wrote it, and none is trusted
        keys = None
    return Trust(keys, pinned=False, announced=newest)


def no_key() -> str:
    """Why nothing can be judged where `keys` is None, and what to do."""
    return _("No key of the log is set (GATEKEEPER_LOG_VERIFIER), and the sealer has announced none yet.")
