"""The words in which helpdesks write of tickets, taken as they are meant where that is certain.

A number or reference may be in lower case, or have a dash that a text processor made longer. A state is
open or pending only where it is one of these words, or GATEKEEPER_TICKET_STATES says so of the helpdesk's
own word: everything else is closed, and that is said.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from pydantic import TypeAdapter, ValidationError

from audit.references import MEMBER, dashed
from staff.frame import emails

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What a state can become.
STATES: Final = ("open", "pending", "solved", "closed")

_MEMBER: Final = re.compile(MEMBER)
_LOWER: Final = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def reference(value: object) -> object:
    """A reference in its usual form; what is no text stays as it is, for the next to judge."""
    if not isinstance(value, str):
        return value
    return dashed(unicodedata.normalize("NFKC", value)).strip().upper()


def references(value: object) -> object:
    """Several of them; one alone is a list as well."""
    if isinstance(value, str):
        value = [value]
    return [reference(one) for one in value] if isinstance(value, list) else value


def word(value: object) -> object:
    """A word in lower case, with single spaces."""
    if not isinstance(value, str):
        return value
    return " ".join(unicodedata.normalize("NFKC", value).casefold().split())


def state(text: str, own: Mapping[str, str] | None = None) -> str | None:
    """What a state means: one of STATES; None where nobody said what the word means."""
    mapped = settings.TICKET_STATES if own is None else own
    found = mapped.get(str(word(text)))
    return found or (text if text in STATES else None)


def sent_assignee(text: str | None) -> str:
    """The assignee in the helpdesk's own words, as a heartbeat's digest has it: ASCII in lower case."""
    return (text or "").strip(" ").translate(_LOWER)


def assignee(text: str | None) -> str | None:
    """A staff number or e-mail, as members have it; nobody where it could be read as another's."""
    text = (text or "").strip()
    if "@" in text:
        # Normalised, another mailbox could become a member's: then nobody is assigned.
        return emails.normalise(text) if emails.is_plain(text) else None
    return text.upper() if _MEMBER.fullmatch(text.upper()) else (text or None)


def opener(text: str | None) -> str:
    """Who opened it, as far as it is kept: another's name could be a customer's address."""
    found = (text or "").strip()
    if found.casefold() == "customer":
        return "customer"
    return found.upper() if _MEMBER.fullmatch(found.upper()) else ""


def taken(adapter: TypeAdapter[Any], value: object) -> tuple[Any, bool]:
    """What a field says that decides nothing by itself, and whether it could be used."""
    if value is None or value == "":
        return None, True
    try:
        return adapter.validate_python(value, strict=True), True
    except ValidationError:
        return None, False
