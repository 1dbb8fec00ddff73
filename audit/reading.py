"""Reading the log: what was asked for, in structured terms alone, and the pages of the answer."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

from audit.functions import call
from audit.models import Entry, Event, Outcome

if TYPE_CHECKING:
    from django.db.models import QuerySet

PAGE = 50

#: The forms of what a reviewer may ask for. What has none of them never reaches a URL or the log.
FORMS: dict[str, re.Pattern[str]] = {
    "member": re.compile(r"^K-[0-9]{4,6}$"),
    "account": re.compile(r"^MOC-[0-9]{5,9}$"),
    "ticket": re.compile(r"^ZD-[0-9]{1,12}$"),
    "event": re.compile(rf"^({'|'.join(Event.values)})$"),
    "reason": re.compile(r"^[a-z_]{3,24}$"),
    "outcome": re.compile(rf"^({'|'.join(Outcome.values)})$"),
}


@dataclass(frozen=True)
class Query:
    """What a reviewer asks the log for. Times are aware; `until` is the end, excluded."""

    member: str = ""
    account: str = ""
    ticket: str = ""
    event: str = ""
    reason: str = ""
    outcome: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def tokens(self) -> dict[str, str]:
        """What is asked for, as the log keeps it."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: str(value) for name, value in values.items() if value}

    def entries(self) -> QuerySet[Entry]:
        """The entries that match, newest first."""
        found: QuerySet[Entry] = Entry.objects.order_by("-id")
        exact = {name: getattr(self, name) for name in FORMS if getattr(self, name)}
        found = found.filter(**exact)
        if self.since:
            found = found.filter(timestamp__gte=self.since)
        if self.until:
            found = found.filter(timestamp__lt=self.until)
        return found


@dataclass(frozen=True)
class Page:
    """Entries newest first; `older` is the key from which the next page goes on, None at the end."""

    entries: list[Entry]
    older: int | None


def page(query: Query, *, before: int | None) -> Page:
    """One page below the entry `before` (keyset: the newest entries do not shift it)."""
    found = query.entries()
    if before is not None:
        found = found.filter(pk__lt=before)
    rows = list(found.defer("serialized_data", "changes_text", "xid")[: PAGE + 1])
    more = len(rows) > PAGE
    return Page(rows[:PAGE], rows[PAGE - 1].pk if more else None)


def record(digest: bytes | None, context: dict[str, Any], query: Query, *, before: int | None) -> str:
    """Write that the log is read, before it is (PCI DSS 10.2.1.3). Returns why it may not be; '' if it may.

    `digest` is the reader's session: the database derives who reads, and judges whether they may.
    """
    asked: dict[str, Any] = {"query": query.tokens(), "before": before}
    reason: str = call(
        "SELECT vault.record_reading(%s::bytea, %s::jsonb, 'review', 'search', %s::jsonb)",
        [digest, context, asked],
    )[0]
    return reason
