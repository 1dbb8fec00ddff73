"""What a line that is refused can only have meant in the closing direction.

A restriction that the line speaks of, in whatever form, is meant; a consent that it does not plainly tell as
running is not to be relied on; an objection that it speaks of and does not plainly deny is meant. Nothing
opens by this: what is closed stays closed until a line of the same account can be taken.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydantic_core import PydanticCustomError

from audit import references
from gatekeeper.feeds.account_lines import AccountLine
from gatekeeper.feeds.byte_lines import LONGEST_LINE
from gatekeeper.feeds.json_text import load_all
from gatekeeper.feeds.line_fields import CONSENTS, consent_since, consent_until, moment, past
from gatekeeper.feeds.mending import Unclear
from gatekeeper.feeds.mentions import Mentions, mentioned
from gatekeeper.feeds.participant_lines import ParticipantLine
from gatekeeper.feeds.records import RefusedError

#: From when until when a consent runs; no end is None.
Span = tuple[datetime, datetime | None]

_ANY: Final = r'[^"\\]{1,80}'
_RESTRICTS: Final = re.compile(r'"[^"]{0,60}restrict[^"]{0,60}"\s*:\s*(?!null\b|\s)', re.IGNORECASE)
_OBJECTS: Final = re.compile(
    r'"[^"]{0,60}object(?:ed|ion)[^"]{0,60}"\s*:\s*(?!null\b|false\b|\s)', re.IGNORECASE
)


@dataclass(frozen=True)
class Closing:
    """What of an account is to be closed. `at`: the line's own time, None when it cannot be trusted."""

    reference: str
    at: datetime | None
    restrict: bool
    participants: Span | None  # as the line tells it; None is none
    support: Span | None


class Unread:
    """A message longer than what is kept of it, searched as its bytes arrive: what it closes at least."""

    def __init__(self) -> None:
        self._accounts = Mentions("reference", references.ACCOUNT)
        self._restrictions = Mentions("restricted_at", _ANY)

    def take(self, chunk: bytes) -> None:
        """Search the next bytes."""
        self._accounts.take(chunk)
        self._restrictions.take(chunk)

    @property
    def accounts(self) -> list[str]:
        """The accounts that it names."""
        return self._accounts.found

    def closings(self, sent_at: datetime | None) -> list[Closing]:
        """Nothing that it tells of a consent is known, and it may restrict."""
        restrict = bool(self._restrictions.found)
        return [Closing(reference, sent_at, restrict, None, None) for reference in self._accounts.found]


def of_line(line: AccountLine) -> Closing:
    """What a whole line closes, that another of the same moment contradicts."""
    consent = line.consent
    spans = {
        kind: _span(getattr(consent, f"{kind}_since", None), getattr(consent, f"{kind}_until", None))
        for kind in CONSENTS
    }
    return Closing(line.reference, line.exported_at, line.restricted_at is not None, **spans)


def _restricts(values: Mapping[str, object]) -> bool:
    """Whether a field whose name speaks of a restriction holds anything."""
    return any(
        "restrict" in name.lower() and any(one is not None for one in _each_value(value))
        for name, value in values.items()
    )


def of_refused(raw: bytes, sent_at: datetime | None = None) -> list[Closing]:
    """What a refused line of accounts closes, for each account that it names as its own. `sent_at`
    stands in for its own time where that cannot be read."""
    values = _values(raw)
    if values is None:
        restrict = bool(_RESTRICTS.search(_text(raw)) or mentioned(raw, "restricted_at", _ANY))
        named = mentioned(raw, "reference", references.ACCOUNT)
        return [Closing(reference, sent_at, restrict, None, None) for reference in named]
    restrict = _restricts(values)
    renamed = any("consent" in name.lower() and name not in AccountLine.model_fields for name in values)
    consent = values.get("consent")
    plain = consent if isinstance(consent, dict) and not renamed else {}
    spans = {kind: _consent_span(plain, kind) for kind in CONSENTS}
    at = _past(values.get("exported_at")) or sent_at
    return [
        Closing(reference, at, restrict, **spans) for reference in _references(values, references.ACCOUNT)
    ]


def objections(raw: bytes) -> list[ParticipantLine]:
    """The participants who object by a refused line: as lines that say no more than that."""
    values = _values(raw)
    if values is None:
        spoken = bool(_OBJECTS.search(_text(raw)))
    else:
        spoken = any(
            re.search("object(ed|ion)", name, re.IGNORECASE)
            and any(one is not None and one is not False for one in _each_value(value))
            for name, value in values.items()
        )
    return [
        ParticipantLine(account=reference.rpartition("-P")[0], reference=reference, objected=True)
        for reference in participants_of(raw)
        if spoken
    ]


def participants_of(raw: bytes) -> list[str]:
    """The participants that a refused line names as its own."""
    values = _values(raw)
    if values is None:
        return mentioned(raw, "reference", references.PARTICIPANT)
    return _references(values, references.PARTICIPANT)


def _values(raw: bytes) -> dict[str, object] | None:
    try:
        values = load_all(raw)
    except RefusedError:
        return None
    return values if isinstance(values, dict) else {}


def _each_value(value: object) -> tuple[object, ...]:
    """All that is there: one value, or each of a field that occurs twice."""
    return (value.values or (value,)) if isinstance(value, Unclear) else (value,)


def _references(values: Mapping[str, object], form: str) -> list[str]:
    stated = _each_value(values.get("reference"))
    return sorted({one for one in stated if isinstance(one, str) and re.fullmatch(form, one)})


def _consent_span(consent: Mapping[str, object], kind: str) -> Span | None:
    """What the line tells of a consent, where all of it can be read."""
    since, until = consent.get(f"{kind}_since"), consent.get(f"{kind}_until")
    try:
        return _span(consent_since(since), consent_until(until))
    except PydanticCustomError:
        return None


def _span(since: datetime | None, until: datetime | None) -> Span | None:
    return (since, until) if since and (until is None or since < until) else None


def _past(value: object) -> datetime | None:
    try:
        return past(moment(value))
    except PydanticCustomError:
        return None


def _text(raw: bytes) -> str:
    """Text that is no JSON, as far as it can be read: of UTF-16 the letters."""
    return raw[:LONGEST_LINE].decode(errors="replace").replace("\0", "")
