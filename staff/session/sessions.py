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

import hashlib
import json
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase, UpdateError
from django.db import OperationalError
from django.http import HttpRequest
from django.utils import timezone
from psycopg.errors import DiskFull

from audit.database import call, rows
from staff.frame.sign_in import SIGN_IN
from staff.models import Member, Session
from staff.session.limits import limits
from staff.session.statements import BY_KEY, KEEP_NOTES, built

# Writing at every click would be a write a page; ten seconds are nothing against fifteen minutes.
TOUCH_AFTER = timedelta(seconds=10)

EXPIRED = "session_expired"
ENDED = "session_ended"
#: Idle for too long, and within its hours: nothing is open in it, and a fresh proof resumes it.
LOCKED = "session_locked"


def digest_of(key: str) -> bytes:
    """What the table holds of a key. The key is random, so that no salt is needed."""
    return hashlib.sha256(key.encode("utf-8", "replace")).digest()


class SessionStore(SessionBase):
    """One browser's session. `number`, `digest` and `verified_at` are for the gate and the log."""

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
            rows(KEEP_NOTES, [row.pk, self._noted])
            self._noted = {}

    # What sign-in and the guard do

    def mark_verified(self, factor: str, device: int, stage: str) -> None:
        """Note that the second factor was proved now, with its entry, and renew the key (ASVS 7.2.4).

        The number and the beginning stay: a step-up never prolongs the twelve hours. A locked session that
        was woken is unlocked by this, and by nothing else. Raises UpdateError when the session ended, or its
        key was renewed, meanwhile.
        """
        row, key = self._loaded(), secrets.token_urlsafe(32)
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
        """End the session, with its entry; `reason` is one of ours, empty for the member's wish."""
        if self.session_key is not None:
            _end(digest_of(self.session_key), self.context(), reason)

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

    # What Django calls

    def load(self) -> dict[str, Any]:
        """The data of the cookie's session while it counts; otherwise the visitor has none."""
        row = self._find()
        reason = self._why_over(row) if row else ""
        if reason == LOCKED:
            self._asleep = row  # the cookie stays, for it leads back
            return {}
        self.ended_because = reason
        if row is None or self.ended_because:
            # An unknown key is never taken over, or one could be planted in a browser.
            self._session_key = None
            return {}
        self._row = row
        return dict(self._remembered)

    def exists(self, session_key: str) -> bool:
        return bool(rows(BY_KEY, {"digest": digest_of(session_key)}))

    def create(self) -> None:
        self._session_key = secrets.token_urlsafe(32)
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
            _end(digest_of(key), self.context(), ENDED)

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
        key, digest = secrets.token_urlsafe(32), digest_of(self.session_key or "")
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
        """The cookie's session with its member, what signing in remembers of it, and what pages noted."""
        found = rows(BY_KEY, {"digest": digest_of(self.session_key or "")})
        if not found:
            return None
        self.outdated, self.recovered, remembered, noted = found[0][:4]
        values = iter(found[0][4:])
        row: Session = built(Session, values)
        row.member = built(Member, values)
        self._remembered, self._notes = json.loads(remembered), json.loads(noted or "{}")
        return row

    def _why_over(self, row: Session) -> str:
        """The reason for which a session counts no more; empty while it counts. Ends what ran out.

        An idle one is locked, not ended, where both factors were proved in it: half a sign-in has
        nothing to come back to.
        """
        now = timezone.now()
        idle, whole = limits()
        if row.ended_at is None and now < row.last_seen_at + idle and now < row.started_at + whole:
            return ""
        member = row.member
        barred = member.barred_because() if member else ""
        if row.ended_at is not None:
            return barred or ENDED
        if row.verified_at is not None and now < row.started_at + whole and not barred:
            return LOCKED
        call("staff.end_overdue_sessions", digest=digest_of(self.session_key or ""))
        return barred if row.verified_at is not None and barred else EXPIRED

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
        key, now = secrets.token_urlsafe(32), timezone.now()
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


def end_others(member: Member, *, but: int | None, doubt: bool = False) -> None:
    """End the member's sessions but one; `doubt`: that one is asked for a proof again."""
    call("staff.end_sessions_of", member=member.pk, but=but, doubt=doubt, using=SIGN_IN)


def _end(digest: bytes, context: dict[str, str | None], reason: str) -> None:
    call("staff.end_session", digest=digest, context=context, reason=reason)


def of(request: HttpRequest) -> SessionStore:
    """The request's session, as what it is. Raises TypeError under another session engine."""
    session = request.session
    if not isinstance(session, SessionStore):
        raise TypeError("SESSION_ENGINE is not staff.session.sessions")
    return session
