"""Signing PDFs with the company's certificate (settings.SEAL), as PAdES (ETSI EN 319 142-1).

Both signature fields are created before the first signature: one created later would change what the
first has signed. The fields are invisible; what there is to see is drawn in the document.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from io import BytesIO
from types import MappingProxyType
from typing import Any, Final

from asn1crypto import keys, x509
from cryptography.hazmat.primitives import serialization
from django.conf import settings
from pyhanko.pdf_utils import embed
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.writer import BasePdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers.pdf_signer import PdfSigningSession
from pyhanko_certvalidator.registry import SimpleCertificateStore

from staff.nda.signing_key import SigningKey, SigningKeyError

DEFAULT_FIELD: Final = "Seal"
MEMBER: Final = "Member"
COUNTERSIGNATURE: Final = "Countersignature"
#: The facts of the document as JSON, attached to it before it is signed.
FACTS: Final = "facts.json"


class _Signer(signers.PdfSigner):
    """Signs with the time that the document names."""

    def __init__(self, metadata: signers.PdfSignatureMetadata, *, at: datetime) -> None:
        super().__init__(metadata, _signer(settings.SEAL))
        self._at = at

    def init_signing_session(
        self, pdf_out: BasePdfFileWriter, existing_fields_only: bool = False
    ) -> PdfSigningSession:
        session = super().init_signing_session(pdf_out, existing_fields_only)
        session.system_time = self._at
        return session


@lru_cache(maxsize=2)
def _signer(pem: str) -> signers.SimpleSigner:
    own = SigningKey.parse(pem)
    der = serialization.Encoding.DER
    key = own.key.private_bytes(der, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    chain = [x509.Certificate.load(one.public_bytes(der)) for one in own.chain]
    registry = SimpleCertificateStore()  # type: ignore[no-untyped-call]  # pyHanko's own
    registry.register_multiple(chain)
    return signers.SimpleSigner(
        signing_cert=x509.Certificate.load(own.certificate.public_bytes(der)),
        signing_key=keys.PrivateKeyInfo.load(key),
        cert_registry=registry,
    )


def _metadata(field: str, reason: str, **more: Any) -> signers.PdfSignatureMetadata:
    return signers.PdfSignatureMetadata(
        field_name=field,
        md_algorithm="sha256",
        subfilter=fields.SigSeedSubFilter.PADES,
        reason=reason,
        name=settings.COMPANY,
        **more,
    )


def sign(
    pdf: bytes,
    *,
    at: datetime,
    reason: str,
    facts: Mapping[str, Any],
    files: Mapping[str, bytes] = MappingProxyType({}),
    field: str = DEFAULT_FIELD,
    then: str = "",
) -> bytes:
    """Sign a PDF in a field; `facts` are attached as JSON, and so are `files`, JSON too, by their names.

    Nothing may follow but, where `then` names a second field, a signature in that one. `at`: with a time
    zone. Returns the signed PDF. Raises SigningKeyError.
    """
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    attached = json.dumps(facts, ensure_ascii=False, sort_keys=True, indent=1).encode("utf-8")
    # A name tree is sorted, for readers search it by halves (ISO 32000-1 §7.9.6).
    for name, data in sorted({FACTS: attached, **files}.items()):
        _attach(writer, name, data)
    for name in filter(None, (field, then)):
        fields.append_signature_field(writer, fields.SigFieldSpec(name))
    may_follow = fields.MDPPerm.FILL_FORMS if then else fields.MDPPerm.NO_CHANGES
    return _written(writer, _metadata(field, reason, certify=True, docmdp_permissions=may_follow), at)


def countersign(pdf: bytes, *, officer: str, at: datetime) -> bytes:
    """Add the second signature, which names the officer's number; the bytes before stay as they are.

    Raises SigningKeyError, also where there is no empty field for it.
    """
    try:
        writer = IncrementalPdfFileWriter(BytesIO(pdf))
        return _written(writer, _metadata(COUNTERSIGNATURE, countersigned_by(officer)), at)
    except (PdfError, SigningError) as error:
        raise SigningKeyError("the document has no empty field for a countersignature") from error


def countersigned_by(officer: str) -> str:
    """The reason that the second signature names."""
    return f"NDA: {officer}"


def _written(writer: IncrementalPdfFileWriter, metadata: signers.PdfSignatureMetadata, at: datetime) -> bytes:
    out = BytesIO()
    _Signer(metadata, at=at).sign_pdf(writer, existing_fields_only=True, output=out)
    return out.getvalue()


def _attach(writer: IncrementalPdfFileWriter, name: str, data: bytes) -> None:
    stream = embed.EmbeddedFileObject.from_file_data(writer, data, mime_type="application/json")
    embed.embed_file(writer, embed.FileSpec(name, embedded_data=stream))
