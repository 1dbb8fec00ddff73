"""The rules that the log alone can answer, in words.

`audit.detect_<name>` finds their entries (audit/detections/sql/detections.sql).

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
    """`name` is the token's (odd:name), at most 24 letters; `finding` and `reason` may name thresholds.

    The thresholds are those of the settings, which `apply_settings` writes to where the database reads them.
    """

    name: str
    finding: Promise
    reason: Promise
    thresholds: dict[str, int] = field(default_factory=dict)

    def title(self) -> str:
        """What it found, in the reader's language."""
        return str(self.finding) % self.thresholds

    def rationale(self) -> str:
        """Why it matters: one sentence in the reader's language."""
        return str(self.reason) % self.thresholds


RULES: Final[tuple[Rule, ...]] = (
    Rule(
        "volume",
        _("Far more views in a day than this member has on 99 of 100 days"),
        _("Somebody who gathers data views far more than their work has ever needed."),
        {"days": 90, "history": 10, "least": 30, "percent": 150},
    ),
    Rule(
        "harvest",
        _("At least %(least)d accounts in %(days)d days, far beyond this member’s own and everybody’s usual"),
        _("Slow gathering does not show in a single day; over weeks it is far more than the work needs."),
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
        _("Somebody who is on leave or ill has no ticket to answer."),
        {"days": 5},
    ),
    Rule(
        "refusals",
        _("%(count)d refusals within %(minutes)d minutes"),
        _(
            "Repeated refusals mean that the limits are being tested, by the member or by"
            " somebody with their session."
        ),
        {"count": 5, "minutes": 10},
    ),
    Rule(
        "guesses",
        _("%(count)d failed attempts to sign in from one network within %(minutes)d minutes"),
        _("Passwords are being guessed there. It says nothing about the members who are named."),
        {"count": 10, "minutes": 60},
    ),
    Rule(
        "probing",
        _("Refused at %(count)d accounts within %(days)d days"),
        _("Somebody who tries one account after another is looking for one that opens."),
        {"count": 8, "days": 7},
    ),
    Rule(
        "misses",
        _("%(count)d searches for a participant that found none within %(days)d days"),
        _("Exact e-mail addresses tried one by one show who is on the list."),
        {"count": 6, "days": 7},
    ),
    Rule(
        "same_pair",
        _("%(count)d approvals of the same pair within %(days)d days, %(times)d times as others have"),
        _("Where one person always requests and the same person always approves, two people act as one."),
        {"count": 15, "days": 7, "times": 4},
    ),
    Rule(
        "instant",
        _("%(count)d approvals of the same pair within %(days)d days, each within %(seconds)d seconds"),
        _("An approval that comes before the request can have been read is not a decision."),
        {"count": 5, "seconds": 10, "days": 7},
    ),
    Rule(
        "second_opinion",
        _("Approved by another within %(hours)d hours of a rejection"),
        _("After a rejection somebody else approved, who may not have known of it."),
        {"hours": 24},
    ),
    Rule(
        "new_network",
        _("From a network that this member has not used in %(days)d days"),
        _("A stolen password or session is used from elsewhere; so is one from a place that was not agreed."),
        {"days": 90, "history": 28},
    ),
    Rule(
        "everything",
        _("%(categories)d or more categories of an account at once"),
        _("One ticket seldom needs everything; all categories at once look like a copy of the customer."),
        {"categories": 5},
    ),
    Rule(
        "participants",
        _("More than %(count)d participants under one approval"),
        _(
            "Participants have no contact with support: a list of them is data of people who"
            " never asked for help."
        ),
        {"count": 100},
    ),
    Rule(
        "export",
        _("Exported as a file"),
        _("Once data has left as a file, nobody controls it any more."),
    ),
    Rule(
        "suspensions",
        _("%(count)d suspensions by one person within %(minutes)d minutes"),
        _("Somebody who suspends many people at once may be locking out those who could stop it."),
        {"count": 3, "minutes": 60},
    ),
    Rule(
        "unproved",
        _("By a session of which no sign-in with a second factor is recorded"),
        _("Every session is recorded when it is created and verified: one without a record was forged."),
    ),
)
