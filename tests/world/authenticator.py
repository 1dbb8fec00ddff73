"""An authenticator of the tests: makes a passkey and answers with it, rightly or in a wanted wrong way."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import bytes_to_base64url

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


@dataclass
class Passkey:
    """One credential, for one site. `count` is the counter; one that stays 0 is a synced passkey's."""

    origin: str = "http://localhost"
    count: int = 0
    id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def created(self, question: dict[str, Any]) -> dict[str, Any]:
        """The answer to the question for a new passkey."""
        point = self.key.public_key().public_numbers()
        public = {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}
        attested = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + cbor2.dumps(public)
        data = self._data(question["rp"]["id"], PRESENT | VERIFIED | ATTESTED) + attested
        statement = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        said = self._said("webauthn.create", question)
        return self._answer(clientDataJSON=said, attestationObject=statement)

    def proved(
        self, question: dict[str, Any], *, step: int = 1, flags: int = PRESENT | VERIFIED
    ) -> dict[str, Any]:
        """The answer to the question for a proof; the counter goes on by `step`."""
        self.count += step
        data, said = self._data(question["rpId"], flags), self._said("webauthn.get", question)
        signature = self.key.sign(data + hashlib.sha256(said).digest(), ec.ECDSA(SHA256()))
        return self._answer(clientDataJSON=said, authenticatorData=data, signature=signature)

    def _data(self, site: str, flags: int) -> bytes:
        return hashlib.sha256(site.encode()).digest() + bytes((flags,)) + self.count.to_bytes(4, "big")

    def _said(self, kind: str, question: dict[str, Any]) -> bytes:
        said = {"type": kind, "challenge": question["challenge"], "origin": self.origin, "crossOrigin": False}
        return json.dumps(said).encode()

    def _answer(self, **parts: bytes) -> dict[str, Any]:
        name = bytes_to_base64url(self.id)
        response = {key: bytes_to_base64url(value) for key, value in parts.items()}
        return {"id": name, "rawId": name, "type": "public-key", "response": response}
