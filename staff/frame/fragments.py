"""Fragments that a page repeats: rendered once for each language, and filled by hand."""

from __future__ import annotations

import html
from collections.abc import Sequence
from functools import lru_cache
from string import Formatter
from typing import Final

from django.template.loader import get_template
from django.utils.safestring import SafeString
from django.utils.translation import get_language

_NOTHING: Final = object()


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
    text = get_template(name).render({"variant": variant}).strip()
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
