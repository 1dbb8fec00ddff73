"""Template tags of Gatekeeper's pages: times, badges, words of the catalogue, navigation."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from string import Formatter
from typing import Final

from django import template
from django.conf import settings
from django.template.loader import get_template
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, pgettext, pgettext_lazy
from django.utils.translation import gettext as _
from heroicons.templatetags.heroicons import heroicon_outline

from audit.models import Entry
from gatekeeper import catalogue
from gatekeeper.access.requests import Held
from gatekeeper.frame import badges, times
from gatekeeper.gate import words as presentation
from gatekeeper.log import sentences
from gatekeeper.models import Ticket
from gatekeeper.pages.navigation import places as places_of
from staff.models import Role

register = template.Library()

#: A hidden value is as long as any other: the length of a name says something about it.
DOTS: Final = "••••••••••"
_CHOICES: Final[dict[str, dict[str, object]]] = {
    "category": dict(catalogue.CATEGORIES),
    "purpose": dict(catalogue.PURPOSES),
    "reason": dict(catalogue.REASONS),
    "denial": dict(catalogue.DENIALS),
    "role": dict(Role.choices),
    "ticket": dict(Ticket.State.choices),
    # the parts of a participant's record, as the platform names them
    "person": {
        "role": pgettext_lazy("participant", "role"),
        "name": pgettext_lazy("participant", "name"),
        "email": pgettext_lazy("participant", "e-mail"),
        "telephone": pgettext_lazy("participant", "telephone"),
        "skype": "Skype",
        "city": pgettext_lazy("participant", "city"),
        "country": pgettext_lazy("participant", "country"),
        "position": pgettext_lazy("participant", "position"),
    },
}


_NOTHING: Final = object()
#: Embeddings, overrides and isolates: they reach to the line's end, or close what the page has opened.
_TURNS: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")


@register.simple_tag
def fill(fragment: str, *sources: object, variant: object = "", **values: object) -> SafeString:
    """A fragment that depends on the language (and its `variant`) alone, with values in its {places}.

    For what a page repeats: it is rendered once for each language, and holds nothing of any request.
    The values (escaped) are those given by name, or what the sources have under the place's name.
    Raises KeyError for a place without a value.
    """
    pieces = []
    for text, place in _fragment(fragment, get_language(), variant):
        pieces.append(text)
        if place:
            pieces.append(_escaped(values[place] if place in values else _from(sources, place)))
    return SafeString("".join(pieces))


@lru_cache(maxsize=512)
def _fragment(name: str, _language: str, variant: object) -> tuple[tuple[str, str | None], ...]:
    """Its text in pieces, each with the place that follows it."""
    text = get_template(name).render({"variant": variant})
    return tuple((piece, place) for piece, place, _, _ in Formatter().parse(text))


def _from(sources: Sequence[object], place: str) -> object:
    """An item or an attribute of the first source that has one of that name."""
    for source in sources:
        found = source.get(place, _NOTHING) if isinstance(source, dict) else getattr(source, place, _NOTHING)
        if found is not _NOTHING:
            return found
    raise KeyError(place)


def _escaped(value: object) -> str:
    """What Django's own does, without its regard for words that are translated later."""
    text = value if isinstance(value, str) else str(value)
    return text if isinstance(text, SafeString) else html.escape(text)


@register.simple_tag
def dots() -> str:
    return DOTS


@register.filter
def moment(value: datetime | None) -> str:
    """`<time>` with the hour today, and the date as well on another day; '' for None."""
    if value is None:
        return ""
    return _time(value, times.moment(value))


@register.filter
def full_moment(value: datetime | None) -> str:
    """`<time>` with date and hour always; '' for None."""
    if value is None:
        return ""
    return _time(value, f"{times.day(value)} {times.clock(value)}")


@register.filter
def stamp(value: datetime | None) -> str:
    """`<time>` with date, hour and seconds: a line of the log; '' for None."""
    if value is None:
        return ""
    seconds = timezone.localtime(value).strftime(":%S")
    return _time(value, f"{times.day(value)} {times.clock(value)}{seconds}")


@register.filter
def clock(value: datetime | None) -> str:
    """`<time>` with the hour; '' for None."""
    return "" if value is None else _time(value, times.clock(value))


@register.filter
def day(value: date | None) -> str:
    """`<time>` with the date; '' for None."""
    return "" if value is None else _time(value, times.day(value))


@register.filter
def last_day(value: datetime | None) -> str:
    """`<time>` with the last day of what ends then; '' for None."""
    return "" if value is None else _time(value, times.last_day(value))


@register.filter
def countdown(ends_at: datetime | None, grant: int | str = "") -> str:
    """`<time>` with what is left until then; live.js counts it down by the server's clock, and at nothing
    hides what was revealed under that grant."""
    if ends_at is None:
        return ""
    words = times.minutes_and_seconds(times.left_until(ends_at))
    return format_html(
        '<time class="countdown" data-ends="{}" data-now="{}" data-of="{}" datetime="{}">{}</time>',
        int(ends_at.timestamp()),
        int(timezone.now().timestamp()),
        grant,
        ends_at.isoformat(),
        words,
    )


@register.filter
def places(open_grants: Iterable[tuple[Held, str]]) -> Iterable[tuple[str, str]]:
    """Address and account of what is open, each account once."""
    return {held.reference: (url, held.reference) for held, url in open_grants}.values()


@register.simple_tag
def badge(state: str, extra: object = "") -> SafeString:
    """A badge by its state; `extra` follows the word ('Active · 41:12')."""
    one = badges.badge(state)
    tail = format_html(" · {}", extra) if extra else ""
    return format_html(
        '<span class="badge badge-{}"><span aria-hidden="true">{}</span> {}{}</span>',
        one.tone,
        one.mark,
        one.word,
        tail,
    )


@register.filter
def words(code: str, kind: str) -> str:
    """`{{ "contact"|words:"category" }}`: a code of the catalogue in words."""
    return str(_CHOICES[kind].get(code, code))


@register.filter
def listed(codes: Iterable[str] | None, kind: str) -> str:
    """Codes of the catalogue as one list in words."""
    return ", ".join(words(code, kind) for code in codes or ())


@register.filter
def categories(codes: Iterable[str] | None) -> str:
    """Codes of categories as one list in words."""
    return listed(codes, "category")


@register.filter
def consent(until: datetime | None, since: datetime | None) -> SafeString | str:
    """Until when a consent runs, or since when; in words when there is none."""
    if until is not None:
        return format_html(_("until %(date)s").replace("%(date)s", "{}"), last_day(until))
    if since is not None:
        return format_html(_("since %(date)s").replace("%(date)s", "{}"), day(since))
    return pgettext("consent", "none")


@register.filter
def why(code: str) -> str:
    """A reason code as a sentence; an unknown code as itself."""
    if code in presentation.REASONS or code in presentation.ACTS:
        return presentation.sentence(code)
    return code


@register.filter
def facts(entry: Entry) -> list[tuple[str, str]]:
    """All facts of a line of the log that are there, as (label, text) pairs."""
    return sentences.facts(entry)


@register.filter
def lines(value: object) -> list[tuple[str, str]]:
    """A revealed value as (label, text) pairs; the label is '' unless the value is an object."""
    if isinstance(value, Mapping):
        return [(str(name), _plain(one)) for name, one in value.items()]
    if isinstance(value, (list, tuple)):
        return [("", _plain(one)) for one in value]
    return [("", _plain(value))]


@register.filter
def isolated(text: object) -> SafeString:
    """Text of a stranger, which turns neither the line around nor itself: apart from what stands beside it,
    and each character that would set a direction as its code."""
    return format_html("<bdi>{}</bdi>", _TURNS.sub(lambda found: f"[U+{ord(found[0]):04X}]", str(text)))


@register.simple_tag
def ticket(number: str) -> SafeString:
    """A ticket's number, a link into the helpdesk when its address is known."""
    pattern = settings.HELPDESK_TICKET_URL
    if not pattern or not number:
        return format_html('<span class="id">{}</span>', number)
    return format_html(
        '<a class="id" href="{}" target="_blank" rel="noopener noreferrer">{}'
        '<span aria-hidden="true"> ↗</span><span class="unseen"> {}</span></a>',
        pattern.replace("{number}", number),
        number,
        _("(opens the helpdesk in a new tab)"),
    )


@register.simple_tag(takes_context=True)
def navigation(context: template.Context) -> SafeString:
    """The rail: the places of the member's roles, the present one marked."""
    request = context.get("request")
    roles = tuple(getattr(getattr(request, "user", None), "roles", None) or ())
    path = getattr(request, "path", "")
    items = _places(roles, get_language())
    here = [one["name"] for one in items if one["name"] != "home" and path.startswith(one["href"])]
    rail = _rail(roles, "home" if path == "/" else "".join(here), get_language())
    counts = {place: _count(context, rail, place) for place in ("inbox", "proposals")}
    return mark_safe(rail.format(**counts))  # noqa: S308  # of templates alone


def _count(context: template.Context, rail: str, place: str) -> str:
    """How many wait at a place of the rail: asked for only where it is shown."""
    if f"{{{place}}}" not in rail:
        return ""
    waiting = context.get(f"{place}_count", 0)
    waiting = waiting() if callable(waiting) else waiting
    number = fill("gatekeeper/frame/_count.html", variant=place, number=waiting) if waiting else ""
    swapped = ' hx-swap-oob="true"' if context.get("polled") else ""
    return f'<span id="{place}-count"{swapped}>{number}</span>'


@lru_cache(maxsize=512)
def _rail(roles: tuple[str, ...], here: str, language: str) -> str:
    items = _places(roles, language)
    return get_template("gatekeeper/_navigation.html").render({"items": items, "here": here})


@lru_cache(maxsize=512)
def _places(roles: tuple[str, ...], _language: str) -> list[dict[str, str]]:
    return [
        {"name": one.name, "label": one.label, "href": reverse(one.name), "icon": _icon(one.icon)}
        for one in places_of(roles)
    ]


@lru_cache(maxsize=32)
def _icon(name: str) -> str:
    """Drawn once: parsing the SVG costs more than the rest of the rail."""
    return heroicon_outline(name, size=20)


def _time(value: date, shown: str) -> SafeString:
    return format_html('<time datetime="{}">{}</time>', value.isoformat(), shown)


def _plain(value: object) -> str:
    if value is True:
        return pgettext("value", "yes")
    if value is False:
        return pgettext("value", "no")
    return "" if value is None else str(value)
