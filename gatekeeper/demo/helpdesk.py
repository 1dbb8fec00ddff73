"""The sample helpdesk: what it would say of a ticket, sent as it would send it."""

from __future__ import annotations

import importlib
import json
import secrets
from datetime import UTC, datetime
from http.client import HTTPConnection
from typing import Any

from standardwebhooks.webhooks import Webhook

from gatekeeper.demo.saying import fail


def send_ticket(port: int, secret: str, number: str, state: str) -> str:
    """Send a ticket's new state to the application on this port, signed with the webhook's secret.

    Returns the application's answer, JSON. Ends the process with a sentence where there is no such ticket,
    or the application refuses.
    """
    body = json.dumps(ticket_message(number, state))
    moment, message_id = datetime.now(UTC), f"msg_{secrets.token_hex(12)}"
    headers = {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, moment, body),
    }
    connection = HTTPConnection("localhost", port, timeout=30)
    connection.request("POST", "/api/tickets", body, headers)
    answer = connection.getresponse()
    said = answer.read().decode()
    if answer.status >= 300:
        fail(f"The application refused: {answer.status} {said}")
    return said


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
