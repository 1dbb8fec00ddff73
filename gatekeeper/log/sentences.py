"""A line of the log in words: the facts that it has, in the order in which a reviewer asks for them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

from gatekeeper import catalogue
from gatekeeper.gate.conditions import STATE_WORDS
from gatekeeper.gate.sentences import CATEGORY_WORDS, ENDS_WITH_THE_DAY
from gatekeeper.models import Ticket
from staff.frame import times
from staff.models import Role

#: Columns of an entry in the order in which a reviewer asks for them.
_ENTRY_FACTS: Final[tuple[tuple[str, Promise], ...]] = (
    ("id", pgettext_lazy("entry", "Number")),
    ("member", pgettext_lazy("entry", "Member")),
    ("member_name", pgettext_lazy("entry", "Name")),
    ("role", pgettext_lazy("entry", "Role")),
    ("session", pgettext_lazy("entry", "Session")),
    ("factor", pgettext_lazy("entry", "Second factor")),
    ("source", pgettext_lazy("entry", "Source")),
    ("remote_addr", pgettext_lazy("entry", "IP address")),
    ("user_agent", pgettext_lazy("entry", "Browser")),
    ("cid", pgettext_lazy("entry", "Web request")),
    ("account", pgettext_lazy("entry", "Account")),
    ("subject", pgettext_lazy("entry", "About member")),
    ("ticket", pgettext_lazy("entry", "Ticket")),
    ("ticket_kind", pgettext_lazy("entry", "Kind of ticket")),
    ("ticket_state", pgettext_lazy("entry", "State of ticket")),
    ("purpose", pgettext_lazy("entry", "Purpose")),
    ("categories", pgettext_lazy("entry", "Categories")),
    ("fields", pgettext_lazy("entry", "Fields")),
    ("records", pgettext_lazy("entry", "Participants")),
    ("results", pgettext_lazy("entry", "Results")),
    ("request_id", pgettext_lazy("entry", "Access request")),
    ("grant_id", pgettext_lazy("entry", "Grant")),
    ("approver", pgettext_lazy("entry", "Approver")),
    ("in_stead_of", pgettext_lazy("entry", "On behalf of")),
    ("signature", pgettext_lazy("entry", "Signature")),
    ("nda_version", pgettext_lazy("entry", "NDA version")),
    ("nda_ends", pgettext_lazy("entry", "NDA valid until")),
    ("consent", pgettext_lazy("entry", "Consent")),
    ("failed", pgettext_lazy("entry", "All conditions not met")),
    ("answers", pgettext_lazy("entry", "Refused release of entry")),
    ("details", pgettext_lazy("entry", "Details")),
    ("changes", pgettext_lazy("entry", "Changes")),
)


#: A value as the entry has it, and as a page shows it.
Shown = tuple[str, str]


def facts(entry: object) -> list[tuple[str, str]]:
    """In: a line of the log. Out: (label, text) of each fact that it has."""
    return [(label, ", ".join(text for _code, text in values)) for _name, label, values in pieces(entry)]


def pieces(entry: object) -> list[tuple[str, str, list[Shown]]]:
    """In: a line of the log. Out: column, label and values of each fact that it has."""
    known = ((name, label, _fact_of(entry, name)) for name, label in _ENTRY_FACTS)
    return [
        (name, str(label), _values(name, value))
        for name, label, value in known
        if value not in (None, "", [], {})
    ]


def _fact_of(entry: object, name: str) -> object:
    """The column; for whom a deputy decided appears in the details."""
    if name == "in_stead_of":
        return (getattr(entry, "details", None) or {}).get(name)
    return getattr(entry, name, None)


def _values(name: str, value: object) -> list[Shown]:
    values = value if isinstance(value, (list, tuple)) else [value]
    return [(str(one), _fact(name, one)) for one in values]


#: Codes that an entry keeps, and what they are called on the pages.
_FACT_WORDS: Final[dict[str, Mapping[str, object]]] = {
    "role": dict(Role.choices),
    "ticket_kind": dict(Ticket._meta.get_field("kind").flatchoices),
    "ticket_state": dict(Ticket.State.choices),
    "consent": {catalogue.NOT_REQUIRED: STATE_WORDS["not_required"], "passed": STATE_WORDS["passed"]},
    "purpose": dict(catalogue.PURPOSES),
    "categories": CATEGORY_WORDS,
    "fields": catalogue.FIELDS,
}


def _fact(name: str, value: object) -> str:
    words = _FACT_WORDS.get(name, {})
    if isinstance(value, datetime) and name in ENDS_WITH_THE_DAY:
        return times.last_day(value)
    if isinstance(value, datetime):
        return f"{times.day(value)} {times.clock(value)}"
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    return str(words.get(str(value), value))
