"""Recovery codes: ten, of 80 bits each (NIST SP 800-63B asks for 64), written down once, used once."""

from __future__ import annotations

import base64
import hashlib
import secrets
from typing import Final

COUNT: Final = 10
BYTES: Final = 10
GROUP: Final = 4
LENGTH: Final = BYTES * 8 // 5  # characters of base32


def new_codes() -> list[str]:
    """Ten fresh codes as they are shown: sixteen letters and digits in groups of four."""
    return ["-".join(_groups(base64.b32encode(secrets.token_bytes(BYTES)).decode())) for _ in range(COUNT)]


def is_code(text: str) -> bool:
    """Whether a text has a code's form; whether it is somebody's only the table knows."""
    return len(_plain(text)) == LENGTH


def digest_of(code: str) -> bytes:
    """What the table holds of a code; case, white space and dashes do not count."""
    return hashlib.sha256(_plain(code).encode("utf-8", "replace")).digest()


def _plain(text: str) -> str:
    return "".join(character for character in text.upper() if character.isalnum())


def _groups(text: str) -> list[str]:
    return [text[place : place + GROUP] for place in range(0, len(text), GROUP)]
