"""One account's personal values, encrypted before they reach the database.

Every account has a data key of its own, wrapped under the key ring. Account and field are associated data
of AES-256-GCM (NIST SP 800-38D), so that a ciphertext moved to another place does not open. Digests and blind
indexes are HMAC-SHA-256 (RFC 2104). When the wrapped key is deleted, values, digests and blind indexes of
that account are noise.
"""

from __future__ import annotations

import hmac
import json
import os
from collections.abc import Mapping
from functools import cached_property
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from staff.frame.emails import normalise
from staff.secrets.keyring import KEY_BYTES, NONCE_BYTES, KeyRingError, ring

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

FORMAT: Final = b"\x01"
GENERATION_BYTES: Final = 4  # of the data key: the id that each ciphertext carries
_HEAD: Final = len(FORMAT) + GENERATION_BYTES + NONCE_BYTES


class CipherError(Exception):
    """A value or a data key does not open. Says nothing of either."""


class AccountCipher:
    """Encrypts, decrypts, digests and indexes values of the account `reference`."""

    def __init__(self, reference: str, secret: bytes, wrapped: bytes) -> None:
        """Take an opened data key; use `new` or `unwrap`."""
        self.reference = reference
        self.wrapped = wrapped
        self._generation = secret[:GENERATION_BYTES]
        self._secret = secret[GENERATION_BYTES:]

    @classmethod
    def new(cls, reference: str) -> AccountCipher:
        """Make a data key for an account that has none. Raises KeyRingError."""
        secret = (1).to_bytes(GENERATION_BYTES, "big") + os.urandom(KEY_BYTES)
        return cls(reference, secret, ring().encrypt(secret, about=_wrapping(reference)))

    @classmethod
    def unwrap(cls, reference: str, wrapped: bytes) -> AccountCipher:
        """Open the data key that the vault keeps for `reference`. Raises CipherError."""
        wrapped = bytes(wrapped)
        try:
            secret = ring().decrypt(wrapped, about=_wrapping(reference))
        except KeyRingError as error:
            raise CipherError("the account's data key does not open") from error
        if len(secret) != GENERATION_BYTES + KEY_BYTES:
            raise CipherError("the account's data key has a form that is not known")
        return cls(reference, secret, wrapped)

    def encrypt(self, field: str, value: Json) -> bytes:
        """Encrypt one value for one field: format, key's generation, nonce, AES-256-GCM."""
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._aead.encrypt(nonce, _canonical(value), self._about(field))
        return FORMAT + self._generation + nonce + sealed

    def decrypt(self, field: str, ciphertext: bytes) -> Json:
        """Open what `encrypt` made for the same account and field. Raises CipherError."""
        ciphertext = bytes(ciphertext)
        head = FORMAT + self._generation
        if not ciphertext.startswith(head):
            raise CipherError("the value is encrypted under another key or form")
        nonce = ciphertext[len(head) : _HEAD]
        try:
            plain = self._aead.decrypt(nonce, ciphertext[_HEAD:], self._about(field))
        except (InvalidTag, ValueError):
            raise CipherError("the value does not open for this account and field") from None
        value: Json = json.loads(plain)
        return value

    def digest(self, values: Mapping[str, Json]) -> bytes:
        """Return a keyed digest of the values: equal means unchanged, to nobody but us."""
        return hmac.digest(self._derived("digest"), _canonical(dict(values)), "sha256")

    def index(self, text: str) -> bytes:
        """Return the blind index by which an exact e-mail is found without being readable."""
        return hmac.digest(self._derived("index"), normalise(text).encode(), "sha256")

    @cached_property
    def _aead(self) -> AESGCM:
        return AESGCM(self._derived("encrypt"))

    def _derived(self, use: str) -> bytes:
        # A key for each use: AES and HMAC never share one.
        return hmac.digest(self._secret, f"gatekeeper {use}".encode(), "sha256")

    def _about(self, field: str) -> bytes:
        # NUL appears in neither part, so that no two pairs read the same.
        return FORMAT + self._generation + f"{self.reference}\0{field}".encode()


def _wrapping(reference: str) -> str:
    return f"account {reference}"


# Made once: json.dumps would make one for each value.
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _canonical(value: Json) -> bytes:
    return _ENCODER.encode(value).encode()
