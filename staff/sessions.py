"""Django's sessions on a table of our own, so that the database can judge them (DESIGN §4.8).

The key is in the cookie alone; the table holds its SHA-256. A row is never deleted: the log names
its number. It ends, and ended is ended. An idle one is locked: for every reader it is no session,
until both factors, or a passkey, resume it under a new key (the trigger in `staff/sql/sessions.sql`
holds both).

A renewed key costs no session. What was under way with the key before is known for ten seconds more
(`vault.renewed_session`): it may look, and changes nothing. A request that finds at its end that the key
was renewed meanwhile leaves the session's data and the browser's newer cookie alone.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase, UpdateError
from django.db.models import Model, Q
from django.http import HttpRequest
from django.utils import timezone
from django_otp import DEVICE_ID_SESSION_KEY

from audit.functions import rows
from staff.models import Member, Session, TotpDevice

# Writing at every click would be a write a page; ten seconds are nothing against fifteen minutes.
TOUCH_AFTER = timedelta(seconds=10)

EXPIRED = "session_expired"
ENDED = "session_ended"
#: Idle for too long, and within its hours: nothing is open in it, and a fresh proof resumes it.
LOCKED = "session_locked"


def _columns(alias: str, model: type[Model]) -> str:
    return ", ".join(f'{alias}."{field.column}"' for field in model._meta.concrete_fields)


# By hand, for it comes before every page: the ORM would ask three times, and compile each anew.
_SESSION = f"""
    SELECT {_columns("s", Session)}, {_columns("m", Member)}, {_columns("d", TotpDevice)}
    FROM staff_session s LEFT JOIN staff_member m ON m.id = s.member_id
        LEFT JOIN staff_totpdevice d ON d.user_id = s.member_id
            AND 'staff.totpdevice/' || d.id = s.data->>'{DEVICE_ID_SESSION_KEY}'
"""  # noqa: S608  # names of columns, no values
_BY_KEY = _SESSION + "WHERE s.digest = %(digest)s::bytea"
_BY_OLD_KEY = _SESSION + "WHERE s.id = vault.renewed_session(%(digest)s::bytea)"


def digest_of(key: str) -> bytes:
    """What the table holds of a key. The key is random, so that no salt is needed."""
    return hashlib.sha256(key.encode("utf-8", "replace")).digest()


class SessionStore(SessionBase):
    """One browser's session. `number`, `digest` and `verified_at` are for the gate and the log."""

    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key)
        self._row: Session | None = None
        self._asleep: Session | None = None
        self._origin: dict[str, str | None] = {}
        #: The member's second factor that the session's data name; None when there is none.
        self.device: TotpDevice | None = None
        #: Why the session that the cookie names counts no more; empty when it counts, or is unknown.
        self.ended_because = ""
        #: Whether the cookie's key is the one before the session's: nothing is done or changed by it.
        self.outdated = False
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
        idle, whole = _limits()
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

    # What sign-in and the guard do

    def came_from(self, address: str | None, browser: str) -> None:
        """Whence the session is about to begin, for the member's list of sessions."""
        self._origin = {"remote_addr": address, "user_agent": browser}

    def mark_verified(self, factor: str) -> None:
        """Note that the second factor was proved now, and renew the key (ASVS 7.2.4).

        The number and the beginning stay: a step-up never prolongs the twelve hours. A locked
        session that was woken is unlocked by this, and by nothing else.
        """
        now = timezone.now()
        self._renew(verified_at=now, last_seen_at=now, factor=factor)
        self._asleep = None

    def touch(self) -> None:
        """Note that the member is active, in a statement of its own (never inside a transaction).

        Not where the idle end passed meanwhile: only a proof unlocks.
        """
        row, now = self._loaded(), timezone.now()
        if row is None or self.outdated:
            return
        if self._asleep is None and row.last_seen_at <= now - TOUCH_AFTER:
            idle, _whole = _limits()
            if _live(row).filter(last_seen_at__gt=now - idle).update(last_seen_at=now):
                row.last_seen_at = now

    def wake(self) -> None:
        """Show a locked session's data to this request alone, which is about to ask for a proof.

        In the database it stays locked, and the gate stays shut, until `mark_verified`.
        """
        row = self.locked
        if row is not None:
            self._row = row
            self._session_cache = dict(row.data)

    # What Django calls

    def load(self) -> dict[str, Any]:
        """The data of the cookie's session while it counts; otherwise the visitor has none."""
        row = self._find()
        reason = _why_over(row) if row else ""
        if reason == LOCKED:
            self._asleep = row  # the cookie stays, for it leads back
            return {}
        self.ended_because = reason
        if row is None or self.ended_because:
            # An unknown key is never taken over, or one could be planted in a browser.
            self._session_key = None
            return {}
        self._row = row
        return dict(row.data)

    def exists(self, session_key: str) -> bool:
        return Session.objects.filter(digest=digest_of(session_key)).exists()

    def create(self) -> None:
        self._session_key = secrets.token_urlsafe(32)
        self.save(must_create=True)
        self.modified = True

    def save(self, must_create: bool = False) -> None:
        """Store the data. Raises UpdateError when the session has ended meanwhile.

        Under a key that is the session's no more they are dropped: the request that renewed it has
        stored its own.
        """
        if self.session_key is None:
            self.create()
            return
        data = self._data(no_load=must_create)
        if must_create:
            self._insert(data)
            return
        row = self._row
        if row is None or not (self._current(row).update(data=data) or _live(row).exists()):
            raise UpdateError

    def delete(self, session_key: str | None = None) -> None:
        """End the session, or the one of a key; its row stays. An old key ends its session, too."""
        key, row = session_key or self.session_key, self._row or self._asleep
        if session_key is None and row is not None:
            _live(row).update(ended_at=timezone.now())
        elif key is not None:
            now = timezone.now()
            Session.objects.filter(digest=digest_of(key), ended_at__isnull=True).update(ended_at=now)

    def flush(self) -> None:
        super().flush()
        self._row = self._asleep = None

    def cycle_key(self) -> None:
        """Renew the key. Raises UpdateError when it was renewed, or the session ended, meanwhile.

        A visitor who signs in gets a session of their own, from now on.
        """
        row = self._loaded()
        if row is not None and row.member_id is not None:
            self._renew()
            return
        self.delete()
        self._row = self._asleep = None
        self._session_key = None  # saving makes the row, with the member
        self.modified = True

    @classmethod
    def clear_expired(cls) -> None:
        """End what has run out: tidying alone, every reader judges for itself."""
        now = timezone.now()
        idle, whole = _limits()
        half_way = Q(last_seen_at__lte=now - idle, verified_at__isnull=True)
        over = half_way | Q(started_at__lte=now - whole)
        Session.objects.filter(over, ended_at__isnull=True).update(ended_at=now)

    # Inside

    def _find(self) -> Session | None:
        """The cookie's session with its member and its second factor."""
        known = {"digest": digest_of(self.session_key or "")}
        found = rows(_BY_KEY, known)
        if not found:
            found = rows(_BY_OLD_KEY, known)
            self.outdated = bool(found)
        if not found:
            return None
        values = iter(found[0])
        row: Session = _built(Session, values)
        row.data, row.member = json.loads(row.data), _built(Member, values)
        self.device = _built(TotpDevice, values)
        return row

    def _data(self, *, no_load: bool = False) -> dict[str, Any]:
        data: dict[str, Any] = self._get_session(no_load)  # type: ignore[attr-defined]  # no stub
        return data

    def _loaded(self) -> Session | None:
        self._data()
        return self._row

    def _insert(self, data: dict[str, Any]) -> None:
        now = timezone.now()
        member = data.get(SESSION_KEY)
        self._row = Session.objects.create(
            digest=digest_of(self.session_key or ""),
            member_id=int(member) if member else None,
            started_at=now,
            last_seen_at=now,
            data=data,
            **self._origin,
        )

    def _current(self, row: Session) -> Any:
        """The row, while the key that this request came with, or has made, is still the session's."""
        return _live(row).filter(digest=digest_of(self.session_key or ""))

    def _renew(self, **facts: Any) -> None:
        row, key = self._loaded(), secrets.token_urlsafe(32)
        if row is None or not self._current(row).update(digest=digest_of(key), **facts):
            raise UpdateError
        for name, value in facts.items():
            setattr(row, name, value)
        self._session_key = key
        self.modified = True


def of(request: HttpRequest) -> SessionStore:
    """The request's session, as what it is. Raises TypeError under another session engine."""
    session = request.session
    if not isinstance(session, SessionStore):
        raise TypeError("SESSION_ENGINE is not staff.sessions")
    return session


def longest() -> timedelta:
    """How long a session lasts in all."""
    return _limits()[1]


def is_idle(row: Session) -> bool:
    """Whether nothing happened in it for so long that it is locked."""
    return timezone.now() >= row.last_seen_at + _limits()[0]


def _built(model: type[Model], values: Iterator[Any]) -> Any:
    """The next object in a row of several tables' columns; None when there was none to join."""
    names = [field.attname for field in model._meta.concrete_fields]
    mine = list(islice(values, len(names)))
    return None if mine[0] is None else model.from_db("default", names, mine)


def _limits() -> tuple[timedelta, timedelta]:
    return (
        timedelta(minutes=settings.LIMITS["session_idle_minutes"]),
        timedelta(hours=settings.LIMITS["session_hours"]),
    )


def _live(row: Session) -> Any:
    return Session.objects.filter(pk=row.pk, ended_at__isnull=True)


def _why_over(row: Session) -> str:
    """The reason for which a session counts no more; empty while it counts. Ends what ran out.

    An idle one is locked, not ended, where both factors were proved in it: half a sign-in has
    nothing to come back to.
    """
    now = timezone.now()
    idle, whole = _limits()
    if row.ended_at is None and now < row.last_seen_at + idle and now < row.started_at + whole:
        return ""
    member = row.member
    if row.ended_at is not None:
        return (member.barred_because() if member else "") or ENDED
    if member is not None and row.verified_at is not None and now < row.started_at + whole:
        barred = member.barred_because()
        if not barred:
            return LOCKED
        _live(row).update(ended_at=now)
        return barred
    _live(row).update(ended_at=now)
    return EXPIRED
