"""From a code and what is known to one or two sentences."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Final

from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from gatekeeper import catalogue
from gatekeeper.gate.conditions import (
    ADJUDGED,
    CANNOT_START_WORDS,
    NOT_REQUIRED_WORDS,
    PASSED_WORDS,
    STATE_WORDS,
)
from gatekeeper.gate.words import WORDS, Words
from staff.frame import times

Facts = Mapping[str, object]
_PLACEHOLDER: Final = re.compile(r"%\((\w+)\)s")


def sentence(code: str, facts: Facts | None = None, *, condition: str = "") -> str:
    """In: a code, what is known, and the row's condition. Out: one or two sentences.

    A fuller sentence is taken only when each fact it names is known, so that none reads 'None'.
    """
    known = facts or {}
    plain, fuller = _said(code, condition, get_language())
    for full, names in fuller:
        if all(known.get(name) for name in names):
            return full % {name: _as_words(name, known[name]) for name in names}
    return plain


@lru_cache(maxsize=1024)
def _said(code: str, condition: str, _language: str | None) -> tuple[str, list[tuple[str, list[str]]]]:
    """The plain sentence, and the fuller ones, each with the facts that it names."""
    words = _words(code, condition)
    if words is None:
        return "", []
    fuller = [str(one) for one in (*words.fuller, words.full) if one is not None]
    return str(words.plain), [(full, _PLACEHOLDER.findall(full)) for full in fuller]


def _words(code: str, condition: str) -> Words | None:
    if code == catalogue.PASSED:
        return PASSED_WORDS.get(condition)
    if code == catalogue.NOT_REQUIRED:
        return NOT_REQUIRED_WORDS.get(condition, Words(STATE_WORDS["not_required"]))
    if code in ADJUDGED:
        return CANNOT_START_WORDS.get(condition, Words(_("Follows the rows before it.")))
    return WORDS[code]


CATEGORY_WORDS: Final = dict(catalogue.CATEGORIES)
#: Facts whose moment is the end of a day.
ENDS_WITH_THE_DAY: Final = frozenset({"nda_ends", "consent_ends"})
_DENIAL_WORDS: Final = dict(catalogue.DENIALS)


def _as_words(name: str, value: object) -> str:
    """A fact in the words of a sentence: moments, lists of categories, chips."""
    if isinstance(value, datetime):
        return times.last_day(value) if name in ENDS_WITH_THE_DAY else times.moment(value)
    if isinstance(value, date):
        return times.day(value)
    if name == "denial":
        return lower_first(str(_DENIAL_WORDS.get(str(value), value)))
    if isinstance(value, (list, tuple, set, frozenset)):
        return ", ".join(str(CATEGORY_WORDS.get(str(one), one)) for one in value)
    return str(value)


def lower_first(text: str) -> str:
    """A chip within a sentence."""
    return text[:1].lower() + text[1:]
