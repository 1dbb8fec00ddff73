"""Whether what is on file is still what was signed: each stored file against its hash, its seal, its
row, and the log."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from io import BytesIO
from typing import Any, Final

from asn1crypto import x509
from cryptography.hazmat.primitives import serialization
from django.conf import settings
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko_certvalidator import ValidationContext

from audit.models import Entry, Event, Outcome
from staff.models import NdaVersion, Signature, SignatureFile
from staff.nda.documents import pdf_signing
from staff.nda.documents.evidence import Evidence, EvidenceError
from staff.nda.documents.examination import judged
from staff.nda.documents.uploaded import verdict
from staff.nda.signing_key import SigningKey

#: How far the entry's time may stand from the file's: both are written by one transaction.
NEAR: Final = timedelta(minutes=1)
#: What each kind must hold: whose signatures, in their order.
FIELDS: Final = {
    SignatureFile.Kind.SIGNED: [pdf_signing.MEMBER],
    SignatureFile.Kind.COUNTERSIGNED: [pdf_signing.MEMBER, pdf_signing.COUNTERSIGNATURE],
}
FILED: Final = {
    Signature.Form.DOCUMENTARY: SignatureFile.Kind.SIGNED,
    Signature.Form.ELECTRONIC: SignatureFile.Kind.UPLOADED,
    Signature.Form.QUALIFIED: SignatureFile.Kind.UPLOADED,
    Signature.Form.PAPER: SignatureFile.Kind.UPLOADED,
}


def missing(signature: Signature) -> Iterator[str]:
    """What a signature should have on file, and has not. A founder's has nothing, and soon ends."""
    kinds = set(signature.files.values_list("kind", flat=True))
    wanted = FILED.get(Signature.Form(signature.form))
    if wanted and wanted not in kinds:
        yield f"no {wanted} file"
    if signature.countersigned_at and SignatureFile.Kind.COUNTERSIGNED not in kinds:
        yield "countersigned, but no countersigned file"


def problems(file: SignatureFile) -> Iterator[str]:
    """What is wrong with a stored file, in words; nothing when it is as it was. Never raises for what
    a file holds."""
    data, digest = bytes(file.data), bytes(file.sha256)
    if sha256(data).digest() != digest:
        yield "its bytes are not those of its SHA-256"
    if not _is_in_the_log(file, digest):
        yield "the log names no such file of this signature"
    if file.kind in FIELDS:
        yield from _of_sealed(file, data)
    elif file.signature.form in (Signature.Form.ELECTRONIC, Signature.Form.QUALIFIED):
        found = verdict(data, at=file.added_at)
        if not found.ok:
            yield f"its electronic signature: {found.code}"
        elif found.kind != file.signature.form:
            yield f"its electronic signature is {found.kind}, not {file.signature.form}"


def _is_in_the_log(file: SignatureFile, digest: bytes) -> bool:
    """The log cannot be rewritten: a file and its hash exchanged together are found by it."""
    found: bool = Entry.objects.filter(
        timestamp__range=(file.added_at - NEAR, file.added_at + NEAR),
        event=Event.SIGN,
        outcome=Outcome.ALLOWED,
        details__signature=file.signature_id,
        details__sha256=digest.hex(),
    ).exists()
    return found


def _of_sealed(file: SignatureFile, data: bytes) -> Iterator[str]:
    try:
        reader = PdfFileReader(BytesIO(data))
        yield from _of_own_signatures(reader, file)
        yield from _of_facts(_facts_in(reader), file.signature)
    except Exception:  # noqa: BLE001  # a damaged file breaks its readers in ways of its own
        yield "it cannot be read as a sealed PDF"
    if file.kind == SignatureFile.Kind.COUNTERSIGNED:
        signed = file.signature.files.filter(kind=SignatureFile.Kind.SIGNED).first()
        if signed is None or not data.startswith(bytes(signed.data)):
            yield "it does not begin with the file that the member signed"


def _of_own_signatures(reader: PdfFileReader, file: SignatureFile) -> Iterator[str]:
    signatures = list(reader.embedded_regular_signatures)
    if [one.field_name for one in signatures] != FIELDS[SignatureFile.Kind(file.kind)]:
        yield "it does not hold the signatures that it should"
        return
    yield from _of_each_signature(signatures)
    officer = file.signature.countersigned_by
    if len(signatures) == 2 and (  # both of FIELDS
        officer is None
        or signatures[1].sig_object.get("/Reason") != pdf_signing.countersigned_by(officer.number)
    ):
        yield "its countersignature names another officer than the row"


def _of_each_signature(signatures: list[EmbeddedPdfSignature]) -> Iterator[str]:
    for one in signatures:
        if one.signer_cert.dump() not in _own(settings.SEAL):
            yield f"{one.field_name}: not sealed with the company’s certificate"
            continue
        last = one is signatures[-1]
        code = judged(
            validate_pdf_signature(one, _context(one.signer_cert, one.self_reported_timestamp)),
            whole=last,
            may_follow=ModificationLevel.NONE if last else ModificationLevel.FORM_FILLING,
        )
        if code != "good":
            yield f"{one.field_name}: {code}"


@cache
def _own(pem: str) -> frozenset[bytes]:
    """The company's certificates: the sealing one, and those given behind it, as an older one is."""
    own = SigningKey.parse(pem)
    return frozenset(one.public_bytes(serialization.Encoding.DER) for one in (own.certificate, *own.chain))


def _context(certificate: x509.Certificate, at: datetime | None) -> ValidationContext:
    """Nothing but this certificate is trusted, as of the moment of sealing: it may have run out since."""
    return ValidationContext(trust_roots=[certificate], moment=at, allow_fetching=False)


def _facts_in(reader: PdfFileReader) -> dict[str, Any]:
    """The facts that the document holds for machines. Raises what the reader does when there are none."""
    names = list(reader.root["/Names"]["/EmbeddedFiles"]["/Names"])
    spec = names[names.index(pdf_signing.FACTS) + 1].get_object()
    facts = json.loads(spec["/EF"]["/F"].data)
    if not isinstance(facts, dict):
        raise TypeError("the facts are no object")
    return facts


def _of_facts(facts: dict[str, Any], signature: Signature) -> Iterator[str]:
    if facts != signature.evidence:
        yield "its evidence is not the row’s"
    try:
        evidence = Evidence.from_dict(facts)
    except EvidenceError as error:
        yield f"its evidence: {error}"
        return
    version = signature.version
    if version is None:
        yield "its row names no version"
        return
    yield from _of_evidence(evidence, signature, version)


def _of_evidence(evidence: Evidence, signature: Signature, version: NdaVersion) -> Iterator[str]:
    row = (signature.member.number, version.number, signature.language, signature.form)
    if row != (evidence.number, evidence.version, evidence.language, evidence.form):
        yield "its evidence speaks of another signature than the row"
    if abs(evidence.signed_at - signature.signed_at) > NEAR:
        yield "its time is not the row’s"
    polish = evidence.language == "pl"
    text, kept = (version.text_pl, version.sha256_pl) if polish else (version.text_en, version.sha256_en)
    if not evidence.speaks_of(text) or bytes(kept).hex() != evidence.sha256:
        yield "the version’s text is not the one that was signed"
