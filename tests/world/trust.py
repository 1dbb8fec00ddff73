"""A trust service of the tests' own, as the qualified ones are: a root, an authority under it that issues
to persons, a time-stamping unit, and lists and answers about what was revoked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from io import BytesIO
from typing import Any, Final

from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import fields, signers
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko.sign.validation import add_validation_info
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

from tests.world.authority import QC_STATEMENTS, qualified_statements

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
DER: Final = serialization.Encoding.DER
NOW: Final = datetime.now(UTC).replace(microsecond=0)
YEAR: Final = timedelta(days=365)
QUALIFIED: Final = qualified_statements("qc_compliance", "qc_sscd")
POLICY: Final = x509.CertificatePolicies(
    [x509.PolicyInformation(x509.ObjectIdentifier("0.4.0.194112.1.2"), None)]  # QCP-n-qscd
)

_CRL: Final = x509.UniformResourceIdentifier("http://crl.trust.example/list.crl")
_OCSP: Final = x509.UniformResourceIdentifier("http://ocsp.trust.example/")
#: Where one would ask: nobody is asked, what the file holds is taken.
_PLACES: Final = (
    x509.CRLDistributionPoints([x509.DistributionPoint([_CRL], None, None, None)]),
    x509.AuthorityInformationAccess([x509.AccessDescription(AuthorityInformationAccessOID.OCSP, _OCSP)]),
)

KEYS: Final[dict[str, Callable[[], Key]]] = {
    "ecdsa": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ecdsa-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "brainpool": lambda: ec.generate_private_key(ec.BrainpoolP256R1()),
    "rsa": lambda: rsa.generate_private_key(65537, 2048),
    "rsa-pss": lambda: rsa.generate_private_key(65537, 2048),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
}


def usage(*names: str) -> x509.KeyUsage:
    """A key's usage: of the names that RFC 5280 has."""
    known = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
        "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**{name: name in names for name in known})


@dataclass
class Holder:
    """A key and its certificate, and how it signs."""

    key: Key
    certificate: x509.Certificate
    pss: bool = False

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")

    @property
    def asn1(self) -> asn1_x509.Certificate:
        return asn1_x509.Certificate.load(self.certificate.public_bytes(DER))

    @property
    def asn1_key(self) -> asn1_keys.PrivateKeyInfo:
        plain = serialization.NoEncryption()
        return asn1_keys.PrivateKeyInfo.load(
            self.key.private_bytes(DER, serialization.PrivateFormat.PKCS8, plain)
        )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


@dataclass
class Service:
    """`kind`: of all keys. `since`, `until`: how long the persons' certificates are good."""

    kind: str = "ecdsa"
    name: str = "Trust"
    since: datetime = NOW - YEAR
    until: datetime = NOW + YEAR
    revoked: dict[int, datetime] = field(default_factory=dict)

    @cached_property
    def root(self) -> Holder:
        return self._issue(f"{self.name} root", None, (usage("key_cert_sign", "crl_sign"),), ca=True)

    @cached_property
    def issuer(self) -> Holder:
        extensions = (usage("key_cert_sign", "crl_sign"), POLICY)
        return self._issue(f"{self.name} issuing", self.root, extensions, ca=True)

    @cached_property
    def person(self) -> Holder:
        return self.certify()

    def certify(
        self, *, key_usage: x509.KeyUsage | None = None, purposes: tuple[x509.ObjectIdentifier, ...] = ()
    ) -> Holder:
        """A person's, qualified, to bind (content commitment) alone unless told otherwise."""
        extensions: list[x509.ExtensionType] = [
            key_usage or usage("content_commitment"),
            POLICY,
            x509.UnrecognizedExtension(QC_STATEMENTS, QUALIFIED),
        ]
        if purposes:
            extensions.append(x509.ExtendedKeyUsage(purposes))
        return self._issue("Łucja Żak", self.issuer, tuple(extensions), since=self.since, until=self.until)

    def stamper(self, at: datetime | None = None, *, until: datetime = NOW + 20 * YEAR) -> DummyTimeStamper:
        """A unit that stamps the time: now, or always the same."""
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        unit = self._issue(
            "Unit", self.root, (usage("digital_signature"), purpose), until=until, key=_unit_key()
        )
        return DummyTimeStamper(unit.asn1, unit.asn1_key, certs_to_embed=_store(self.root), fixed_dt=at)

    def known(self, at: datetime | None = None, *, answers: bool = False) -> ValidationContext:
        """What a signer's software collects at signing: lists, or answers to single questions."""
        facts: dict[str, Any] = {"ocsps": [self.answer(self.person, at)]} if answers else {}
        crls = [self.crl(self.root, at), *([] if answers else [self.crl(self.issuer, at)])]
        return ValidationContext(
            trust_roots=[self.root.asn1], other_certs=[self.issuer.asn1], crls=crls, moment=at, **facts
        )

    def crl(self, of: Holder, at: datetime | None = None) -> bytes:
        """The list of what this authority revoked, in DER."""
        moment = at or datetime.now(UTC)
        built = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(of.certificate.subject)
            .last_update(moment - timedelta(minutes=5))
            .next_update(moment + timedelta(days=7))
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(of.key.public_key()), critical=False
            )
            .add_extension(x509.CRLNumber(1), critical=False)
        )
        for serial, when in self.revoked.items():
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(when)
            built = built.add_revoked_certificate(entry.build())
        return built.sign(of.key, self._digest, rsa_padding=self._padding).public_bytes(DER)

    def answer(self, holder: Holder, at: datetime | None = None, *, by: Holder | None = None) -> bytes:
        """What the authority, or its responder, says of a certificate, in DER."""
        moment, when = at or datetime.now(UTC), self.revoked.get(holder.certificate.serial_number)
        responder = by or self.issuer
        built = (
            ocsp.OCSPResponseBuilder()
            .add_response(
                cert=holder.certificate,
                issuer=self.issuer.certificate,
                algorithm=hashes.SHA256(),
                cert_status=ocsp.OCSPCertStatus.REVOKED if when else ocsp.OCSPCertStatus.GOOD,
                this_update=moment - timedelta(minutes=1),
                next_update=moment + timedelta(days=1),
                revocation_time=when,
                revocation_reason=None,
            )
            .responder_id(ocsp.OCSPResponderEncoding.HASH, responder.certificate)
        )
        if by:
            built = built.certificates([by.certificate])
        return built.sign(responder.key, self._digest).public_bytes(DER)

    def responder(self, *, until: datetime) -> Holder:
        """Who answers for the authority, with a certificate of its own."""
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING])
        return self._issue("Responder", self.issuer, (usage("digital_signature"), purpose), until=until)

    def sign(
        self, pdf: bytes, level: str = "B-B", *, by: Holder | None = None, at: datetime | None = None,
        field_name: str = "Signature1", chain: bool = True, answers: bool = False, **more: Any,
    ) -> bytes:  # fmt: skip
        """The PDF with a signature of this level (ETSI EN 319 142-1) by a person, at a moment."""
        person = by or self.person
        signer = signers.SimpleSigner(
            signing_cert=person.asn1,
            signing_key=person.asn1_key,
            cert_registry=_store(self.issuer) if chain else _store(),
            prefer_pss=person.pss,
        )
        if level in ("B-LT", "B-LTA"):
            more |= {"embed_validation_info": True, "validation_context": self.known(at, answers=answers)}
        metadata = signers.PdfSignatureMetadata(
            field_name=field_name,
            md_algorithm="sha512" if self.kind == "ed25519" else "sha256",
            subfilter=more.pop("subfilter", fields.SigSeedSubFilter.PADES),
            use_pades_lta=level == "B-LTA",
            **more,
        )
        stamper = None if level == "B-B" else self.stamper(at)
        out = BytesIO()
        signers.sign_pdf(
            IncrementalPdfFileWriter(BytesIO(pdf)), metadata, signer, timestamper=stamper, output=out
        )
        return out.getvalue()

    def prove(self, pdf: bytes, at: datetime | None = None) -> bytes:
        """The signed PDF with the proofs of its validity added later: B-LT."""
        signature = PdfFileReader(BytesIO(pdf)).embedded_regular_signatures[-1]
        out = BytesIO()
        add_validation_info(signature, self.known(at), output=out)
        return out.getvalue()

    def stamp(self, pdf: bytes, at: datetime | None = None, *, until: datetime = NOW + 20 * YEAR) -> bytes:
        """The PDF with a time stamp over all of it: B-LTA, where the proofs are in it."""
        out = BytesIO()
        signers.PdfTimeStamper(self.stamper(at, until=until)).timestamp_pdf(
            IncrementalPdfFileWriter(BytesIO(pdf)), "sha256", self.known(at), output=out
        )
        return out.getvalue()

    @property
    def _digest(self) -> Any:
        return None if self.kind == "ed25519" else hashes.SHA256()

    @property
    def _padding(self) -> Any:
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), salt_length=32)
        return pss if self.kind == "rsa-pss" else None

    def _issue(
        self, name: str, issuer: Holder | None, extensions: tuple[x509.ExtensionType, ...], *,
        ca: bool = False,
        since: datetime = NOW - 10 * YEAR, until: datetime = NOW + 20 * YEAR, key: Key | None = None,
    ) -> Holder:  # fmt: skip
        key = key or KEYS[self.kind]()
        signing = issuer.key if issuer else key
        built = (
            x509.CertificateBuilder()
            .subject_name(_named(name))
            .issuer_name(issuer.certificate.subject if issuer else _named(name))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(since)
            .not_valid_after(until)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), critical=False
            )
        )
        for one in (*extensions, *(_PLACES if issuer else ())):
            stamping = isinstance(one, x509.ExtendedKeyUsage) and ExtendedKeyUsageOID.TIME_STAMPING in one
            built = built.add_extension(one, critical=stamping or isinstance(one, x509.KeyUsage))
        made = built.sign(signing, self._digest, rsa_padding=self._padding)
        return Holder(key, made, pss=self.kind == "rsa-pss")


@cache
def _unit_key() -> Key:
    """pyHanko's own unit signs with RSA."""
    return KEYS["rsa"]()


def _store(*holders: Holder) -> SimpleCertificateStore:
    store = SimpleCertificateStore()  # type: ignore[no-untyped-call]  # pyHanko's own
    store.register_multiple([one.asn1 for one in holders])
    return store
