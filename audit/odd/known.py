"""The rules that the log alone can answer, in words; `vault.odd_<name>` finds entries (audit/sql/odd.sql).

A new rule is a function there, a line in `vault.flag`, which calls it with its thresholds, its words here,
and its test.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import Promise


@dataclass(frozen=True)
class Rule:
    """`name` is the token's (odd:name), at most 24 letters; `words` and `matters` may name thresholds.

    The thresholds are those of the settings, which `apply_settings` writes to where the database reads them.
    """

    name: str
    words: Promise
    matters: Promise
    thresholds: dict[str, int] = field(default_factory=dict)

    def said(self) -> str:
        """What it found, in words."""
        return str(self.words) % self.thresholds

    def why(self) -> str:
        """Why it matters, in a sentence."""
        return str(self.matters) % self.thresholds


RULES: Final[tuple[Rule, ...]] = (
    Rule(
        "new_pair",
        _("First look of this member at this account in %(days)d days"),
        _("Who never worked with a customer has the least reason to look; most curiosity begins so."),
        {"days": 30},
    ),
    Rule(
        "hours",
        _("Outside working hours (%(begins)d to %(ends)d o’clock)"),
        _("Who looks when nobody else is there is seen by nobody; tickets are answered in working hours."),
        {"begins": 7, "ends": 19, "days": 5},
    ),
    Rule(
        "volume",
        _("More views in a day than this member has on 99 of 100 days"),
        _("Who gathers data looks far more often than the same person’s work ever asked for."),
        {"days": 90, "history": 10, "least": 10},
    ),
    Rule(
        "refusals",
        _("%(count)d refusals within %(minutes)d minutes"),
        _("A door tried again and again is being tested, by the member or somebody with their session."),
        {"count": 5, "minutes": 10},
    ),
    Rule(
        "guesses",
        _("%(count)d failed attempts to sign in from one network within %(minutes)d minutes"),
        _("Passwords are being guessed there. It says nothing of the members who are named."),
        {"count": 10, "minutes": 60},
    ),
    Rule(
        "same_pair",
        _("%(count)d approvals of the same pair within %(days)d days"),
        _("Where one always asks and the same one always approves, two people have become one."),
        {"count": 20, "days": 7},
    ),
    Rule(
        "new_network",
        _("From a network that this member has not used in %(days)d days"),
        _("A stolen password or session comes from elsewhere; so does work from a place not agreed."),
        {"days": 90},
    ),
    Rule(
        "unopened",
        _("Approved and never opened"),
        _("An access that nobody needed was asked for in advance, or approved without a question."),
    ),
    Rule(
        "everything",
        _("%(categories)d or more categories of an account at once"),
        _("One question seldom needs everything; all at once is what a copy of a customer looks like."),
        {"categories": 5},
    ),
    Rule(
        "participants",
        _("More than %(count)d participants under one approval"),
        _("Participants never dealt with support themselves: a list of them is the data of strangers."),
        {"count": 100},
    ),
    Rule(
        "export",
        _("Taken out as a file"),
        _("What has left as a file is under nobody’s control any more."),
    ),
    Rule(
        "suspensions",
        _("%(count)d suspensions by one person within %(minutes)d minutes"),
        _("Who suspends many at once may be shutting out those who could stop it."),
        {"count": 3, "minutes": 60},
    ),
    Rule(
        "unproved",
        _("By a session of which no sign-in with a second factor is recorded"),
        _("Every session is recorded when it is made and proved: one that is not was made up."),
    ),
)
