"""The log's keys: signing checkpoints (C2SP tlog-checkpoint, signed-note with Ed25519) and opening them."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.verify_bundle import Key, open_checkpoint, read_head

if TYPE_CHECKING:
    from audit.verify_bundle import Head

SEED_BYTES: Final = 32


@dataclass(frozen=True)
class Keys:
    """The log's public keys: the one that signs now, and others under which it signed before."""

    newest: Key
    older: tuple[Key, ...] = ()

    @classmethod
    def read(cls, text: str) -> Keys:
        """From keys by commas, the newest first. Raises ProofError."""
        newest, *older = (Key.read(one) for one in text.split(","))
        return cls(newest, tuple(older))

    def open(self, note: str) -> Head:
        """What a checkpoint says, under the name that the log had then. Raises ProofError."""
        origin = read_head(note).origin
        named = (key for key in (self.newest, *self.older) if key.name == origin)
        # Under another name with the same key, unless a key of that name is known.
        return open_checkpoint(note, next(named, Key(origin, self.newest.public)))

    def __str__(self) -> str:
        return ",".join(map(str, (self.newest, *self.older)))


class LogKeyError(Exception):
    """The log's key cannot be used. Never repeats it."""


class Signer:
    """The log's private key under the log's name."""

    def __init__(self, origin: str, secret: str) -> None:
        """`secret` is base64 of 32 bytes. Raises LogKeyError."""
        try:
            seed = base64.b64decode(secret, validate=True)
        except (ValueError, binascii.Error):
            seed = b""
        if len(seed) != SEED_BYTES:
            raise LogKeyError("it is not base64 of 32 bytes")
        # C2SP signed-note: a key's name has neither blanks nor '+'.
        if not origin or "+" in origin or any(c.isspace() for c in origin):
            raise LogKeyError("the log's name is empty, or has a blank or '+'")
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.key = Key(origin, self._key.public_key().public_bytes_raw())

    def sign(self, size: int, root: bytes) -> str:
        """The checkpoint of a tree: origin, size, root, and the signature."""
        text = f"{self.key.name}\n{size}\n{base64.b64encode(root).decode()}\n"
        signature = base64.b64encode(self.key.number + self._key.sign(text.encode())).decode()
        return f"{text}\n— {self.key.name} {signature}\n"
