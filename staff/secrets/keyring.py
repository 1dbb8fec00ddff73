"""The key ring: keys that the database never sees, under which smaller keys lie encrypted.

In: `settings.KEY_RING`, entries `id:base64 of 32 bytes`, separated by commas or new lines. The
first key encrypts; every key in the ring decrypts. So a new key is put in front, and the old one is
removed once nothing is encrypted under it any more. The cipher is AES-256-GCM (NIST SP 800-38D).
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from functools import lru_cache
from typing import Final, NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

VERSION: Final = b"\x01"
KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
ID: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")


class KeyRingError(Exception):
    """The ring cannot be read, or a ciphertext cannot be decrypted. The message names ids, never a key."""


class KeyRing:
    """Keys by their ids, the one that encrypts first."""

    def __init__(self, keys: dict[str, bytes]) -> None:
        """Take checked keys; see `parse` for text."""
        if not keys:
            raise KeyRingError("the key ring is empty")
        self._current = next(iter(keys))
        self._keys = {name: AESGCM(key) for name, key in keys.items()}

    @classmethod
    def parse(cls, text: str) -> KeyRing:
        """Read a ring from the form of the setting. Raises KeyRingError without quoting it."""
        keys: dict[str, bytes] = {}
        for place, entry in enumerate(filter(None, re.split(r"[,\s]+", text)), start=1):
            name, _, encoded = entry.partition(":")
            if not ID.fullmatch(name):
                raise KeyRingError(f"key ring, entry {place}: the id is not of the form id:key")
            if name in keys:
                raise KeyRingError(f"key ring, entry {place}: the id stands twice")
            keys[name] = _key(encoded, place)
        return cls(keys)

    def encrypt(self, plain: bytes, *, about: str) -> bytes:
        """Encrypt under the current key, bound to `about`: it can be decrypted for the same `about` alone."""
        name = self._current.encode()
        nonce = os.urandom(NONCE_BYTES)
        ciphertext = self._keys[self._current].encrypt(nonce, plain, about.encode())
        return VERSION + bytes((len(name),)) + name + nonce + ciphertext

    def decrypt(self, encrypted: bytes, *, about: str) -> bytes:
        """Decrypt what any key of the ring encrypted for the same `about`. Raises KeyRingError."""
        name, start = self._name(encrypted)
        key = self._keys.get(name)
        if key is None:
            raise KeyRingError(f"the key ring has no key {name!r}")
        nonce = encrypted[start : start + NONCE_BYTES]
        try:
            return key.decrypt(nonce, encrypted[start + NONCE_BYTES :], about.encode())
        except (InvalidTag, ValueError):
            raise KeyRingError(f"encrypted under {name!r} for another use, or altered") from None

    def key_id(self, encrypted: bytes) -> str:
        """Return the id of the key that encrypted it, for a later rotation. Raises KeyRingError."""
        return self._name(encrypted)[0]

    @staticmethod
    def _name(encrypted: bytes) -> tuple[str, int]:
        start = 2 + encrypted[1] if encrypted[:1] == VERSION and len(encrypted) > 1 else 0
        name = encrypted[2:start].decode("ascii", "replace")
        if not ID.fullmatch(name):
            raise KeyRingError("encrypted bytes of an unknown form")
        return name, start


def _key(encoded: str, place: int) -> bytes:
    def refuse() -> NoReturn:
        raise KeyRingError(f"key ring, entry {place}: the key is not 32 bytes in base64") from None

    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        refuse()
    if len(key) != KEY_BYTES:
        refuse()
    return key


@lru_cache(maxsize=2)
def _parsed(text: str) -> KeyRing:
    return KeyRing.parse(text)


def ring() -> KeyRing:
    """Return the ring of the settings, parsed once. Raises KeyRingError."""
    return _parsed(settings.KEY_RING)
