"""The eight conditions on the page: their names, their states with marks, and what each says when met."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, Literal

from django.utils.functional import Promise
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from gatekeeper import catalogue
from gatekeeper.gate.words import Words

RowState = Literal[
    "passed",
    "your_turn",
    "others_turn",
    "cannot_start",
    "not_required",
    "final",
    "unreachable",
]

#: U+FE0E asks for the sign as text: some systems would draw a coloured picture.
MARKS: Final[dict[str, str]] = {
    "passed": "✓",
    "your_turn": "✕",
    "others_turn": "◷",
    "cannot_start": "–",
    "not_required": "○",
    "final": "⊘",
    "unreachable": "⚠\ufe0e",
}
#: What the mark says to those who do not see it.
STATE_WORDS: Final[dict[str, Promise]] = {
    "passed": pgettext_lazy("condition", "Met"),
    "your_turn": pgettext_lazy("condition", "Your turn"),
    "others_turn": pgettext_lazy("condition", "Someone else’s turn"),
    "cannot_start": pgettext_lazy("condition", "Cannot start yet"),
    "not_required": pgettext_lazy("condition", "Not required"),
    "final": pgettext_lazy("condition", "Cannot be met"),
    "unreachable": pgettext_lazy("condition", "Could not be checked"),
}
TITLES: Final[dict[str, Promise]] = {
    "member": pgettext_lazy("condition", "Member"),
    "session": pgettext_lazy("condition", "Session"),
    "nda": pgettext_lazy("condition", "NDA"),
    "ticket": pgettext_lazy("condition", "Ticket"),
    "approval": pgettext_lazy("condition", "Approval"),
    "time": pgettext_lazy("condition", "Time"),
    "consent": pgettext_lazy("condition", "Consent"),
    "account": pgettext_lazy("condition", "Account"),
    # beside the rows
    "record_failed": pgettext_lazy("condition", "Log"),
    "check_failed": pgettext_lazy("condition", "Check"),
    "clock_behind": pgettext_lazy("condition", "Clock"),
}

#: What a row says when it holds.
PASSED_WORDS: Final[dict[str, Words]] = {
    "member": Words(_("At work, with the role that this needs.")),
    "session": Words(_("Verified."), _("Second factor verified at %(verified_at)s.")),
    "nda": Words(_("In force."), _("Version %(nda_version)s, valid until %(nda_ends)s.")),
    "ticket": Words(_("Open and yours."), _("%(ticket)s is open and yours.")),
    "approval": Words(_("Approved."), _("Approved by %(approver)s: %(categories)s.")),
    "time": Words(_("Open."), _("Open until %(window_ends_at)s.")),
    "consent": Words(_("The customer consents."), _("The customer consents, %(consent)s.")),
    "account": Words(_("Known, not restricted.")),
}
NOT_REQUIRED_WORDS: Final[dict[str, Words]] = {
    "consent": Words(_("Only participants and notes from support need the customer’s consent."))
}
CANNOT_START_WORDS: Final[dict[str, Words]] = {
    "time": Words(
        _("Starts when you open the account, once it is approved."),
        _("%(minutes)s min, starting when you open the account."),
    )
}

ADJUDGED: Final = frozenset(
    {catalogue.PASSED, catalogue.NOT_REQUIRED, catalogue.CANNOT_START, "cannot_start"}
)


def title(condition: str) -> str:
    """In: a condition, or a code of `OTHER_REASONS`. Out: its name on the page."""
    return _title_of(condition, get_language())


@lru_cache(maxsize=64)
def _title_of(condition: str, _language: str | None) -> str:
    """Each page of a gate repeats the names of its rows."""
    return str(TITLES[condition])


@lru_cache(maxsize=64)
def word_of(state: RowState, _language: str | None) -> str:
    """Return a row's state in words of the language that the page is in; `_language` keeps them apart."""
    return str(STATE_WORDS[state])
