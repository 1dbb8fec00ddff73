"""What the sample helpdesk would say of a ticket."""

from __future__ import annotations

import importlib
import json
from datetime import UTC, datetime
from typing import Any

from gatekeeper.demo.saying import fail


def ticket_message(number: str, state: str) -> dict[str, Any]:
    """Return what the helpdesk would say of a ticket: its facts as they stand, in a new state."""
    models = importlib.import_module("gatekeeper.models")
    ticket = models.Ticket.objects.select_related("assignee").filter(number=number).first()
    if ticket is None:
        fail(f"There is no ticket {number}.")
    return {"number": number, "state": state, **_facts_of(ticket)}


def what_became(number: str, state: str, answer: str) -> str:
    """Say what the application's answer makes of it: a word that it does not know closes the ticket."""
    remarks = json.loads(answer).get("remarks")
    return f"{number}: {'; '.join(remarks)}." if remarks else f"{number} is {state} now."


def _facts_of(ticket: Any) -> dict[str, Any]:
    # The helpdesk's clock orders the messages: this one is newer than the newest known.
    updated_at = max(datetime.now(UTC), ticket.updated_at)
    return {
        "kind": ticket.kind,
        "accounts": list(ticket.accounts),
        "assignee": ticket.assignee.number if ticket.assignee else None,
        "opened_by": ticket.opened_by or None,
        "opened_at": ticket.opened_at.isoformat() if ticket.opened_at else None,
        "updated_at": updated_at.isoformat(),
    }
