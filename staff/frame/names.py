"""Names as people read and compare them: past letter case, marks over letters, and how a keyboard writes
them."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

#: Letters that no decomposition takes apart, and what stands for them; one is Turkish, an i without a dot.
_WHOLE: Final = str.maketrans(
    {
        "ł": "l",
        "ø": "o",
        "đ": "d",
        "ð": "d",
        "ħ": "h",
        "ŧ": "t",
        "ŋ": "n",
        "\u0131": "i",
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
    }
)
# As keyboards, word processors and transliterations write it; some are letters or marks to Unicode.
_APOSTROPHES: Final = dict.fromkeys(
    map(
        ord,
        "'`\u00b4\u02b9\u02bb\u02bc\u02bd\u02be\u02bf\u02c8\u02ca\u02cb\u0374\u055a\u05f3\u2018\u2019\u201a\u201b"
        "\u2032\u2035\ua78b\ua78c\uff07",
    ),
    "",
)
#: Letters and signs that draw nothing: fillers, an empty pattern of Braille, joiners of letters, and what
#: chooses between forms of the sign before it.
_BLANK: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
#: Of those, what no name is written with; and what came as no letter at all.
_NEVER: Final = re.compile("[\u115f\u1160\u2800\u3164\uffa0\ufdd0-\ufdef\ufffd]")
#: Unseen, and needed between letters: some languages write their names with them.
_JOINERS: Final = "\u200c\u200d"
_UNSEEN: Final = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
_DASH: Final = re.compile(r"\s*-[\s-]*")


def is_seen(letter: str) -> bool:
    """Whether a character shows anything by itself: no space, no control, no filler."""
    unseen = unicodedata.category(letter) in _UNSEEN or letter.isspace() or _BLANK.match(letter)
    return not unseen


def is_said(text: str) -> bool:
    """Whether a text says anything: it has a letter or a digit that is seen."""
    return any(letter.isalnum() and is_seen(letter) for letter in text)


def is_readable(name: str) -> bool:
    """Whether a member's name can appear in lists, documents and sentences.

    It has a letter, and nothing that is invisible or changes the direction of the line."""
    if not any(letter.isalpha() and is_seen(letter) for letter in name):
        return False
    return not _NEVER.search(name) and all(
        letter in _JOINERS or not (_is_noncharacter(letter) or unicodedata.category(letter) in _UNSEEN)
        for letter in name
    )


def _is_noncharacter(letter: str) -> bool:
    """The last two of each plane are none, and never will be."""
    return ord(letter) & 0xFFFE == 0xFFFE


def parts_of(name: str) -> list[str]:
    """The parts of a name in small bare letters: 'Żak-O’Hara, Łucja' gives zak-ohara, lucja.

    Marks do not count, because many keyboards have none of them; nor does an apostrophe, which is written
    in a dozen ways and left out in as many systems; nor does what cannot be seen. A dash of any kind is
    a hyphen: one name of two is not two names.
    """
    bare = unicodedata.normalize("NFKD", name.translate(_APOSTROPHES)).casefold()
    letters = "".join(map(_plain, unicodedata.normalize("NFKD", bare.translate(_WHOLE))))
    return _DASH.sub("-", letters).split()


def is_found_by(text: str, number: str, name: str) -> bool:
    """Whether a search finds a member: by a piece of the number, or of the name as people compare names."""
    wanted = " ".join(parts_of(text))
    return bool(wanted) and (wanted in number.casefold() or wanted in " ".join(parts_of(name)))


def _plain(letter: str) -> str:
    if letter == "," or letter.isspace():
        return " "
    if letter == "\u2212" or unicodedata.category(letter) == "Pd":
        return "-"
    return "" if unicodedata.combining(letter) or unicodedata.category(letter) in ("Cf", "Cc") else letter
