"""Random secrets in the forms that the settings take."""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

from gatekeeper.installation.settings_table import BY_NAME
from staff.nda.signing_key import new_signing_key


def password() -> str:
    """Return a password for a database role, or for a person of the demo."""
    return secrets.token_urlsafe(24)


def secret_key() -> str:
    """Return a key for signed cookies and forms."""
    return secrets.token_urlsafe(48)


def key_ring() -> str:
    """Return a ring of one fresh key; its id is random, so that two rings are never mixed up."""
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    return f"k{secrets.token_hex(4)}:{key}"


def webhook_secret() -> str:
    """Return a secret for a feed's messages (Standard Webhooks)."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def log_key() -> str:
    """Return the private key of the log: 32 bytes for Ed25519, in base64."""
    return base64.b64encode(secrets.token_bytes(32)).decode()


def seal() -> str:
    """Return a seal under a certificate that it signs itself."""
    return new_signing_key(os.environ.get("GATEKEEPER_COMPANY", BY_NAME["COMPANY"].default or ""))


FILES: dict[str, Callable[[], str]] = {
    "GATEKEEPER_SECRET_KEY": secret_key,
    "GATEKEEPER_KEY_RING": key_ring,
    "GATEKEEPER_SEAL": seal,
    "GATEKEEPER_LOG_KEY": log_key,
    "GATEKEEPER_TICKETS_SECRET": webhook_secret,
    "GATEKEEPER_ACCOUNTS_SECRET": webhook_secret,
}


def missing_files(variables: Mapping[str, str]) -> list[Path]:
    """Write a fresh secret into each file that a `*_FILE` setting names and that is not there.

    For bootstrap, before the settings are read. Files are for their owner alone; one that exists is
    never touched: a lost key ring cannot be made again. Returns the paths written.
    """
    written = []
    for name, make in FILES.items():
        path = Path(variables.get(f"{name}_FILE", ""))
        if path == Path() or name in variables or path.exists():
            continue
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(make() + "\n")
            file.flush()
            os.fsync(file.fileno())
        written.append(path)
    return written
