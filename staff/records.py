"""Entries that the pages' own role writes: signing in, failing to, signing out.

Who and whence come from the request (audit.middleware). An address that nobody has is never
stored: it may be a password typed into the wrong field.
"""

from __future__ import annotations

from typing import Literal

from audit.models import Entry, Event, Outcome

Stage = Literal["password", "code", "step-up", "invitation"]


def signed_in(stage: Stage) -> None:
    """A stage of signing in was passed; `object_repr` names it, `factor` what was proved."""
    Entry.objects.create(event=Event.SIGN_IN, object_repr=stage)


def sign_in_failed(stage: Stage, reason: str) -> None:
    """An attempt failed: `reason` is for the log, the person reads one sentence for all."""
    Entry.objects.create(
        event=Event.SIGN_IN_FAILED, outcome=Outcome.REFUSED, reason=reason, object_repr=stage
    )


def signed_out(reason: str = "") -> None:
    """A session ended: by its member, or for a reason of ours."""
    Entry.objects.create(event=Event.SIGN_OUT, reason=reason)


def factor_enrolled() -> None:
    """A member took a second factor into use."""
    Entry.objects.create(event=Event.CHANGE, object_repr="second factor enrolled")
