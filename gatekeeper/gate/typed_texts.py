"""What people type about a customer, encrypted: the one place where that becomes bytes, and words again.

Under the data key of the account that it is about, so that it goes when the account goes; what is about no
account lies under the key ring. `field` says where it stands: moved to another place it does not open.
"""

from __future__ import annotations

from gatekeeper.gate import vault
from gatekeeper.gate.cipher import AccountCipher
from staff.secrets.keyring import ring


def encrypt(text: str, *, field: str, account: str | None) -> bytes | None:
    """The text for this place; None when the account has no key, for then nothing is kept."""
    if account is None:
        return ring().encrypt(text.encode(), about=field)
    cipher = _cipher(account)
    return None if cipher is None else cipher.encrypt(field, text)


def decrypt(encrypted: bytes | memoryview | None, *, field: str, account: str | None) -> str:
    """What was typed; empty when nothing was, or when it went with the account. Raises CipherError or
    KeyRingError where it was encrypted for another place."""
    if not encrypted:
        return ""
    if account is None:
        return ring().decrypt(bytes(encrypted), about=field).decode()
    cipher = _cipher(account)
    return "" if cipher is None else str(cipher.decrypt(field, bytes(encrypted)))


def _cipher(account: str) -> AccountCipher | None:
    wrapped = vault.wrapped_key(account)
    return None if wrapped is None else AccountCipher.unwrap(account, wrapped)
