"""A certificate authority of the tests' own, and files that people sign under it elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from io import BytesIO
from typing import Any

from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko.sign.ades.qualified_asn1 import QcStatements
from pyhanko_certvalidator.registry import SimpleCertificateStore
from reportlab.pdfgen.canvas import Canvas

QC_STATEMENTS = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.3")
PERSON, SEAL = "0.4.0.1862.1.6.1", "0.4.0.1862.1.6.2"


@dataclass(frozen=True)
class Signatory:
    """A key and its certificate."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")

    def sign(self, pdf: bytes, *, field: str = "Signature1", **more: Any) -> bytes:
        """The PDF with this person's signature in a new, invisible field."""
        der = serialization.Encoding.DER
        key = self.key.private_bytes(der, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        signer = signers.SimpleSigner(
            signing_cert=asn1_x509.Certificate.load(self.certificate.public_bytes(der)),
            signing_key=asn1_keys.PrivateKeyInfo.load(key),
            cert_registry=SimpleCertificateStore(),  # type: ignore[no-untyped-call]  # pyHanko's own
        )
        metadata = signers.PdfSignatureMetadata(
            field_name=field, md_algorithm="sha256", subfilter=fields.SigSeedSubFilter.PADES, **more
        )
        out = BytesIO()
        signers.sign_pdf(IncrementalPdfFileWriter(BytesIO(pdf)), metadata, signer, output=out)
        return out.getvalue()


def qualified_statements(*names: str, kind: str = PERSON) -> bytes:
    """The extension's DER: what a qualified certificate says of itself."""
    stated: list[dict[str, Any]] = [{"statement_id": name} for name in names]
    if kind:
        stated.append({"statement_id": "qc_type", "statement_info": [kind]})
    dumped: bytes = QcStatements(stated).dump()
    return dumped


class Authority:
    """A root, and those whom it certifies."""

    def __init__(self, name: str = "Test root") -> None:
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.key = ec.generate_private_key(ec.SECP256R1())

    @cached_property
    def root(self) -> Signatory:
        built = self._built(self.name, self.key, authority=True)
        return Signatory(self.key, built.sign(self.key, hashes.SHA256()))

    def certify(
        self,
        name: str,
        *,
        statements: bytes | None = None,
        extensions: tuple[x509.ExtensionType, ...] = (),
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Signatory:
        """A person's certificate, with `statements` as its QcStatements."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        built = self._built(subject, key, authority=False, since=since, until=until)
        if statements is not None:
            built = built.add_extension(x509.UnrecognizedExtension(QC_STATEMENTS, statements), critical=False)
        for extension in extensions:
            built = built.add_extension(extension, critical=False)
        return Signatory(key, built.sign(self.key, hashes.SHA256()))

    def _built(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        *,
        authority: bool,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> x509.CertificateBuilder:
        usage = x509.KeyUsage(
            digital_signature=not authority,
            content_commitment=not authority,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=authority,
            crl_sign=authority,
            encipher_only=False,
            decipher_only=False,
        )
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(since or now - timedelta(days=2))
            .not_valid_after(until or now + timedelta(days=365))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(usage, critical=True)
        )


def plain_pdf(words: str = "The agreement, signed elsewhere.") -> bytes:
    """A PDF that nobody has signed."""
    out = BytesIO()
    canvas = Canvas(out, invariant=1)
    canvas.drawString(72, 720, words)
    canvas.save()
    return out.getvalue()
