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
        """
        SELECT e.id FROM fresh e JOIN public.gatekeeper_ticket t ON t.number = e.ticket
        WHERE e.event = 'start' AND e.outcome = 'allowed' AND t.opened_by LIKE 'K-%%'
            AND e.timestamp < t.opened_at + make_interval(mins => %(minutes)s::int)
        """,
        {"minutes": 5},
    ),
)
