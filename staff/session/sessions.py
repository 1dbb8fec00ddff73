"""A request's session: what pages and the gate read of it, what pages note, what sign-in does with it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from django.contrib.sessions.backends.base import UpdateError
from django.db import OperationalError
from django.http import HttpRequest
from django.utils import timezone
from psycopg.errors import DiskFull

from audit.database import call
from staff.frame.sign_in import SIGN_IN
from staff.models import Member, Session
from staff.session.endings import end
from staff.session.keys import digest_of, fresh_key
from staff.session.limits import limits
from staff.session.statements import keep_notes
from staff.session.stored import StoredSession

# Writing at every click would be a write a page; ten seconds are nothing against fifteen minutes.
TOUCH_AFTER = timedelta(seconds=10)


class SessionStore(StoredSession):
    """One browser's session. `number`, `digest` and `verified_at` are for the gate and the log."""

    # What others read

    @property
    def number(self) -> int | None:
        """The session's number in the log; None for a visitor without a session."""
        row = self._loaded() or self._asleep
        return row.pk if row else None

    @property
    def locked(self) -> Session | None:
        """The row of a session that was idle for too long; None while it counts, and for visitors."""
        self._loaded()
        return self._asleep

    @property
    def seconds_left(self) -> int:
        """How long the session would last without any activity; 0 when it counts no more."""
        row = self._loaded()
        if row is None or self._asleep is not None:
            return 0
        idle, whole = limits()
        ends = min(row.last_seen_at + idle, row.started_at + whole)
        return max(0, int((ends - timezone.now()).total_seconds()))

    @property
    def digest(self) -> bytes | None:
        """What the database's functions know the session by."""
        return digest_of(self.session_key) if self._loaded() and self.session_key else None

    @property
    def verified_at(self) -> datetime | None:
        """When the second factor was last proved; None until it is."""
        row = self._loaded()
        return row.verified_at if row else None

    @property
    def factor(self) -> str:
        """Which second factor was proved."""
        row = self._loaded()
        return row.factor if row else ""

    @property
    def member(self) -> Member | None:
        """Whose session it is; None for a visitor's."""
        row = self._loaded()
        return row.member if row else None

    # What pages note

    def note(self, name: str) -> Any:
        """What a page noted under a name; None when nothing, and while the session is locked, or has ended:
        what was noted for its member is said to nobody else."""
        return self._noted.get(name, self._notes.get(name)) if self._counts() else None

    def put_note(self, name: str, value: Any) -> None:
        """Note something for a later answer; `None` forgets it. A visitor's is lost with the answer."""
        if self.note(name) != value:
            self._noted[name] = value

    def save_notes(self) -> None:
        """Store what this request noted, once, at its end."""
        row = self._row
        if self._noted and row is not None and self._counts() and not self.outdated:
            keep_notes(row.pk, self._noted)
            self._noted = {}

    # What sign-in and the guard do

    def mark_verified(self, factor: str, device: int, stage: str) -> None:
        """Note that the second factor was proved now, with its entry, and renew the key (ASVS 7.2.4).

        The number and the beginning stay: a step-up never prolongs the twelve hours. A locked session that
        was woken is unlocked by this, and by nothing else. Raises UpdateError when the session ended, or its
        key was renewed, meanwhile.
        """
        row, key = self._loaded(), fresh_key()
        if row is None or not call(
            "staff.verify_session",
            digest=digest_of(self.session_key or ""),
            fresh=digest_of(key),
            context=self.context(),
            factor=factor,
            device=device,
            stage=stage,
            using=SIGN_IN,
        ):
            raise UpdateError
        row.verified_at = row.last_seen_at = timezone.now()
        row.factor = factor
        self._session_key, self._asleep, self.modified = key, None, True

    def touch(self) -> None:
        """Note that the member is active, in a statement of its own (never inside a transaction).

        Not where the idle end passed meanwhile: only a proof unlocks.
        """
        row, now = self._loaded(), timezone.now()
        if row is None or self.outdated or self._asleep is not None or row.last_seen_at > now - TOUCH_AFTER:
            return
        try:
            touched = call("staff.touch_session", digest=digest_of(self.session_key or ""))
        except OperationalError as error:
            # What only reads needs no room on the database's disk; the idle end stays where it was.
            if getattr(error.__cause__, "sqlstate", None) != DiskFull.sqlstate:
                raise
            return
        if touched:
            row.last_seen_at = now

    def wake(self) -> None:
        """Show a locked session's data to this request alone, which is about to ask for a proof.

        In the database it stays locked, and the gate stays shut, until `mark_verified`.
        """
        row = self.locked
        if row is not None:
            self._row = row
            self._session_cache = dict(self._remembered)

    def end(self, reason: str = "") -> None:
        """End the session, with its entry; `reason` is one of ours, empty when the member signs out."""
        if self.session_key is not None:
            end(digest_of(self.session_key), self.context(), reason)

    def forget(self) -> None:
        """Let the browser forget the session, where the database could not end it; nothing is stored."""
        self._session_key, self._session_cache, self._noted = None, {}, {}
        self._row = self._asleep = None
        self.left = self.modified = True

    def end_own(self, numbers: list[int] | None) -> int:
        """End other sessions of the member's, these or all, each with its entry; how many it were."""
        digest = digest_of(self.session_key or "")
        return int(call("staff.end_own_sessions", digest=digest, context=self.context(), numbers=numbers))

    def take(self, name: str) -> Any:
        """What signing in remembered under a name, for the one time that it may be used; None afterwards."""
        self.pop(name, None)
        digest = digest_of(self.session_key or "")
        return json.loads(call("staff.take_remembered", digest=digest, name=name, using=SIGN_IN) or "null")


def of(request: HttpRequest) -> SessionStore:
    """The request's session, as what it is. Raises TypeError under another session engine."""
    session = request.session
    if not isinstance(session, SessionStore):
        raise TypeError("SESSION_ENGINE is not staff.session.sessions")
    return session
