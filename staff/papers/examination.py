"""Examines a PDF that somebody sent, in a process of its own: `python -I examination.py`.

In, by standard input: one line of JSON (`roots` as PEM, `moment` in ISO form), then the file. Out:
one line of JSON with `code`; with `qualified`, `signer` and `signed_at` when the code is 'good'.
Whatever the file does to pyHanko happens here: bounded in time and memory, without our settings, keys
and connections. Nothing of ours is imported, and nothing is fetched.
"""

from __future__ import annotations

import json
import resource
import sys
from datetime import datetime
from io import BytesIO
from typing import Any, Final

from asn1crypto import pem, x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.qualified_asn1 import get_qc_statements
from pyhanko.sign.ades.report import AdESIndeterminate
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import PdfSignatureStatus, SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

SECONDS: Final = 20
MEMORY: Final = 1024**3
SIGNATURES: Final = 20
FOR_SIGNATURES: Final = "qct_esign"


def bound() -> None:
    """Take from this process what it does not need."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def examine(data: bytes, *, roots: str, moment: datetime) -> dict[str, Any]:
    """Judge the file: every signature in it must be good, and the last cover it to its last byte."""
    if not data.startswith(b"%PDF-"):
        return {"code": "not_pdf"}
    reader = PdfFileReader(BytesIO(data))
    if reader.encrypted:
        return {"code": "encrypted"}
    signatures = list(reader.embedded_regular_signatures)
    if not signatures:
        return {"code": "no_signature"}
    if len(signatures) > SIGNATURES:
        return {"code": "malformed"}
    anchors = [x509.Certificate.load(der) for *_, der in pem.unarmor(roots.encode("ascii"), multiple=True)]
    for signature in signatures:
        # A context remembers what it was told of certificates: one for each.
        context = ValidationContext(trust_roots=anchors, moment=moment, allow_fetching=False)
        status = validate_pdf_signature(signature, context)
        code = judged(status, last=signature is signatures[-1])
        if code != "good":
            return {"code": code}
    return _facts(signatures[-1], status)


def judged(status: PdfSignatureStatus, *, last: bool) -> str:
    """What is wrong with one signature, as a code; 'good' when nothing is."""
    whole = SignatureCoverageLevel.ENTIRE_FILE if last else SignatureCoverageLevel.ENTIRE_REVISION
    may_follow = ModificationLevel.NONE if last else ModificationLevel.FORM_FILLING
    if not (status.intact and status.valid):
        return "broken"
    if status.coverage < whole or not isinstance(status.modification_level, ModificationLevel):
        return "added"
    if status.modification_level > may_follow or not status.docmdp_ok:
        return "added"
    if status.revoked:
        return "revoked"
    if not status.trusted:
        expired = status.trust_problem_indic == AdESIndeterminate.OUT_OF_BOUNDS_NO_POE
        return "expired" if expired else "untrusted"
    return "good" if status.bottom_line else "timestamp"


def _facts(signature: EmbeddedPdfSignature, status: PdfSignatureStatus) -> dict[str, Any]:
    certificate = status.signing_cert
    stamp = status.timestamp_validity
    at = stamp.timestamp if stamp else signature.self_reported_timestamp
    return {
        "code": "good",
        "qualified": is_qualified(certificate),
        "signer": str(certificate.subject.native.get("common_name", ""))[:200],
        "signed_at": at.isoformat() if at and at.tzinfo else "",
    }


def is_qualified(certificate: x509.Certificate) -> bool:
    """Whether the certificate says that it is qualified (EN 319 412-5), its key in a qualified device,
    and, where it says what for, that it is for a person's signatures and no seal or site."""
    stated = {
        one["statement_id"].native: one["statement_info"].native for one in get_qc_statements(certificate)
    }
    kinds = stated.get("qc_type")
    return {"qc_compliance", "qc_sscd"} <= stated.keys() and (kinds is None or FOR_SIGNATURES in kinds)


def main() -> None:
    """Read, examine, and say: a code in any case, for what goes wrong is the file's fault."""
    bound()
    asked = json.loads(sys.stdin.buffer.readline())
    data = sys.stdin.buffer.read()
    try:
        answer = examine(data, roots=asked["roots"], moment=datetime.fromisoformat(asked["moment"]))
    except (Exception, RecursionError):  # noqa: BLE001  # hostile files have their own ideas of an error
        answer = {"code": "malformed"}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
