"""Values as a page shows them, revealed ones and those of strangers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import pgettext

#: Embeddings, overrides and isolates: they reach to the line's end, or close what the page has opened.
_TURNS: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")


def lines(value: object) -> list[tuple[str, str]]:
    """A revealed value as (label, text) pairs; the label is '' unless the value is an object."""
    if isinstance(value, Mapping):
        return [(str(name), _plain(one)) for name, one in value.items()]
    if isinstance(value, (list, tuple)):
        return [("", _plain(one)) for one in value]
    return [("", _plain(value))]


def isolated(text: object) -> SafeString:
    """Text from outside, which turns neither the line around nor itself: apart from what is beside it,
    and each character that would set a direction as its code."""
    plain = _TURNS.sub(lambda found: f"[U+{ord(found[0]):04X}]", str(text))
    return format_html("<bdi>{}</bdi>", plain)


def _plain(value: object) -> str:
    if value is True:
        return pgettext("value", "yes")
    if value is False:
        return pgettext("value", "no")
    return "" if value is None else str(value)
