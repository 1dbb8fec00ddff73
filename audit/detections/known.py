"""The rules that the log alone can answer, in words.

`audit.odd_<name>` finds their entries (audit/detections/sql/detections.sql).

A new rule is a function there, a line in `gatekeeper.flag`, which calls it with its thresholds, its words
here, and its test.
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
        "volume",
        _("Far more views in a day than this member has on 99 of 100 days"),
        _("Who gathers data looks far more often than the same person’s work ever asked for."),
        {"days": 90, "history": 10, "least": 30, "percent": 150},
    ),
    Rule(
        "harvest",
        _("At least %(least)d accounts in %(days)d days, far beyond this member’s own and everybody’s usual"),
        _("Slow gathering hides in each single day; over weeks it is far more than the work asked for."),
        {"days": 28, "percent": 200, "least": 40},
    ),
    Rule(
        "same_account",
        _("The same account under %(count)d tickets or more within %(days)d days"),
        _("Interest in one customer that no single ticket explains is interest in the person."),
        {"count": 6, "days": 60},
    ),
    Rule(
        "brief",
        _("The ticket was closed or passed on within %(seconds)d seconds of the first view"),
        _("Nobody can have worked on it: what was looked up was not needed for the ticket."),
        {"seconds": 60},
    ),
    Rule(
        "alone",
        _("On a day with no sign-in for %(days)d days before it and after it"),
        _("Who is on leave or ill has no ticket to answer; it shows when they are back."),
        {"days": 5},
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
        "probing",
        _("Refused at %(count)d accounts within %(days)d days"),
        _("Who tries one account after the other looks for one that opens."),
        {"count": 8, "days": 7},
    ),
    Rule(
        "misses",
        _("%(count)d searches for a participant that found none within %(days)d days"),
        _("Exact e-mails that are tried one by one ask whether somebody is on the list."),
        {"count": 6, "days": 7},
    ),
    Rule(
        "same_pair",
        _("%(count)d approvals of the same pair within %(days)d days, %(times)d times as others have"),
        _("Where one always asks and the same one always approves, two people have become one."),
        {"count": 15, "days": 7, "times": 4},
    ),
    Rule(
        "instant",
        _("%(count)d approvals of the same pair within %(days)d days, each within %(seconds)d seconds"),
        _("An approval that comes before the request can have been read is nobody’s judgement."),
        {"count": 5, "seconds": 10, "days": 7},
    ),
    Rule(
        "second_opinion",
        _("Approved by another within %(hours)d hours of a rejection"),
        _("Who is rejected and asks somebody else has not been told yes, but found one who did not know."),
        {"hours": 24},
    ),
    Rule(
        "new_network",
        _("From a network that this member has not used in %(days)d days"),
        _("A stolen password or session comes from elsewhere; so does work from a place not agreed."),
        {"days": 90, "history": 28},
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
        _("Exported as a file"),
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
