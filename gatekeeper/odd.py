"""The rules that need more than the log: who opened the ticket, and when."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _

from audit.odd.known import Rule

RULES: Final[tuple[Rule, ...]] = (
    Rule(
        "own_ticket",
        _("Opened within %(minutes)d minutes of a ticket that a member of the staff opened"),
        _("A ticket is what opens the gate: who writes one themselves has made their own reason."),
        {"minutes": 5},
    ),
)
