"""Names as people compare them: past letter case, marks over letters, and how a keyboard writes them."""

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
_DASH: Final = re.compile(r"\s*-[\s-]*")


def parts_of(name: str) -> list[str]:
    """The parts of a name in small bare letters: 'Żak-O’Hara, Łucja' gives zak-ohara, lucja.

    Marks do not count, for many keyboards have none of them; nor does an apostrophe, which is written
    in a dozen ways and left out in as many systems; nor does what cannot be seen. A dash of any kind is
    a hyphen: one name of two is not two names.
    """
    bare = unicodedata.normalize("NFKD", name.translate(_APOSTROPHES)).casefold()
    letters = "".join(map(_plain, unicodedata.normalize("NFKD", bare.translate(_WHOLE))))
    return _DASH.sub("-", letters).split()


def _plain(letter: str) -> str:
    if letter == "," or letter.isspace():
        return " "
    if letter == "\u2212" or unicodedata.category(letter) == "Pd":
        return "-"
    return "" if unicodedata.combining(letter) or unicodedata.category(letter) in ("Cf", "Cc") else letter
