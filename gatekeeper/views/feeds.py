"""What the platform sends, signed after Standard Webhooks.

    PUT    /api/accounts/MOC-…      a whole account, as a line of the platform's export
    DELETE /api/accounts/MOC-…      {"reference": "MOC-…"} : erased at once

A signature covers identifier, time and body, and neither method nor address: so the body of each is
good for that one alone, and names what it is about. An identifier is taken once, in the transaction of
its effect. Answers are JSON; a reason repeats nothing of what was sent.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db import transaction
from django.views.decorators.http import require_http_methods

from gatekeeper import storing
from gatekeeper.exports import AccountLine
from gatekeeper.jsonlines import RefusedError, load, parse
from gatekeeper.webhooks import AnswerError, Message, answers, read, taken_before

if TYPE_CHECKING:
    from django.http import HttpRequest

PLATFORM: Final = "platform"
#: What became of an account's line, where that is no success.
CONFLICTS: Final = {
    "erased": (HTTPStatus.GONE, "reference: erased, and barred for ever"),
    "repeated": (HTTPStatus.CONFLICT, "exported_at: other data of the same moment are here"),
}


@require_http_methods(["PUT", "DELETE"])
@answers
def account(request: HttpRequest, reference: str) -> dict[str, object]:
    """Store a whole account, or erase it at once."""
    message = read(request, settings.ACCOUNTS_SECRET)
    act = _store if request.method == "PUT" else _erase
    # The effect is on the vault's own connection and commits first: where taking the identifier then
    # fails, the delivery is sent again, and finds its effect there.
    with transaction.atomic():
        if taken_before(message, PLATFORM):
            return {"outcome": "replayed"}
        return {"outcome": act(message, reference)}


def _store(message: Message, reference: str) -> str:
    line = _account_line(message)
    if line.reference != reference:
        raise AnswerError(HTTPStatus.UNPROCESSABLE_ENTITY, "reference: not the address's")
    with transaction.atomic(using=storing.ALIAS):
        try:
            outcome = storing.store_accounts([line])[reference]
        except storing.StoreBusyError:
            raise AnswerError(HTTPStatus.SERVICE_UNAVAILABLE, "busy: send it again") from None
        if outcome in CONFLICTS:
            raise AnswerError(*CONFLICTS[outcome])
        storing.record_import("account", {outcome: 1}, PLATFORM, account=reference)
    return outcome


def _account_line(message: Message) -> AccountLine:
    """Read the body; where it says no time of its own, the time of sending orders it."""
    body = message.body
    try:
        if not message.is_whole:
            raise RefusedError("body: too long")
        values = load(body)
        if isinstance(values, dict) and "exported_at" not in values:
            body = json.dumps(values | {"exported_at": message.sent_at.isoformat()}).encode()
        return parse(body, AccountLine)
    except RefusedError as refused:
        raise AnswerError(HTTPStatus.UNPROCESSABLE_ENTITY, str(refused)) from None


def _erase(message: Message, reference: str) -> str:
    try:
        named = load(message.body)
    except RefusedError as refused:
        raise AnswerError(HTTPStatus.UNPROCESSABLE_ENTITY, str(refused)) from None
    # Or one erasure that was caught on its way could be made to erase another account.
    if named != {"reference": reference}:
        raise AnswerError(HTTPStatus.UNPROCESSABLE_ENTITY, "reference: the body is not this address's alone")
    return storing.erase_account(reference, PLATFORM)
