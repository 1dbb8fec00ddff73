"""Gatekeeper's template library for the twin: the same filters, without Gatekeeper's models."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime

from django import template
from django.utils.html import format_html

from gatekeeper import catalogue, presentation

register = template.Library()

_WORDS: dict[str, dict[str, object]] = {"category": dict(catalogue.CATEGORIES)}


def _time(value: date, shown: str) -> str:
    return format_html('<time datetime="{}">{}</time>', value.isoformat(), shown)


@register.simple_tag
def dots() -> str:
    return "••••••••••"


@register.filter
def day(value: date | None) -> str:
    return "" if value is None else _time(value, presentation.day(value))


@register.filter
def last_day(value: datetime | None) -> str:
    return "" if value is None else _time(value, presentation.last_day(value))


@register.filter
def clock(value: datetime | None) -> str:
    return "" if value is None else _time(value, presentation.clock(value))


@register.filter
def countdown(ends_at: datetime) -> str:
    words = presentation.minutes_and_seconds(presentation.left_until(ends_at))
    return format_html(
        '<time class="countdown" data-ends="{}" datetime="{}">{}</time>',
        int(ends_at.timestamp()),
        ends_at.isoformat(),
        words,
    )


@register.filter
def words(code: str, kind: str) -> str:
    return str(_WORDS.get(kind, {}).get(code, code))


@register.filter
def why(code: str) -> str:
    return presentation.sentence(code)


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
    return "" if value is None else _time(value, presentation.moment(value))


@register.simple_tag
def ticket(number: str) -> str:
    return format_html('<span class="id">{}</span>', number)


@register.simple_tag
def badge(state: str, extra: object = "") -> str:
    one = presentation.badge(state)
    return format_html('<span class="badge badge-{}">{} {}{}</span>', one.tone, one.mark, one.word, extra)


@register.inclusion_tag("gatekeeper/_navigation.html")
def navigation() -> dict[str, object]:
    return {"items": [], "waiting_count": 0}
