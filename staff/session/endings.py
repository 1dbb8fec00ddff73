"""Why a session counts no more, and ending it: each with its entry."""

from __future__ import annotations

from django.utils import timezone

from audit.database import call
from staff.frame.sign_in import SIGN_IN
from staff.models import Member, Session
from staff.session.limits import limits

EXPIRED = "session_expired"
ENDED = "session_ended"
#: Idle for too long, and within its hours: nothing is open in it, and a fresh proof resumes it.
LOCKED = "session_locked"


def why_over(row: Session, digest: bytes) -> str:
    """Return the reason for which a session counts no more; empty while it counts. Ends what ran out.

    An idle one is locked, not ended, where both factors were proved in it: half a sign-in has
    nothing to come back to. `digest` is that of the key by which the row was found.
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
    call("staff.end_overdue_sessions", digest=digest)
    return barred if row.verified_at is not None and barred else EXPIRED


def end(digest: bytes, context: dict[str, str | None], reason: str) -> None:
    """End the session of a key's digest; `reason` is one of ours, empty when the member signs out."""
    call("staff.end_session", digest=digest, context=context, reason=reason)


def end_others(member: Member, *, but: int | None, doubt: bool = False) -> None:
    """End the member's sessions but one; `doubt`: that one is asked for a proof again."""
    call("staff.end_sessions_of", member=member.pk, but=but, doubt=doubt, using=SIGN_IN)
