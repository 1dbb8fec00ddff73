"""Names as people compare them: past letter case, marks over letters, and order."""

from __future__ import annotations

import unicodedata

#: Letters that no decomposition takes apart.
_WHOLE = str.maketrans("łŁøØđĐ", "lLoOdD")


def parts_of(name: str) -> list[str]:
    """The parts of a name in small bare letters: 'Żak, Łucja' gives zak, lucja."""
    bare = unicodedata.normalize("NFKD", name.translate(_WHOLE))
    letters = "".join(one for one in bare if not unicodedata.combining(one))
    return letters.casefold().replace(",", " ").split()
