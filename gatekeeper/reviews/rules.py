"""The rules that need more than the log: hours, first and last days, grants, and who opened a ticket."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _

from audit.detections.known import Rule

RULES: Final[tuple[Rule, ...]] = (
    Rule(
        "hours",
        _("Outside the working hours of the member’s team"),
        _("Nobody else is there to see it; tickets are answered in working hours."),
        {"begins": 7, "ends": 19, "days": 5},
    ),
    Rule(
        "first_days",
        _("%(count)d accesses within the first %(days)d days"),
        _("A new member learns the work with few accounts; it does not take many."),
        {"count": 15, "days": 10},
    ),
    Rule(
        "leaving",
        _("%(count)d accesses within the last %(days)d days before leaving"),
        _("Data that is taken along is viewed before the last day."),
        {"count": 10, "days": 10},
    ),
    Rule(
        "unopened",
        _("%(count)d accesses that were approved and never opened within %(days)d days"),
        _("An access that nobody needed was requested in advance, or approved without a question."),
        {"count": 5, "days": 7},
    ),
    Rule(
        "own_ticket",
        _("Opened within %(minutes)d minutes of a ticket that a member of the staff opened"),
        _("A ticket opens the gate: somebody who creates one has made their own reason."),
        {"minutes": 5},
    ),
)
