"""What the platform and the helpdesk send, signed after Standard Webhooks.

    POST   /api/tickets             a ticket, as a line of the helpdesk's export
    POST   /api/tickets/heartbeat   {} : nothing new, and still there
    PUT    /api/accounts/MOC-…      a whole account, as a line of the platform's export
    DELETE /api/accounts/MOC-…      {"reference": "MOC-…"} : erased at once

A signature covers identifier, time and body, and neither method nor address: so the body of each
of the four is good for that one alone, and names what it is about. An identifier is taken once, in
the transaction of its effect. Answers are JSON; a reason repeats nothing of what was sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from http import HTTPStatus
from typing import Final

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import IntegrityError, transaction
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from gatekeeper import storing, tickets
from gatekeeper.exports import AccountLine, TicketLine
from gatekeeper.jsonlines import LONGEST_LINE, RefusedError, load, parse, read
from gatekeeper.models import Delivery

HELPDESK: Final = "helpdesk"
PLATFORM: Final = "platform"
# Without a dot, which separates the parts of what is signed.
WEBHOOK_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")
TIMESTAMP: Final = re.compile(r"[0-9]{1,12}")
#: What became of an account's line, where that is no success.
CONFLICTS: Final = {
    "erased": (HTTPStatus.GONE, "reference: erased, and barred for ever"),
    "repeated": (HTTPStatus.CONFLICT, "exported_at: other data of the same moment are here"),
}

View = Callable[..., HttpResponseBase]
Answer = dict[str, object]


@dataclass(frozen=True)
class Message:
    """An authentic delivery."""

    webhook_id: str
    sent_at: datetime
    body: bytes


class AnswerError(Exception):
    """A delivery is not taken: status and reason."""

    def __init__(self, status: HTTPStatus, reason: str, **more: object) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.more = more


def _delivery(view: Callable[..., str | Answer]) -> View:
    """Make an address of a function that returns an outcome or a whole answer, or raises AnswerError. It
    comes with a signature instead of a session, so that sign-in and the CSRF token do not apply."""

    @wraps(view)
    def answer(request: HttpRequest, *args: str, **kwargs: str) -> JsonResponse:
        try:
            outcome = view(request, *args, **kwargs)
        except AnswerError as error:
            return JsonResponse({"reason": error.reason} | error.more, status=error.status)
        return JsonResponse({"outcome": outcome} if isinstance(outcome, str) else outcome)

    return csrf_exempt(login_not_required(answer))


@require_http_methods(["POST"])
@_delivery
def ticket(request: HttpRequest) -> str:
    """Apply one ticket. An authentic message that cannot be used shuts the ticket it names: 422."""
    message = _authentic(request, settings.TICKETS_SECRET)
    with transaction.atomic():
        if _taken_before(message, HELPDESK):
            return "replayed"
        reason = _apply_ticket(message)
        if not isinstance(reason, RefusedError):
            tickets.heard()
            return reason
    # After the commit: shutting the ticket is an effect that stays.
    raise AnswerError(HTTPStatus.UNPROCESSABLE_ENTITY, str(reason))


def _apply_ticket(message: Message) -> str | RefusedError:
    try:
        line = parse(message.body, TicketLine)
    except RefusedError as refused:
        tickets.shut_named(message.body, message.sent_at, HELPDESK)
        return refused
    outcome = tickets.apply([line], HELPDESK)[line.number]
    return RefusedError("updated_at: in the future") if outcome == "ahead" else outcome


@require_http_methods(["POST"])
@_delivery
def heartbeat(request: HttpRequest) -> str:
    """The helpdesk has nothing new. The body is {} or empty: no ticket's message passes for one."""
    message = _authentic(request, settings.TICKETS_SECRET)
    if message.body.strip() not in (b"", b"{}"):
        raise AnswerError(HTTPStatus.UNPROCESSABLE_ENTITY, "body: not an empty object")
    with transaction.atomic():
        if _taken_before(message, HELPDESK):
            return "replayed"
        tickets.heard()
    return "heard"


@require_http_methods(["PUT", "DELETE"])
@_delivery
def account(request: HttpRequest, reference: str) -> str | Answer:
    """Store a whole account, or erase it at once."""
    message = _authentic(request, settings.ACCOUNTS_SECRET)
    act = _store if request.method == "PUT" else _erase
    # The effect is on the vault's own connection and commits first: where taking the identifier then
    # fails, the delivery is sent again, and finds its effect there.
    with transaction.atomic():
        if _taken_before(message, PLATFORM):
            return "replayed"
        return act(message, reference)


def _store(message: Message, reference: str) -> Answer:
    """Store the account; the answer names what it got in without. What a message that cannot be taken
    can only have meant to close is closed all the same, and the answer says so. Where it says no time of
    its own, the time of sending orders it."""
    try:
        line, notes = read(message.body, AccountLine, lacking={"exported_at": message.sent_at.isoformat()})
        if line.reference != reference:
            raise RefusedError("reference: not the address's")
    except RefusedError as refused:
        closed = storing.close_refused(message.body, PLATFORM, message.sent_at)
        more = {"closed": closed} if closed else {}
        raise AnswerError(HTTPStatus.UNPROCESSABLE_ENTITY, str(refused), **more) from None
    told: dict[str, list[str]] = {}
    for note in notes:
        told.setdefault(note.act, []).append(note.reason)
    # One transaction, with the entry; where another of the same moment stands, what was closed stays.
    with transaction.atomic(using=storing.ALIAS):
        try:
            outcome = storing.store_accounts([line], PLATFORM)[reference]
        except storing.StoreBusyError:
            raise AnswerError(HTTPStatus.SERVICE_UNAVAILABLE, "busy: send it again") from None
        if outcome not in CONFLICTS:
            counts = {act: len(reasons) for act, reasons in told.items()}
            storing.record_import("account", {outcome: 1} | counts, PLATFORM, account=reference)
    if outcome in CONFLICTS:
        raise AnswerError(*CONFLICTS[outcome])
    return {"outcome": outcome, **told}


def _erase(message: Message, reference: str) -> str:
    try:
        named = load(message.body)
    except RefusedError as refused:
        raise AnswerError(HTTPStatus.UNPROCESSABLE_ENTITY, str(refused)) from None
    # Or one erasure that was caught on its way could be made to erase another account.
    if named != {"reference": reference}:
        raise AnswerError(HTTPStatus.UNPROCESSABLE_ENTITY, "reference: the body is not this address's alone")
    return storing.erase_account(reference, PLATFORM)


def _authentic(request: HttpRequest, secret: str) -> Message:
    """Verify the signature over the body; tolerance of time five minutes. Raises AnswerError."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal() or int(length) > LONGEST_LINE:
        raise AnswerError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body: too long")
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    headers = {name: request.headers.get(name, "") for name in names}
    webhook_id, timestamp = headers["webhook-id"], headers["webhook-timestamp"]
    if not (WEBHOOK_ID.fullmatch(webhook_id) and TIMESTAMP.fullmatch(timestamp)):
        raise AnswerError(HTTPStatus.UNAUTHORIZED, "webhook-id, webhook-timestamp: not of their form")
    body = request.body
    try:
        Webhook(secret).verify(body, headers, json_parse=False)
    except (WebhookVerificationError, ValueError):  # the library splits and decodes unguarded
        raise AnswerError(HTTPStatus.UNAUTHORIZED, "signature: not valid, or not of now") from None
    return Message(webhook_id, datetime.fromtimestamp(int(timestamp), UTC), body)


def _taken_before(message: Message, source: str) -> bool:
    """Take the identifier. A second delivery waits here for the first, and then has no effect."""
    try:
        with transaction.atomic():
            Delivery.objects.create(source=source, webhook_id=message.webhook_id)
    except IntegrityError:
        return True
    return False
