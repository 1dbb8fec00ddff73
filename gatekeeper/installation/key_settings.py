"""Settings that are keys, or certificates on which others' rest."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path

from cryptography import x509

from gatekeeper.installation.reader import Reader
from staff.nda.signing_key import SigningKey, SigningKeyError
from staff.secrets.keyring import KeyRing, KeyRingError


class KeySettings(Reader):
    """Settings that are keys, or certificates on which others' rest."""

    def key_ring(self) -> str:
        """Return the key ring as it stands, once it has been read."""
        ring = self.text("KEY_RING")
        try:
            KeyRing.parse(ring)
        except KeyRingError as error:
            raise self.refusal("KEY_RING", f"cannot be used ({error})") from None
        return ring

    def seal(self) -> str:
        """Return the company's seal as it stands, once it has been read."""
        seal = self.text("SEAL")
        try:
            SigningKey.parse(seal)
        except SigningKeyError as error:
            raise self.refusal("SEAL", f"cannot be used: {error}") from None
        return seal

    def trust_roots(self) -> str:
        """Return the certificates on which electronic signatures may rest, as PEM; '' where none."""
        return self._certificates("TRUST_ROOTS")

    def siem_roots(self) -> str:
        """Return the certificates on which the SIEM's own may rest, as PEM; '' for the system's."""
        return self._certificates("SIEM_ROOTS")

    def _certificates(self, name: str) -> str:
        path = self.text(name)
        if not path:
            return ""
        try:
            text = Path(path).read_text(encoding="ascii")
            x509.load_pem_x509_certificates(text.encode("ascii"))
        except (OSError, ValueError):
            raise self.refusal(name, "names a file without certificates in PEM") from None
        return text

    def webhook_secret(self, name: str) -> str:
        """Return a feed's secret; refuses one of less than 24 bytes (Standard Webhooks)."""
        secret = self.text(name)
        if not secret.startswith("whsec_") or _decoded(secret.removeprefix("whsec_")) < 24:
            raise self.refusal(name, "is not 'whsec_' and base64 of 24 bytes or more")
        return secret


def _decoded(text: str) -> int:
    """Return how many bytes a base64 text holds, 0 where it is not one."""
    try:
        return len(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        return 0
