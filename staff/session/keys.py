"""A session's key: random, in the browser's cookie alone. The table holds its SHA-256."""

from __future__ import annotations

import hashlib
import secrets


def fresh_key() -> str:
    """Return a new key of 256 random bits."""
    return secrets.token_urlsafe(32)


def digest_of(key: str) -> bytes:
    """Return what the table holds of a key. The key is random, so that no salt is needed."""
    return hashlib.sha256(key.encode("utf-8", "replace")).digest()
