"""Entries that signing in writes by itself: what failed, and what a member changed of their factors.

That somebody signed in, or out, the functions record that make or end the session.

Who and whence come from the request (audit.middleware). An address that nobody has is never
stored: it may be a password typed into the wrong field.
"""

from __future__ import annotations

from typing import Literal

from audit.models import Entry, Event, Outcome
from staff.frame.sign_in import SIGN_IN

Stage = Literal["password", "code", "step-up", "invitation", "unlock", "link"]
FactorChange = Literal[
    "passkey added",
    "passkey removed",
    "totp added",
    "totp removed",
    "recovery codes made",
    "recovery code used",
]


def sign_in_failed(stage: Stage, reason: str) -> None:
    """An attempt failed: `reason` is for the log, the person reads one sentence for all."""
    Entry.objects.using(SIGN_IN).create(
        event=Event.SIGN_IN_FAILED, outcome=Outcome.REFUSED, reason=reason, object_repr=stage
    )


def locked_out() -> None:
    """A lock after failures began; what meets it while it holds writes nothing more."""
    Entry.objects.using(SIGN_IN).create(
        event=Event.SIGN_IN_FAILED, outcome=Outcome.REFUSED, reason="locked_out", object_repr="password"
    )


def factor_changed(what: FactorChange) -> None:
    """A member's second factors changed, by their own hand."""
    Entry.objects.using(SIGN_IN).create(event=Event.CHANGE, object_repr=what)
