"""The grammar of the log's one search line: known tokens, each with or without a minus, and times.

`account:MOC-48213 event:view -reason:ticket_closed since:7d`. What is no known token is refused by
`parse`, before it appears in an address or in the log: free text is never searched, and never kept.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from audit import references
from audit.models import Event, Outcome

#: A line with more is nobody's question.
MOST_TERMS: Final = 24
LONGEST_LINE: Final = 1000

_NUMBER: Final = r"[1-9][0-9]{0,17}"
#: Token -> the form of its values. They are numbers of things, and say nothing in words.
FORMS: Final[dict[str, str]] = {
    "account": references.ACCOUNT,
    "member": references.MEMBER,
    "about": references.MEMBER,
    "approver": references.MEMBER,
    "ticket": references.TICKET,
    "grant": _NUMBER,
    "session": _NUMBER,
}
#: Token -> the values that it may have. Others come from whoever knows them (`Words`).
CHOICES: Final[dict[str, frozenset[str]]] = {
    "event": frozenset(Event.values),
    "outcome": frozenset(Outcome.values),
    "mine": frozenset({"yes"}),
}
TIMES: Final = ("since", "until")
_AGO: Final = re.compile(r"([1-9][0-9]{0,3})([hdw])")
_UNITS: Final = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
#: The years of all times begin with it.
CENTURY: Final = 20
_DAY: Final = re.compile(rf"{CENTURY}[0-9]{{2}}-[0-9]{{2}}-[0-9]{{2}}")
_MOMENT: Final = re.compile(rf"{_DAY.pattern}T[0-9]{{2}}:[0-9]{{2}}(:[0-9]{{2}})?Z?")

#: Token -> its known values, beside those of this module.
Words = Mapping[str, Container[str]]


class SearchError(ValueError):
    """A word of the line is no known token; the message says which, because the page alone."""


class Term(NamedTuple):
    """One token: `-reason:ticket_closed` is ("reason", "ticket_closed", True)."""

    name: str
    value: str
    minus: bool = False

    def __str__(self) -> str:
        return f"{'-' if self.minus else ''}{self.name}:{self.value}"


@dataclass(frozen=True)
class Query:
    """What is asked for: terms in one order, and times as their tokens have them ('7d' stays '7d')."""

    terms: tuple[Term, ...] = ()
    since: str = ""
    until: str = ""

    def tokens(self) -> list[str]:
        """The question as the log keeps it."""
        times = ((name, getattr(self, name)) for name in TIMES)
        return [*map(str, self.terms), *(f"{name}:{value}" for name, value in times if value)]

    def __str__(self) -> str:
        return " ".join(self.tokens())

    def values(self, name: str, *, minus: bool = False) -> list[str]:
        """The values that the question has for a token."""
        return [one.value for one in self.terms if one.name == name and one.minus == minus]

    def adding(self, *terms: Term) -> Query:
        """The question with these terms; what said the opposite goes."""
        opposite = {one._replace(minus=not one.minus) for one in terms}
        kept = (one for one in self.terms if one not in opposite)
        return replace(self, terms=_ordered([*kept, *terms]))

    def dropping(self, *terms: Term) -> Query:
        """The question without these terms."""
        return replace(self, terms=tuple(one for one in self.terms if one not in terms))

    def between(self, since: str, until: str) -> Query:
        """The question within other times, each a token's value or ''. Raises SearchError."""
        return replace(self, since=_time("since", since), until=_time("until", until))

    def bounds(self) -> tuple[datetime | None, datetime | None]:
        """The times as moments; the second is the end, excluded."""
        return _moment(self.since, end=False), _moment(self.until, end=True)


def parse(line: str, words: Words) -> Query:
    """A typed line, or the `q` of an address. Raises SearchError; the message repeats the unknown word."""
    if len(line) > LONGEST_LINE or len(parts := references.pasted(line).split()) > MOST_TERMS:
        raise SearchError(_("This is too long for a search."))
    terms, times = [], dict.fromkeys(TIMES, "")
    for part in parts:
        name, _colon, value = part.removeprefix("-").partition(":")
        if name.lower() in TIMES and not part.startswith("-"):
            times[name.lower()] = _time(name.lower(), value)
        else:
            terms.append(_term(part, words))
    query = Query(_ordered(terms), **times)
    since, until = query.bounds()
    if since and until and since >= until:
        raise SearchError(_("The search ends before it begins."))
    return query


def _ordered(terms: Iterable[Term]) -> tuple[Term, ...]:
    """One order, each term once: the same question is the same address, and the same entry."""
    return tuple(sorted(set(terms), key=lambda one: (one.minus, one.name, one.value)))


def _term(part: str, words: Words) -> Term:
    minus = part.startswith("-")
    name, colon, value = part.removeprefix("-").partition(":")
    if not colon:
        return _alone(name, minus=minus)
    name = name.lower()
    if name in FORMS:
        value = value.upper()
        good = re.fullmatch(FORMS[name], value, re.ASCII) is not None
    else:
        value = value.lower()
        good = value in CHOICES.get(name, words.get(name, ()))
    if not good or (name == "mine" and minus):
        raise _unknown(part)
    return Term(name, value, minus)


def _alone(part: str, *, minus: bool) -> Term:
    """A number by itself is what it looks like: paste it, Enter. Raises SearchError."""
    found = references.typed(part)
    if found is None:
        raise _unknown(part)
    return Term(*found, minus)


def _unknown(part: str) -> SearchError:
    return SearchError(_("“%(word)s” is not a known token.") % {"word": part})


def _time(name: str, value: str) -> str:
    """A time's one form: '7d' and a day as they are, a moment in UTC. Raises SearchError."""
    value = value.strip()
    given = value.upper() if "T" in value.upper() else value.lower()
    if not given or _AGO.fullmatch(given):
        return given
    try:
        if _DAY.fullmatch(given) and parse_date(given):
            return given
        found = parse_datetime(given) if _MOMENT.fullmatch(given) else None
    except ValueError:
        found = None
    if found is None:
        raise _unknown(f"{name}:{value}")
    return token_of(_widest(found, end=name == "until") if timezone.is_naive(found) else found)


def _widest(local: datetime, *, end: bool) -> datetime:
    """A moment by the clock; where clocks change, of two that it can be the one that leaves nothing out."""
    both = [timezone.make_aware(local.replace(fold=fold)).astimezone(UTC) for fold in (0, 1)]
    return max(both) if end else min(both)


def token_of(moment: datetime) -> str:
    """A moment as the value of `since` or `until`, to the second."""
    form = "%Y-%m-%dT%H:%M:%SZ" if moment.second else "%Y-%m-%dT%H:%MZ"
    return moment.astimezone(UTC).strftime(form)


def _moment(value: str, *, end: bool) -> datetime | None:
    """The moment of a time's one form. A day is the company's, and ends with its midnight."""
    if not value:
        return None
    if ago := _AGO.fullmatch(value):
        return timezone.now() - int(ago[1]) * _UNITS[ago[2]]
    if found := parse_datetime(value) if "T" in value else None:
        return found
    day = datetime.fromisoformat(value) + timedelta(days=1 if end else 0)
    return timezone.make_aware(day, timezone.get_default_timezone())
