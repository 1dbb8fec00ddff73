"""A ticket's line, as the helpdesk tells it: what names, orders or closes is strict."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, TypeAdapter
from pydantic_core import PydanticCustomError

from audit import references
from gatekeeper.feeds import ticket_words
from gatekeeper.feeds.json_text import load
from gatekeeper.feeds.line_fields import (
    Handle,
    Reference,
    Time,
    moment,
    past,
)
from gatekeeper.feeds.records import Record, RefusedError

_TICKET: Final = Field(max_length=15, pattern=f"^{references.TICKET}$")
_HANDLE: Final[TypeAdapter[str]] = TypeAdapter(Handle)
_MOMENT: Final[TypeAdapter[datetime]] = TypeAdapter(Time)


class TicketLine(Record):
    """A ticket as the helpdesk tells it: never its subject or text. Open: `open` and `pending`.

    Whose it is, which accounts it names and when it was so must be certain. A state that is not known is
    closed, an assignee who cannot be read is nobody, and what is merely shown is left out: `remarks`.
    """

    number: Annotated[str, _TICKET, BeforeValidator(ticket_words.reference)]
    kind: Annotated[Literal["support", "privacy"], BeforeValidator(ticket_words.word)]
    accounts: Annotated[
        list[Reference], Field(min_length=1, max_length=50), BeforeValidator(ticket_words.references)
    ]
    state: Annotated[str, Field(max_length=100), BeforeValidator(ticket_words.word)]
    assignee: Any = None
    opened_by: Any = None
    opened_at: Any = None
    updated_at: Time
    closed_at: Any = None

    @property
    def key(self) -> str:
        return self.number

    @property
    def remarks(self) -> list[str]:
        """What the line got in with, and without, that its sender may not have meant."""
        found = [] if ticket_words.state(self.state) else ["state: a word that is not known, so it is closed"]
        if not ticket_words.taken(_HANDLE, self.assignee)[1]:
            found.append("assignee: cannot be used, so it is nobody")
        shown: dict[str, TypeAdapter[Any]]
        shown = {"opened_by": _HANDLE, "opened_at": _MOMENT, "closed_at": _MOMENT}
        for name, adapter in shown.items():
            if not ticket_words.taken(adapter, getattr(self, name))[1]:
                found.append(f"{name}: cannot be used, and is left out")
        return found

    def payload(self) -> dict[str, Any]:
        """What is applied."""
        assignee, _ = ticket_words.taken(_HANDLE, self.assignee)
        opener, _ = ticket_words.taken(_HANDLE, self.opened_by)
        moments = {"opened_at": self.opened_at, "closed_at": self.closed_at, "updated_at": self.updated_at}
        return {
            "number": self.number,
            "kind": self.kind,
            "state": ticket_words.state(self.state) or "closed",
            "accounts": sorted(set(self.accounts)),
            "assignee": ticket_words.assignee(assignee),
            "opened_by": ticket_words.opener(opener),
            "sent_assignee": ticket_words.sent_assignee(assignee),
        } | {name: _written(moment) for name, moment in moments.items()}


def _written(value: object) -> str | None:
    moment: datetime | None = value if isinstance(value, datetime) else ticket_words.taken(_MOMENT, value)[0]
    return _MOMENT.dump_python(moment, mode="json") if moment else None


def sender_time(raw: bytes) -> datetime | None:
    """The helpdesk's own time in an unusable message; None when it cannot be read or trusted."""
    try:
        values = load(raw)
        return past(moment(values.get("updated_at"))) if isinstance(values, dict) else None
    except (RefusedError, PydanticCustomError):
        return None
