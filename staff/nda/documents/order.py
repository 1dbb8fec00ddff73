"""From right to left: the order in which a line's words are drawn (UAX #9)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from bidi.algorithm import get_display

# Hebrew, Arabic and their marks; digits among them run from left to right, and are no part of a word.
_WORD: Final = re.compile(
    "[\u0591-\u05f4\u0610-\u061a\u0620-\u065f\u066e-\u06ef\u06fa-\u06ff\u0750-\u077f\u08a0-\u08ff"
    "\ufb1d-\ufdff\ufe70-\ufefc]+"
)


def _letters(first: int, last: int, kind: str) -> list[str]:
    return [chr(code) for code in range(first, last) if unicodedata.bidirectional(chr(code)) == kind]


#: Letters that stand for a word each while the order is found: of Hebrew's kind, and of Arabic's.
_HEBREW: Final = _letters(0x10800, 0x10D00, "R")
_ARABIC: Final = _letters(0x1EE00, 0x1EF00, "AL")


def has_words_from_right(text: str) -> bool:
    """Whether anything in it is written from right to left."""
    return bool(_WORD.search(text))


def drawn_from_left(text: str) -> Iterator[tuple[bool, str]]:
    """A text that runs from left to right, piece by piece as it is drawn on one line: each word that runs
    from right to left whole and as it is spelt, with True; all else letter by letter."""
    words: dict[str, str] = {}

    def kept(found: re.Match[str]) -> str:
        arabic = unicodedata.bidirectional(found[0][0]) == "AL" and len(words) < len(_ARABIC)
        letter = (_ARABIC if arabic else _HEBREW)[len(words)]
        words[letter] = found[0]
        return letter

    shown = str(get_display(_WORD.sub(kept, text, count=len(_HEBREW)), base_dir="L"))
    for letter in _held(shown, words):
        yield letter in words, words.get(letter, letter)


def _held(shown: str, words: dict[str, str]) -> str:
    """The line with no place to break between two such words: they would change places."""
    kept = list(shown)
    for before, after in pairwise(at for at, letter in enumerate(shown) if letter in words):
        if not any(unicodedata.bidirectional(letter) == "L" for letter in shown[before + 1 : after]):
            for at in range(before + 1, after):
                kept[at] = "\u00a0" if kept[at].isspace() else kept[at]
    return "".join(kept)
