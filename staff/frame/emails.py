"""One form of an e-mail address, so that two spellings are never two members."""

from __future__ import annotations

import unicodedata


def normalise(email: str) -> str:
    """The form in which addresses are stored and looked up: NFKC, case folded, no space around.

    Folding can undo the composition, so that it is composed once more: normalising twice gives what
    normalising once gave. Two addresses that collide in Unicode are the same address here, and the
    table's unique constraint refuses the second: whoever has an address that looks like a member's would
    otherwise get the member's mail.
    """
    folded = unicodedata.normalize("NFKC", email.strip()).casefold()
    return unicodedata.normalize("NFKC", folded)


def is_plain(email: str) -> bool:
    """Whether the address is ASCII as it stands: then its normal form is the same mailbox.

    A dotless i, a full-width letter or an ß is another mailbox than what it normalises to, and a
    letter of another alphabet looks like one. Members have plain addresses alone, and a foreign
    system that names somebody by any other names nobody. A domain beyond ASCII has its
    own plain form (xn--…).
    """
    return email.isascii()
