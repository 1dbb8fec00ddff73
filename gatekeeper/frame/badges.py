"""Badges: the state of a request, an access, a member, an agreement, an outcome or a check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import pgettext_lazy

from staff.frame.fragments import fill
from staff.nda.register import Line, State

Tone = Literal["pass", "waiting", "failed", "info", "neutral"]


@dataclass(frozen=True)
class Badge:
    """A mark, a word and a tone; never clickable."""

    mark: str
    word: str
    tone: Tone


_BADGES: Final[dict[str, tuple[str, Promise, Tone]]] = {
    "pending": ("◷", pgettext_lazy("request", "Pending"), "waiting"),
    "approved": ("✓", pgettext_lazy("request", "Approved"), "info"),
    "active": ("●", pgettext_lazy("access", "Active"), "pass"),
    "denied": ("✕", pgettext_lazy("request", "Rejected"), "failed"),
    "withdrawn": ("■", pgettext_lazy("request", "Withdrawn"), "neutral"),
    "lapsed": ("■", pgettext_lazy("request", "Expired"), "neutral"),
    "ended": ("■", pgettext_lazy("access", "Ended"), "neutral"),
    "expired": ("■", pgettext_lazy("access", "Expired"), "neutral"),
    "revoked": ("⊘", pgettext_lazy("access", "Revoked"), "failed"),
    "suspended": ("⊘", pgettext_lazy("member", "Suspended"), "failed"),
    "left": ("■", pgettext_lazy("member", "Left"), "neutral"),
    "not_started": ("◷", pgettext_lazy("member", "Not started"), "waiting"),
    "in_force": ("✓", pgettext_lazy("agreement", "In force"), "pass"),
    "in_grace": ("◷", pgettext_lazy("agreement", "Old version, in force"), "waiting"),
    "nda_missing": ("✕", pgettext_lazy("agreement", "Missing"), "failed"),
    "ending": ("◷", pgettext_lazy("agreement", "Ends soon"), "waiting"),
    "nda_old_version": ("✕", pgettext_lazy("agreement", "Old version"), "failed"),
    "nda_expired": ("✕", pgettext_lazy("agreement", "Expired"), "failed"),
    "nda_withdrawn": ("✕", pgettext_lazy("agreement", "Withdrawn"), "failed"),
    "allowed": ("✓", pgettext_lazy("outcome", "Allowed"), "neutral"),
    "refused": ("✕", pgettext_lazy("outcome", "Refused"), "failed"),
    "withheld": ("⊘", pgettext_lazy("outcome", "Release refused"), "failed"),
    "failed": ("⚠\ufe0e", pgettext_lazy("outcome", "Failed"), "failed"),
    "sealed": ("✓", pgettext_lazy("entry", "Proved"), "pass"),
    "consistent": ("●", pgettext_lazy("entry", "Consistent"), "info"),
    "unsealed": ("◷", pgettext_lazy("entry", "Waits for its seal"), "waiting"),
    "unproved": ("✕", pgettext_lazy("entry", "Not proved"), "failed"),
    "waiting": ("◷", pgettext_lazy("review", "To review"), "waiting"),
    "asked": ("◷", pgettext_lazy("review", "Asked"), "info"),
    "answered": ("●", pgettext_lazy("review", "Answered"), "waiting"),
    "in_order": ("✓", pgettext_lazy("review", "In order"), "neutral"),
    "serious": ("⚠\ufe0e", pgettext_lazy("review", "Serious"), "failed"),
    "ok": ("✓", pgettext_lazy("check", "Works"), "pass"),
    "to_fix": ("✕", pgettext_lazy("check", "To fix"), "failed"),
    "off": ("○", pgettext_lazy("check", "Not configured"), "neutral"),
    "unknown": ("⚠\ufe0e", pgettext_lazy("check", "Could not be checked"), "waiting"),
}


#: A member's agreement while it is in force; of what is not, the reason is the badge.
_AGREEMENTS: Final = {State.VALID: "in_force", State.ENDING: "ending", State.OLD_VERSION: "in_grace"}


def of_agreement(line: Line) -> str:
    """In: a member's state in the register. Out: the badge that says it."""
    return line.reason or _AGREEMENTS[line.state]


def badge(state: str) -> Badge:
    """In: a state of a request, grant, member, agreement, outcome or check. KeyError: unknown."""
    mark, word, tone = _BADGES[state]
    return Badge(mark, str(word), tone)


def drawn(state: str, extra: object = "") -> SafeString:
    """A badge by its state; `extra` follows the word ('Active · 41:12')."""
    one = badge(state)
    return fill("gatekeeper/frame/_badge.html", one, variant="longer" if extra else "", extra=extra)
