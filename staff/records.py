"""Entries that the pages' own role writes: signing in, failing to, signing out.

Who and whence come from the request (audit.middleware). An address that nobody has is never
stored: it may be a password typed into the wrong field.
"""

from __future__ import annotations

from typing import Literal

from audit.models import Entry, Event, Outcome

Stage = Literal["password", "code", "step-up", "invitation", "unlock", "link"]
FactorChange = Literal[
    "passkey added",
    "passkey removed",
    "totp added",
    "totp removed",
    "recovery codes made",
    "recovery code used",
]


def signed_in(stage: Stage) -> None:
    """A stage of signing in was passed; `object_repr` names it, `factor` what was proved."""
    Entry.objects.create(event=Event.SIGN_IN, object_repr=stage)


def sign_in_failed(stage: Stage, reason: str) -> None:
    """An attempt failed: `reason` is for the log, the person reads one sentence for all."""
    Entry.objects.create(
        event=Event.SIGN_IN_FAILED, outcome=Outcome.REFUSED, reason=reason, object_repr=stage
    )


def locked_out() -> None:
    """A lock after failures began; what meets it while it holds writes nothing more."""
    Entry.objects.create(
        event=Event.SIGN_IN_FAILED, outcome=Outcome.REFUSED, reason="locked_out", object_repr="password"
    )


def session_ended(number: int) -> None:
    """A member ended another session of their own; `object_pk` names it."""
    Entry.objects.create(event=Event.SIGN_OUT, reason="ended_by_member", object_pk=str(number))


def signed_out(reason: str = "") -> None:
    """A session ended: by its member, or for a reason of ours."""
    Entry.objects.create(event=Event.SIGN_OUT, reason=reason)


def factor_changed(what: FactorChange) -> None:
    """A member's second factors changed, by their own hand."""
    Entry.objects.create(event=Event.CHANGE, object_repr=what)
