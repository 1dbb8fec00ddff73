"""Recovery codes: ten, of 80 bits each (NIST SP 800-63B asks for 64), written down once, used once."""

from __future__ import annotations

import base64
import hashlib
import secrets
from typing import Final

COUNT: Final = 10
BYTES: Final = 10
GROUP: Final = 4


def new_codes() -> list[str]:
    """Ten fresh codes as they are shown: sixteen letters and digits in groups of four."""
    return ["-".join(_groups(base64.b32encode(secrets.token_bytes(BYTES)).decode())) for _ in range(COUNT)]


def digest_of(code: str) -> bytes:
    """What the table holds of a code; case, white space and dashes do not count."""
    plain = "".join(character for character in code.upper() if character.isalnum())
    return hashlib.sha256(plain.encode("utf-8", "replace")).digest()


def _groups(text: str) -> list[str]:
    return [text[place : place + GROUP] for place in range(0, len(text), GROUP)]
