"""What the helpdesk sends, signed after Standard Webhooks.

    POST /api/tickets             a ticket, as a line of the helpdesk's export
    POST /api/tickets/heartbeat   {} : nothing new; or which tickets are open

A signature covers identifier, time and body, and neither method nor address: so the body of each is
good for that one alone. What is authentic and cannot be used blocks the tickets that it names, at either
address; where nobody can tell what it is about, the feed is in doubt.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Final

from django.conf import settings
from django.views.decorators.http import require_http_methods
from pydantic import Field

from audit import references
from gatekeeper.feeds import connection, doubts, tickets
from gatekeeper.feeds.json_text import load
from gatekeeper.feeds.jsonlines import parse
from gatekeeper.feeds.mentions import Mentions
from gatekeeper.feeds.records import Record, RefusedError
from gatekeeper.feeds.ticket_lines import TicketLine, sender_time
from gatekeeper.feeds.webhooks import AnswerError, Message, answers, read, taken_before
from gatekeeper.models import Feed

if TYPE_CHECKING:
    from django.http import HttpRequest

SOURCE: Final = "helpdesk"
#: So many numbers an answer names; the heartbeat may ask for those after the last.
PAGE: Final = 1000
#: What became of a ticket, where that is no success.
CONFLICTS: Final = {
    "tied": (
        HTTPStatus.CONFLICT,
        "updated_at: another state of that moment is here; send it with a later time",
    ),
}


class Heartbeat(Record):
    """What the helpdesk may say of its open tickets, as it sees them at the time of sending."""

    open: Annotated[int, Field(ge=0, lt=10**9)] | None = None
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    tickets: Annotated[list[Annotated[str, Field(max_length=400)]], Field(max_length=10_000)] | None = None
    after: Annotated[str, Field(max_length=24)] = ""

    @property
    def key(self) -> str:
        return SOURCE


@require_http_methods(["POST"])
@answers
def ticket(request: HttpRequest) -> dict[str, object]:
    """Apply one ticket. An authentic message that cannot be used blocks the ticket it names: 422.

    Raises AnswerError, which is that answer.
    """
    mentions = Mentions(tickets.KEY, references.TICKET)
    message = read(request, settings.TICKETS_SECRET, mentions.take)
    with connection.atomic():
        try:
            if taken_before(message, SOURCE):
                return {"outcome": "replayed"}
            return _apply(message)
        except RefusedError as refused:
            reason = str(refused)
            _block(message, mentions)
    # After the commit: blocking the ticket is an effect that stays.
    raise AnswerError(HTTPStatus.UNPROCESSABLE_ENTITY, reason)


def _apply(message: Message) -> dict[str, object]:
    """Raises RefusedError where the message cannot be used, AnswerError where it is to be repeated."""
    line = parse(_whole(message), TicketLine)
    outcome = tickets.apply([line], SOURCE)[line.number]
    if outcome == "future":
        raise RefusedError("updated_at: in the future")
    if outcome in CONFLICTS:
        raise AnswerError(*CONFLICTS[outcome])
    tickets.record_contact(SOURCE)
    return {"outcome": outcome} | ({"remarks": line.remarks} if line.remarks else {})


@require_http_methods(["POST"])
@answers
def heartbeat(request: HttpRequest) -> dict[str, object]:
    """The helpdesk lives, and may say which tickets are open: 409 names where that differs from ours."""
    mentions = Mentions(tickets.KEY, references.TICKET)
    message = read(request, settings.TICKETS_SECRET, mentions.take)
    with connection.atomic():
        try:
            if taken_before(message, SOURCE):
                return {"outcome": "replayed"}
            answer = _compare(message)
        except RefusedError as refused:
            answer = AnswerError(HTTPStatus.UNPROCESSABLE_ENTITY, str(refused))
            _block(message, mentions)
    if answer:  # after the commit: what was found stays
        raise answer
    return {"outcome": "heard"}


def _compare(message: Message) -> AnswerError | None:
    """What the heartbeat has to be told, if anything. Raises RefusedError where it cannot be used."""
    beat = parse(_whole(message) if message.body.strip() else b"{}", Heartbeat)
    tickets.record_contact(SOURCE)
    if tickets.agree(beat.open, beat.digest, message.sent_at, SOURCE):
        return None
    differs = _difference(beat, tickets.open_lines())
    return AnswerError(HTTPStatus.CONFLICT, "digest: other tickets are open here", **differs)


def _difference(beat: Heartbeat, held: dict[str, str]) -> dict[str, object]:
    """The numbers that are open here and that the helpdesk does not vouch for: as far as it said which
    it holds, those that differ; else all. `lacking`: those that it holds and that are not open here."""
    vouched_for = set(beat.tickets or ())
    wrong = [number for number, line in held.items() if line not in vouched_for and number > beat.after]
    lacking = sorted({line.partition("\t")[0] for line in vouched_for} - held.keys())
    lacking = [number for number in lacking if tickets.is_number(number)]
    return {
        "open": len(held),
        "not_vouched_for": wrong[:PAGE],
        "lacking": lacking[:PAGE],
        "more": len(wrong) > PAGE or len(lacking) > PAGE,
    }


def _whole(message: Message) -> bytes:
    if not message.is_whole:
        raise RefusedError("body: too long")
    return message.body


def _block(message: Message, mentions: Mentions) -> None:
    """Block what an unusable message names. Where that cannot be told, or not all of it, the feed is in
    doubt: any ticket may have been meant."""
    tickets.block_all(mentions.found, sender_time(message.body) or message.sent_at, SOURCE)
    if not mentions.found or mentions.too_many or _is_about_another(message.body):
        doubts.doubt(doubts.HELPDESK, Feed.Doubt.UNREADABLE, SOURCE)


def _is_about_another(body: bytes) -> bool:
    """Whether it can be read that its own number is none: then what it names elsewhere is not its ticket."""
    try:
        values = load(body)
    except RefusedError:
        return False
    return isinstance(values, dict) and "number" in values and not tickets.is_number(values["number"])
