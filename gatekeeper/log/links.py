"""Where the log's links lead: the address is the state, and each click is one token more or less."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from audit.explorer.finding import ANY
from audit.explorer.search import Query, Term, token_of
from audit.models import VIEWS
from gatekeeper.log import words

if TYPE_CHECKING:
    from audit.explorer.finding import Bar, Figures

UTC: Final = "utc"
_TALL: Final = 100  # a bar's height, in the units of its picture


@dataclass(frozen=True)
class LogView:
    """What somebody looks at: the question, and the zone of the times ('' is the company's)."""

    query: Query
    zone: str = ""

    def url(self, name: str = "entries", *arguments: object, **keys: int | None) -> str:
        """The address of a page about this question."""
        values = {"q": str(self.query), "zone": self.zone} | {
            one: str(key or "") for one, key in keys.items()
        }
        given = urlencode({one: value for one, value in values.items() if value}, safe=":")
        return reverse(name, args=arguments) + (f"?{given}" if given else "")

    def asking(self, query: Query) -> LogView:
        """Another question, the same zone."""
        return replace(self, query=query)

    def adding(self, name: str, value: str, *, minus: bool = False) -> str:
        """The address of the question with one token more."""
        return self.asking(self.query.adding(Term(name, value, minus))).url()


@dataclass(frozen=True)
class Link:
    """A word that leads somewhere; `on`: it is so already, and the click takes it back."""

    label: str
    url: str
    on: bool = False


@dataclass(frozen=True)
class Value:
    """A value with its count, and what a click does: only these, or all but these."""

    label: str
    code: str
    count: int
    add: str
    exclude: str
    on: bool


def terms(log_view: LogView) -> list[Link]:
    """The question's tokens; a click takes one away."""
    query = log_view.query
    kept = [(str(one), query.dropping(one)) for one in query.terms]
    if query.since:
        kept.append((f"since:{query.since}", query.between("", query.until)))
    if query.until:
        kept.append((f"until:{query.until}", query.between(query.since, "")))
    return [Link(label, log_view.asking(rest).url(), on=True) for label, rest in kept]


def views(log_view: LogView, reader: str) -> list[Link]:
    """What reviewers ask for most, as one click upon the question."""
    offered: tuple[tuple[str, tuple[Term, ...]], ...] = (
        (pgettext("view of the log", "Flagged"), (Term("odd", ANY),)),
        (pgettext("view of the log", "Views"), tuple(Term("event", str(one)) for one in VIEWS)),
        (pgettext("view of the log", "Refusals"), (Term("outcome", "refused"),)),
        (pgettext("view of the log", "Exports"), (Term("event", "export"),)),
        (pgettext("view of the log", "Mine"), (Term("member", reader), Term("mine", "yes"))),
    )
    return [_switch(log_view, label, some) for label, some in offered]


def _switch(log_view: LogView, label: str, some: tuple[Term, ...]) -> Link:
    query = log_view.query
    if set(some) <= set(query.terms):
        return Link(label, log_view.asking(query.dropping(*some)).url(), on=True)
    return Link(label, log_view.asking(query.adding(*some)).url())


def spans(log_view: LogView) -> list[Link]:
    """How far back, as one click upon the question."""
    offered = (
        (_("24 hours"), "24h"), (_("7 days"), "7d"), (_("30 days"), "30d"), (_("1 year"), "365d"),
        (pgettext("span of time", "Any time"), ""),
    )  # fmt: skip
    query = log_view.query
    return [
        Link(
            label,
            log_view.asking(query.between(since, "")).url(),
            on=query.since == since and not query.until,
        )
        for label, since in offered
    ]


def zones(log_view: LogView, company: str) -> list[Link]:
    """In which zone times are shown."""
    return [
        Link(label, replace(log_view, zone=zone).url(), on=log_view.zone == zone)
        for label, zone in ((company, ""), ("UTC", UTC))
    ]


def facets(log_view: LogView, found: Figures) -> list[tuple[str, list[Value]]]:
    """What the matches have in common, each value to add or to exclude."""
    return [
        (str(words.FACETS[name]), [_value(log_view, name, code, count) for code, count in found.facets[name]])
        for name in words.FACETS
        if found.facets.get(name)
    ]


def _value(log_view: LogView, name: str, code: str, count: int) -> Value:
    return Value(
        label=words.label(name, code),
        code=code,
        count=count,
        add=log_view.adding(name, code),
        exclude=log_view.adding(name, code, minus=True),
        on=Term(name, code) in log_view.query.terms,
    )


@dataclass(frozen=True)
class Column:
    """A bar of the histogram as it is drawn: `top` and `height` in a picture of 100."""

    bar: Bar
    url: str
    top: int
    height: int


def columns(log_view: LogView, found: Figures) -> list[Column]:
    """The histogram; a click narrows the time to the bar's."""
    most = max((one.count for one in found.bars), default=1)
    drawn = []
    for bar in found.bars:
        height = max(2, round(bar.count * _TALL / most)) if bar.count else 0
        narrowed = log_view.query.between(token_of(bar.since), token_of(bar.until))
        drawn.append(Column(bar, log_view.asking(narrowed).url(), _TALL - height, height))
    return drawn
