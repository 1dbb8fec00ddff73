"""What the platform sends, signed after Standard Webhooks.

    PUT    /api/accounts/MOC-…      a whole account, as a line of the platform's export
    DELETE /api/accounts/MOC-…      {"reference": "MOC-…"} : erased at once

A signature covers identifier, time and body, and neither method nor address: so the body of each is
good for that one alone, and names what it is about. An identifier is taken once, in the transaction of
its effect; a message that is not taken may be sent again under it. Answers are JSON; a reason repeats
nothing of what was sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.views.decorators.http import require_http_methods

from gatekeeper.feeds import closing, connection, doubts, store
from gatekeeper.feeds.account_lines import AccountLine
from gatekeeper.feeds.closing import Closing
from gatekeeper.feeds.json_text import load
from gatekeeper.feeds.jsonlines import read as read_line
from gatekeeper.feeds.records import RefusedError
from gatekeeper.feeds.webhooks import AnswerError, Message, answers, read, taken_before
from gatekeeper.models import Feed

if TYPE_CHECKING:
    from django.http import HttpRequest

PLATFORM: Final = "platform"
#: The time of sending counts whole ones: what cannot be read closes to the end of its own.
SECOND: Final = timedelta(seconds=1)
#: What became of an account's line, where that is no success.
CONFLICTS: Final = {
    "erased": (HTTPStatus.GONE, "reference: erased, and barred for ever"),
    "repeated": (HTTPStatus.CONFLICT, "exported_at: other data of the same moment are here"),
}

Answer = dict[str, object]


class _NotTakenError(Exception):
    """A message has no effect but what it can only have meant to close."""

    def __init__(self, status: HTTPStatus, reason: str, closings: Sequence[Closing] = ()) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.closings = closings


@require_http_methods(["PUT", "DELETE"])
@answers
def account(request: HttpRequest, reference: str) -> Answer:
    """Store a whole account, or erase it at once.

    Raises AnswerError, which is the answer where it was not taken.
    """
    unread = closing.Unread()
    message = read(request, settings.ACCOUNTS_SECRET, unread.take)
    act = _store if request.method == "PUT" else _erase
    try:
        with connection.atomic():
            if taken_before(message, PLATFORM):
                return {"outcome": "replayed"}
            return act(message, reference, unread)
    except RefusedError as refused:
        not_taken = _refused(message, str(refused), unread, erases=act is _erase)
    except _NotTakenError as error:
        not_taken = error
    # After all that was tried is undone, its identifier too: what is closed now stays.
    closed = store.close_all(not_taken.closings, PLATFORM)
    if not_taken.status == HTTPStatus.UNPROCESSABLE_ENTITY and not unread.accounts:
        doubts.doubt(doubts.PLATFORM, Feed.Doubt.UNREADABLE, PLATFORM)
    raise AnswerError(not_taken.status, not_taken.reason, **({"closed": closed} if closed else {}))


def _refused(message: Message, reason: str, unread: closing.Unread, *, erases: bool) -> _NotTakenError:
    """What a message that cannot be taken closes: what it can only have meant; where it was to erase, and it
    is not certain which account, what it names is restricted."""
    at = message.sent_at + SECOND
    if erases:
        closings = [replace(one, restrict=True) for one in unread.closings(at)]
    else:
        closings = list(closing.of_refused(message.body, at) if message.is_whole else unread.closings(at))
    return _NotTakenError(HTTPStatus.UNPROCESSABLE_ENTITY, reason, closings)


def _store(message: Message, reference: str, unread: closing.Unread) -> Answer:
    """Store the account; the answer names what it got in without. What a message that cannot be taken
    can only have meant to close is closed all the same, and the answer says so. Where it says no time of
    its own, the time of sending orders it."""
    try:
        if not message.is_whole:
            raise RefusedError("body: too long")
        lacking = {"exported_at": message.sent_at.isoformat()}
        line, notes = read_line(message.body, AccountLine, lacking=lacking)
        if line.reference != reference:
            raise RefusedError("reference: not the address's")
    except RefusedError as refused:
        raise _refused(message, str(refused), unread, erases=False) from None
    without: dict[str, list[str]] = {}
    for note in notes:
        without.setdefault(note.act, []).append(note.reason)
    try:
        outcome = store.store_accounts([line], PLATFORM)[reference]
    except store.StoreBusyError:
        raise AnswerError(HTTPStatus.SERVICE_UNAVAILABLE, "busy: send it again") from None
    if outcome in CONFLICTS:
        closings = [closing.of_line(line)] if outcome == "repeated" else []
        raise _NotTakenError(*CONFLICTS[outcome], closings)
    counts = {act: len(reasons) for act, reasons in without.items()}
    if counts or outcome not in ("new", "changed"):  # of these the store has recorded all there is to say
        store.record_import("account", {outcome: 1} | counts, PLATFORM, account=reference)
    return {"outcome": outcome, **without}


def _erase(message: Message, reference: str, unread: closing.Unread) -> Answer:
    """Erase the account. Of a message that cannot be read it is not certain which; what it names is
    restricted, until it is sent again."""
    try:
        named = load(message.body)
    except RefusedError as refused:
        raise _refused(message, str(refused), unread, erases=True) from None
    # Or one erasure that was caught on its way could be made to erase another account.
    if named != {"reference": reference}:
        raise _NotTakenError(
            HTTPStatus.UNPROCESSABLE_ENTITY, "reference: the body is not this address's alone"
        )
    return {"outcome": store.erase_account(reference, PLATFORM)}
