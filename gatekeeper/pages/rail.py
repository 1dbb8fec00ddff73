"""The rail: the places of the member's roles, the present one marked."""

from __future__ import annotations

from functools import lru_cache

from django import template
from django.template.loader import get_template
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from heroicons.templatetags.heroicons import heroicon_outline

from gatekeeper.frame.fragments import fill
from gatekeeper.pages.navigation import places as places_of


def drawn(context: template.Context) -> SafeString:
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
