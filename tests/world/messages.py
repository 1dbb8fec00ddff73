"""Signed messages of the helpdesk and the platform, and what was answered."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
import time
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.test import Client

if TYPE_CHECKING:
    from django.http import HttpResponse


REFERENCE = "MOC-48213"


TICKETS = "/api/tickets"


HEARTBEAT = "/api/tickets/heartbeat"


ACCOUNT = f"/api/accounts/{REFERENCE}"


ERASURE = {"reference": REFERENCE}


_ids = itertools.count(1)


def secret(address: str) -> str:
    chosen: str = settings.ACCOUNTS_SECRET if "accounts" in address else settings.TICKETS_SECRET
    return chosen


def signed(body: bytes, key: str, *, webhook_id: str, sent_at: int) -> dict[str, str]:
    """Sign as the specification says, without the library that verifies."""
    raw = base64.b64decode(key.removeprefix("whsec_"))
    told = f"{webhook_id}.{sent_at}.".encode() + body
    signature = base64.b64encode(hmac.new(raw, told, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(sent_at),
        "webhook-signature": f"v1,{signature}",
    }


def send(
    method: str,
    address: str,
    body: object,
    *,
    headers: dict[str, str] | None = None,
    key: str | None = None,
    webhook_id: str | None = None,
    age: int = 0,
) -> HttpResponse:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    said = signed(
        raw,
        key or secret(address),
        webhook_id=webhook_id or f"msg_{next(_ids)}",
        sent_at=int(time.time()) - age,
    )
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    answer: HttpResponse = client.generic(  # type: ignore[assignment]  # the test client's own class
        method, address, raw, content_type="application/json", headers=said | (headers or {})
    )
    return answer


def said(answer: HttpResponse) -> tuple[int, str]:
    """Status, and outcome or reason."""
    values: dict[str, str] = json.loads(answer.content)
    (text,) = values.values()
    assert set(values) == ({"outcome"} if answer.status_code == HTTPStatus.OK else {"reason"})
    return answer.status_code, text


def ticket(**changes: Any) -> dict[str, Any]:
    return {
        "number": "ZD-1",
        "kind": "support",
        "accounts": [REFERENCE],
        "state": "open",
        "assignee": None,
        "updated_at": (datetime.now(UTC) - timedelta(hours=1)).isoformat(),
    } | changes


def account(**changes: Any) -> dict[str, Any]:
    return {
        "reference": REFERENCE,
        "plan": "pro",
        "language": "pl",
        "created_at": "2024-01-01T00:00:00Z",
        "contact": {"name": "Zuzanna Canaria", "email": "zuzanna@canaria.example"},
    } | changes
