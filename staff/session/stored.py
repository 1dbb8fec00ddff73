"""Django's sessions on a table of our own, so that the database can judge them.

The key is in the cookie alone; the table holds its SHA-256, which no role that we run as can read. A key
finds its session by a function, and each act on it is one (`staff/session/sql/sessions.sql`). A row is never
deleted: the log names its number. It ends, and ended is ended. An idle one is locked: for every reader it
is no session, until both factors, or a passkey, resume it under a new key.

What Django keeps in a session is what signing in remembers between its steps, and is written by signing in
alone. What pages note for their next answer stands apart, in `notes`, and nobody judges by it.

A renewed key costs no session. What was under way with the key before is known for ten seconds more: it may
look, and changes nothing. A request that finds at its end that the key was renewed meanwhile leaves the
session's data and the browser's newer cookie alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase, UpdateError
from django.utils import timezone

from audit.database import call
from staff.frame.sign_in import SIGN_IN
from staff.models import Member, Session
from staff.session.endings import ENDED, LOCKED, end, why_over
from staff.session.keys import digest_of, fresh_key
from staff.session.statements import find


class StoredSession(SessionBase):
    """What Django asks of a session store."""

    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key)
        self._row: Session | None = None
        self._asleep: Session | None = None
        self._remembered: dict[str, Any] = {}
        self._notes: dict[str, Any] = {}
        self._noted: dict[str, Any] = {}
        #: The facts of the request that an entry names (`audit.context`); the middleware's.
        self.context: Callable[[], dict[str, str | None]] = dict
        #: By what a session that is about to begin was reached: `password` or `invitation`.
        self.stage = ""
        #: Why the session that the cookie names counts no more; empty when it counts, or is unknown.
        self.ended_because = ""
        #: Whether the cookie's key is the one before the session's: nothing is done or changed by it.
        self.outdated = False
        #: Whether officers were brought back of which no reviewer has said that they know (recoveries.py).
        self.recovered = False
        #: Whether the member has signed out by this request: then the browser forgets its cookie.
        self.left = False

    def load(self) -> dict[str, Any]:
        """The data of the cookie's session while it counts; otherwise the visitor has none."""
        row = self._find()
        reason = why_over(row, digest_of(self.session_key or "")) if row else ""
        if reason == LOCKED:
            self._asleep = row  # the cookie stays, because it leads back
            return {}
        self.ended_because = reason
        if row is None or self.ended_because:
            # An unknown key is never taken over, or one could be planted in a browser.
            self._session_key = None
            return {}
        self._row = row
        return dict(self._remembered)

    def exists(self, session_key: str) -> bool:
        return find(digest_of(session_key)) is not None

    def create(self) -> None:
        self._session_key = fresh_key()
        self.save(must_create=True)
        self.modified = True

    def save(self, must_create: bool = False) -> None:
        """Store what signing in remembers. Raises UpdateError when the session has ended meanwhile.

        Under a key that is the session's no more it is dropped: the request that renewed it has stored its
        own. A visitor has no session, and nothing is stored of one.
        """
        data = self._data(no_load=must_create)
        if self.session_key is None or must_create:
            if SESSION_KEY in data:
                self._begin(data)
            return
        row, digest = self._row, digest_of(self.session_key)
        if row is None or not call(
            "staff.keep_session", session=row.pk, digest=digest, data=data, using=SIGN_IN
        ):
            raise UpdateError

    def delete(self, session_key: str | None = None) -> None:
        """End the session, or the one of a key; its row stays. An old key ends its session, too."""
        key = session_key or self.session_key
        if key is not None:
            end(digest_of(key), self.context(), ENDED)

    def flush(self) -> None:
        super().flush()
        self._row = self._asleep = None

    def cycle_key(self) -> None:
        """Renew the key. Raises UpdateError when it was renewed, or the session ended, meanwhile.

        Whoever signs in gets a session of their own, from now on.
        """
        row = self._loaded()
        if row is None:
            self.delete()
            self._asleep = None
            self._session_key = None  # saving makes the row, with the member
            self.modified = True
            return
        key, digest = fresh_key(), digest_of(self.session_key or "")
        if not call("staff.renew_session", digest=digest, fresh=digest_of(key), using=SIGN_IN):
            raise UpdateError
        self._session_key = key
        self.modified = True

    @classmethod
    def clear_expired(cls) -> None:
        """End what has run out: tidying alone, every reader judges for itself."""
        call("staff.end_overdue_sessions", digest=None)

    # Inside

    def _find(self) -> Session | None:
        """The cookie's session, with what signing in remembers of it, and what pages noted."""
        found = find(digest_of(self.session_key or ""))
        if found is None:
            return None
        self.outdated, self.recovered = found.outdated, found.recovered
        self._remembered, self._notes = found.remembered, found.notes
        return found.row

    def _data(self, *, no_load: bool = False) -> dict[str, Any]:
        data: dict[str, Any] = self._get_session(no_load)  # type: ignore[attr-defined]  # no stub
        return data

    def _loaded(self) -> Session | None:
        self._data()
        return self._row

    def _counts(self) -> bool:
        """Whether there is a session that is neither locked nor over."""
        return self._loaded() is not None and self._asleep is None

    def _begin(self, data: dict[str, Any]) -> None:
        """Begin the session of a member's whose password or link was right, with its entry."""
        key, now = fresh_key(), timezone.now()
        number = call(
            "staff.begin_session",
            digest=digest_of(key),
            context=self.context(),
            member=int(data[SESSION_KEY]),
            stage=self.stage,
            data=data,
            using=SIGN_IN,
        )
        if number is None:
            raise UpdateError
        self._session_key = key
        member = Member.objects.using(SIGN_IN).get(pk=int(data[SESSION_KEY]))
        self._row, self._notes = Session(pk=number, member=member, started_at=now, last_seen_at=now), {}
