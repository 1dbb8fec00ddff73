"""Tags and filters of the frame: times, roles, icons, and fragments that a page repeats."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from django import template
from django.utils.safestring import SafeString
from heroicons.templatetags.heroicons import heroicon_outline

from staff.frame import shown_times
from staff.frame.fragments import fill
from staff.models import Role

register = template.Library()
register.simple_tag(fill)
for _shown in (
    shown_times.moment,
    shown_times.full_moment,
    shown_times.stamp,
    shown_times.clock,
    shown_times.day,
    shown_times.last_day,
    shown_times.countdown,
):
    register.filter(_shown)


@register.simple_tag
@lru_cache(maxsize=64)
def icon(name: str) -> SafeString:
    """A heroicon, drawn once: parsing its SVG costs more than the rest of the navigation."""
    return SafeString(heroicon_outline(name, size=20))


@register.filter
def role_names(roles: Iterable[str] | None) -> str:
    """A member's roles as one list in words."""
    names = dict(Role.choices)
    return ", ".join(str(names.get(role, role)) for role in roles or ())
