"""One form of an e-mail address, so that two spellings are never two members."""

from __future__ import annotations

import unicodedata


def normalise(email: str) -> str:
    """The form in which addresses are stored and looked up: NFKC, case folded, no space around.

    Folding can undo the composition, so that it is composed once more: normalising twice gives what
    normalising once gave. Two addresses that collide in Unicode are the same address here, and the
    table's unique constraint refuses the second (attack 23).
    """
    folded = unicodedata.normalize("NFKC", email.strip()).casefold()
    return unicodedata.normalize("NFKC", folded)
