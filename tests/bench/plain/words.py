"""The twin's template library: the same filters as Gatekeeper's, without its models."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime

from django import template
from django.utils import timezone
from django.utils.dateformat import format as dateformat
from django.utils.html import format_html
from django.utils.translation import pgettext

from gatekeeper import catalogue

register = template.Library()

_WORDS: dict[str, dict[str, object]] = {"category": dict(catalogue.CATEGORIES)}


def _time(value: date, pattern: str) -> str:
    local = timezone.localtime(value) if isinstance(value, datetime) else value
    return format_html('<time datetime="{}">{}</time>', value.isoformat(), dateformat(local, pattern))


@register.simple_tag
def dots() -> str:
    return "••••••••••"


@register.filter
def day(value: date | None) -> str:
    return "" if value is None else _time(value, "j M Y")


@register.filter
def last_day(value: datetime | None) -> str:
    return "" if value is None else _time(value, "j M Y")


@register.filter
def clock(value: datetime | None) -> str:
    return "" if value is None else _time(value, "H:i")


@register.filter
def countdown(ends_at: datetime, grant: int) -> str:
    minutes, seconds = divmod(int((ends_at - timezone.now()).total_seconds()), 60)
    return format_html(
        '<time class="countdown" data-ends="{}" data-now="{}" data-of="{}" datetime="{}">{}</time>',
        int(ends_at.timestamp()),
        int(timezone.now().timestamp()),
        grant,
        ends_at.isoformat(),
        f"{minutes}:{seconds:02d}",
    )


@register.filter
def words(code: str, kind: str) -> str:
    return str(_WORDS.get(kind, {}).get(code, code))


@register.filter
def why(code: str) -> str:
    return code


@register.filter
def categories(codes: Iterable[str] | None) -> str:
    return ", ".join(words(code, "category") for code in codes or ())


@register.filter
def lines(value: object) -> list[tuple[str, str]]:
    if isinstance(value, Mapping):
        return [(str(name), str(one)) for name, one in value.items()]
    return [("", str(value))]


@register.filter
def moment(value: datetime | None) -> str:
    return "" if value is None else _time(value, "j M Y H:i")


@register.simple_tag
def ticket(number: str) -> str:
    return format_html('<span class="id">{}</span>', number)


@register.simple_tag
def badge(state: str, extra: object = "") -> str:
    return format_html('<span class="badge">{} {}</span>', state, extra)


@register.filter
def isolated(text: object) -> str:
    return format_html("<bdi>{}</bdi>", text)


@register.inclusion_tag("plain/_navigation.html")
def navigation() -> dict[str, object]:
    return {"items": [{"name": "home", "label": pgettext("page", "Home"), "icon": "home", "here": False}]}
