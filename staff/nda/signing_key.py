"""The company's key for signing PDFs: the private key and its certificates (PAdES, ETSI EN 319 142-1).

In: PEM, the private key and its certificates one after the other, the signing one first. Raises
SigningKeyError, which names what is wrong and never repeats a key.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.x509.oid import NameOID

YEARS: Final = 10
BITS: Final = 3072


class SigningKeyError(Exception):
    """The key cannot be read, or its parts do not belong together."""


@dataclass(frozen=True)
class SigningKey:
    """A private key, its certificate, and the certificates above it."""

    key: RSAPrivateKey | EllipticCurvePrivateKey
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...] = ()

    @classmethod
    def parse(cls, text: str) -> SigningKey:
        """Read a key with its certificates from PEM. Raises SigningKeyError."""
        data = text.encode("utf-8")
        try:
            key = serialization.load_pem_private_key(data, password=None)
            certificate, *chain = x509.load_pem_x509_certificates(data)
        except (ValueError, TypeError) as error:
            raise SigningKeyError("it is not a private key and its certificates in PEM") from error
        if not isinstance(key, (RSAPrivateKey, EllipticCurvePrivateKey)):
            raise SigningKeyError("its key is neither RSA nor of an elliptic curve")
        if certificate.public_key() != key.public_key():
            raise SigningKeyError("its first certificate is of another key")
        return cls(key, certificate, tuple(chain))


def _cut(text: str, most: int) -> str:
    """As much of a text as fits into a certificate, which counts bytes (RFC 5280, appendix A.1)."""
    return text.encode()[:most].decode(errors="ignore").rstrip()


def new_signing_key(company: str) -> str:
    """A fresh key and a certificate that it signs itself, as PEM: for a first installation.

    Anybody who relies on the documents outside the company wants a certificate of a trust service instead.
    """
    key = rsa.generate_private_key(public_exponent=65537, key_size=BITS)
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, company),
            x509.NameAttribute(NameOID.COMMON_NAME, f"{_cut(company, 58)}, seal"),
        ]
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    certificate = _self_signed(key, name)
    return (private + certificate.public_bytes(serialization.Encoding.PEM)).decode("ascii")


def _usage() -> x509.KeyUsage:
    """What the key is for: signing documents, and nothing else."""
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _self_signed(key: rsa.RSAPrivateKey, name: x509.Name) -> x509.Certificate:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365 * YEARS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(), critical=True)
        .sign(key, hashes.SHA256())
    )
