"""Template tags of Gatekeeper's pages: times, badges, words of the catalogue, navigation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from functools import cache, lru_cache
from typing import Final

from django import template
from django.conf import settings
from django.template.loader import get_template
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, pgettext, pgettext_lazy
from django.utils.translation import gettext as _
from heroicons.templatetags.heroicons import heroicon_outline

from audit.models import Entry
from gatekeeper import badges, catalogue, entries, presentation, times
from gatekeeper.models import Ticket
from gatekeeper.navigation import NavItem, places
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
    },
}


@register.simple_tag
def fill(fragment: str, **values: object) -> SafeString:
    """A fragment that depends on the language alone, with `values` (escaped) in its {places}.

    For what a page repeats: it is rendered once for each language, and holds nothing of any request.
    """
    return format_html(_fragment(fragment, get_language()), **values)


@cache
def _fragment(name: str, _language: str) -> str:
    return get_template(name).render()


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
def countdown(ends_at: datetime | None) -> str:
    """`<time>` with what is left until then; app.js counts it down."""
    if ends_at is None:
        return ""
    words = times.minutes_and_seconds(times.left_until(ends_at))
    return format_html(
        '<time class="countdown" data-ends="{}" datetime="{}">{}</time>',
        int(ends_at.timestamp()),
        ends_at.isoformat(),
        words,
    )


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
def categories(codes: Iterable[str] | None) -> str:
    """Codes of categories as one list in words."""
    return ", ".join(words(code, "category") for code in codes or ())


@register.filter
def why(code: str) -> str:
    """A reason code as a sentence; an unknown code as itself."""
    if code in presentation.REASONS or code in presentation.ACTS:
        return presentation.sentence(code)
    return code


@register.filter
def facts(entry: Entry) -> list[tuple[str, str]]:
    """All facts of a line of the log that are there, as (label, text) pairs."""
    return entries.facts(entry)


@register.filter
def lines(value: object) -> list[tuple[str, str]]:
    """A revealed value as (label, text) pairs; the label is '' unless the value is an object."""
    if isinstance(value, Mapping):
        return [(str(name), _plain(one)) for name, one in value.items()]
    if isinstance(value, (list, tuple)):
        return [("", _plain(one)) for one in value]
    return [("", _plain(value))]


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


@register.inclusion_tag("gatekeeper/_navigation.html", takes_context=True)
def navigation(context: template.Context) -> dict[str, object]:
    """The rail: the places of the member's roles, the present one marked."""
    request = context.get("request")
    member = getattr(request, "user", None)
    roles = getattr(member, "roles", None) or ()
    path = getattr(request, "path", "")
    waiting = context.get("waiting_count", 0)
    return {
        "items": _places(places(roles), path),
        "waiting_count": waiting,
        "proposals_count": context.get("proposals_count", 0),
    }


def _places(items: Iterable[NavItem], path: str) -> list[dict[str, object]]:
    places = []
    for item in items:
        try:
            href = reverse(item.name)
        except NoReverseMatch:
            continue
        here = path == href or (item.name != "home" and path.startswith(href))
        places.append({"item": item, "href": href, "here": here, "icon": _icon(item.icon)})
    return places


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
