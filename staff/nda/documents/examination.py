"""Examines a PDF that somebody sent, in a process of its own: `python -I examination.py`.

In, by standard input: one line of JSON (`roots` as PEM, `moment` in ISO form; neither for a scan, which
nobody has signed), then the file. Out: one line of JSON with `code`; with `qualified`, `signer` and
`signed_at` when a signature's code is 'good'.
Whatever the file does to pyHanko happens here: bounded in time and memory, without our settings, keys
and connections. Nothing of ours is imported, and nothing is fetched.
"""

from __future__ import annotations

import json
import re
import resource
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from io import BytesIO
from itertools import islice
from typing import Any, Final

from asn1crypto import crl, ocsp, pem, x509
from pyhanko.pdf_utils.generic import ArrayObject, DictionaryObject, IndirectObject
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import diff_analysis as diff
from pyhanko.sign.ades.qualified_asn1 import get_qc_statements
from pyhanko.sign.ades.report import AdESIndeterminate
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.general import NonexistentAttributeError, find_unique_cms_attribute
from pyhanko.sign.validation import validate_pdf_signature, validate_pdf_timestamp
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.errors import NoDSSFoundError
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko.sign.validation.status import (
    DocumentTimestampStatus,
    ModificationInfo,
    PdfSignatureStatus,
    SignatureCoverageLevel,
    SignatureStatus,
)
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.policy_decl import (
    CertRevTrustPolicy,
    FreshnessReqType,
    RevocationCheckingPolicy,
)

SECONDS: Final = 20
MEMORY: Final = 1024**3
SIGNATURES: Final = 20
PAGES: Final = 200
FOR_SIGNATURES: Final = "qct_esign"
#: What may stand before a PDF's own beginning, in bytes: a mark, a letterhead of a mail gateway.
BEFORE: Final = 1024

#: What starts, opens or sends something when the document is opened or touched (ISO 32000-2 §12.6.4).
_ACTIONS: Final = frozenset(
    {
        *("/JavaScript", "/Launch", "/GoToE", "/GoToR", "/ImportData", "/SubmitForm"),
        *("/Rendition", "/RichMediaExecute", "/Movie", "/Sound", "/GoTo3DView"),
    }
)
_PLAYERS: Final = frozenset({"/RichMedia", "/Screen", "/Movie", "/Sound", "/3D"})
_PROGRAMS: Final = frozenset({"/JS", "/JavaScript", "/XFA"})
_FILES: Final = frozenset({"/EF", "/EmbeddedFiles"})

#: How an update ends that no signature covers: nothing may stand behind it.
_END: Final = re.compile(rb"startxref\s+[0-9]+\s+%%EOF(\r\n|\r|\n)?\Z")
#: A certificate that names these purposes alone is a server's, a program's or an authority's own.
_OTHER_PURPOSES: Final = frozenset({"server_auth", "code_signing", "time_stamping", "ocsp_signing"})
_SIGNING: Final = frozenset({"digital_signature", "non_repudiation"})
# What a key is for is judged here, so that a wrong one is not called an unknown root.
_ANY_USAGE: Final = KeyUsageConstraints(key_usage=frozenset())
#: What the file holds about a revocation counts, however old it is: nobody is asked for anything newer,
#: and a file that brings its proofs is not worse than one that brings none.
_REVOCATION: Final = CertRevTrustPolicy(
    RevocationCheckingPolicy.from_legacy("soft-fail"),
    freshness=timedelta(days=36_500),
    freshness_req_type=FreshnessReqType.MAX_DIFF_REVOCATION_VALIDATION,
    retroactive_revinfo=True,
)
#: What pyHanko calls a certificate about whose revocation it was told something that it cannot use.
_UNUSABLE: Final = (AdESIndeterminate.CERTIFICATE_CHAIN_GENERAL_FAILURE, AdESIndeterminate.TRY_LATER)
#: pyHanko's own policy, without the rule by which a field that is no signature's may be filled in.
_POLICY: Final = diff.StandardDiffPolicy(
    global_rules=[
        diff.CatalogModificationRule(),  # type: ignore[no-untyped-call]  # pyHanko's own
        *(
            rule.as_qualified(ModificationLevel.LTA_UPDATES)
            for rule in (
                diff.DocInfoRule(),
                diff.XrefStreamRule(),
                diff.ObjectStreamRule(),
                diff.DSSCompareRule(),
                diff.MetadataUpdateRule(),  # type: ignore[no-untyped-call]  # pyHanko's own
            )
        ),
    ],
    form_rule=diff.FormUpdatingRule(
        field_rules=[
            diff.SigFieldCreationRule(),  # type: ignore[no-untyped-call]  # pyHanko's own
            diff.SigFieldModificationRule(),
        ]
    ),
)


@dataclass(frozen=True)
class Known:
    """What certificates are judged by: the roots that are trusted, and what the file brings with it."""

    roots: list[x509.Certificate]
    certificates: list[x509.Certificate]
    responses: list[ocsp.OCSPResponse]
    lists: list[crl.CertificateList]

    def bare(self) -> Known:
        """Without what the file holds about revocation."""
        return replace(self, responses=[], lists=[])

    def as_of(self, moment: datetime) -> ValidationContext:
        """A context remembers certificates: a new one for each judgement."""
        return ValidationContext(
            trust_roots=self.roots,
            other_certs=self.certificates,
            ocsps=self.responses,
            crls=self.lists,
            moment=moment,
            revinfo_policy=_REVOCATION,
            allow_fetching=False,
        )


def bound() -> None:
    """Take from this process what it does not need."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def examine(data: bytes, *, roots: str, moment: datetime) -> dict[str, Any]:
    """Judge the file: every signature and time stamp in it must be good, and nothing may have changed what
    the last signature covers. What may follow is a proof that it was good: certificates, answers about
    their revocation, time stamps over the document (ETSI EN 319 142-1, levels B-B to B-LTA)."""
    data = _from_its_beginning(data)
    closed = _closed(data)
    if closed:
        return {"code": closed}
    answer = _judge(data, roots, moment)
    unfitting = unfit(data, files=True) if answer["code"] == "good" else ""
    return {"code": unfitting} if unfitting else answer


def _judge(data: bytes, roots: str, moment: datetime) -> dict[str, Any]:
    reader = PdfFileReader(BytesIO(data))
    signatures = list(reader.embedded_regular_signatures)
    stamps = list(reader.embedded_timestamp_signatures)
    if not signatures:
        return {"code": "no_signature"}
    if len(signatures) + len(stamps) > SIGNATURES:
        return {"code": "malformed"}
    anchors = [x509.Certificate.load(der) for *_, der in pem.unarmor(roots.encode("ascii"), multiple=True)]
    known = _known(reader, signatures, anchors)
    last = reader.total_revisions - 1
    if not _END.search(data) and all(one.signed_revision < last for one in (*signatures, *stamps)):
        return {"code": "added"}
    code, status = _code(signatures, stamps, known, moment, last)
    if code != "good":
        return {"code": code}
    return _facts(signatures[-1], status) if status else {"code": "malformed"}


def _code(
    signatures: Sequence[EmbeddedPdfSignature],
    stamps: Sequence[EmbeddedPdfSignature],
    known: Known,
    moment: datetime,
    last: int,
) -> tuple[str, Any]:
    """The first code that is not good, or good; and what was found of the newest signature."""
    # From the newest to the oldest: a time stamp proves that what it covers was there at its time, so
    # what is older is judged as of then, though its certificate has run out since.
    at, status = moment, None
    for one in sorted((*signatures, *stamps), key=lambda one: one.signed_revision, reverse=True):
        whole = one.signed_revision == last
        if one.sig_object_type == "/DocTimeStamp":
            stamp = _stamped(one, known, at)
            code = _of_stamp(stamp, whole=whole)
            at = min(at, stamp.timestamp)
        else:
            found = _validated(one, known, at)
            newest = one is signatures[-1]
            may_follow = ModificationLevel.LTA_UPDATES if newest else ModificationLevel.FORM_FILLING
            code = judged(found, whole=whole, may_follow=may_follow)
            status = found if newest else status
        if code != "good":
            return code, None
    return "good", status


def _from_its_beginning(data: bytes) -> bytes:
    """Without what stands before the PDF; nothing where it has no beginning."""
    start = data.find(b"%PDF-", 0, BEFORE + len(b"%PDF-"))
    return data[start:] if start >= 0 else b""


def scan(data: bytes) -> dict[str, Any]:
    """Judge a file that is nothing but paper: it opens, and is what readers show, and no more."""
    data = _from_its_beginning(data)
    return {"code": _closed(data) or unfit(data, files=False) or "good"}


def _closed(data: bytes) -> str:
    """Why it cannot be looked into, as a code. Raises what its reader does."""
    if not data:
        return "not_pdf"
    return "encrypted" if PdfFileReader(BytesIO(data), strict=False).encrypted else ""


def unfit(data: bytes, *, files: bool) -> str:
    """Why nobody could read the document safely, as a code; '' where there is no reason.

    `files`: it may hold other files, as signed ones bring their evidence. Raises what its reader does.
    """
    reader = PdfFileReader(BytesIO(data), strict=False)
    pages = sum(1 for _page in islice(_pages(reader.root["/Pages"]), PAGES + 1))
    if not pages:
        return "no_pages"
    if pages > PAGES:
        return "too_many_pages"
    found = {code for one in _dictionaries(reader.root) for code in _dangers(one)}
    if "active" in found:
        return "active"
    return "attached" if found and not files else ""


def _pages(tree: Any) -> Iterator[Any]:
    """The pages below a node; a node that occurs twice is walked once."""
    seen, waiting = set[Any](), [tree]
    while waiting:
        node = waiting.pop()
        if node.container_ref in seen:
            continue
        seen.add(node.container_ref)
        if "/Kids" in node:
            waiting += [node["/Kids"][place] for place in range(len(node["/Kids"]))]
        elif node.get("/Type") == "/Page":
            yield node


def _dictionaries(root: Any) -> Iterator[Any]:
    """All dictionaries of a document, whatever refers to them; each once. Nothing of them is unpacked."""
    seen, waiting = set[Any](), [root]
    while waiting:
        one = waiting.pop()
        if isinstance(one, IndirectObject):
            if one.reference in seen:
                continue
            seen.add(one.reference)
            one = one.get_object()  # type: ignore[no-untyped-call]  # pyHanko's own
        if isinstance(one, DictionaryObject):
            yield one
            waiting += one.values()
        elif isinstance(one, ArrayObject):
            waiting += one


def _dangers(one: Any) -> Iterator[str]:
    """What a dictionary does by itself, or brings along, as codes."""
    if one.get("/S") in _ACTIONS or one.get("/Subtype") in _PLAYERS or _PROGRAMS & one.keys():
        yield "active"
    if _FILES & one.keys():
        yield "attached"


def _known(
    reader: PdfFileReader, signatures: Iterable[EmbeddedPdfSignature], roots: list[x509.Certificate]
) -> Known:
    try:
        store = DocumentSecurityStore.read_dss(reader)
    except NoDSSFoundError:
        store = DocumentSecurityStore(writer=None)
    attributes = list(_archived(signatures))
    responses = [ocsp.OCSPResponse.load(one.get_object().data) for one in store.ocsps]
    responses += [one for attribute in attributes for one in attribute["ocsp"]]
    lists = [crl.CertificateList.load(one.get_object().data) for one in store.crls]
    lists += [one for attribute in attributes for one in attribute["crl"]]
    return Known(roots=roots, certificates=list(store.load_certs()), responses=responses, lists=lists)


def _archived(signatures: Iterable[EmbeddedPdfSignature]) -> Iterator[Any]:
    """Answers about revocation that appear in the signatures themselves, as Adobe's have them."""
    for one in signatures:
        try:
            yield find_unique_cms_attribute(one.signer_info["signed_attrs"], "adobe_revocation_info_archival")
        except NonexistentAttributeError:
            continue


def _validated(signature: EmbeddedPdfSignature, known: Known, at: datetime) -> PdfSignatureStatus:
    """The status as of the signature's own time stamp, where it has a good one.

    An answer about revocation that cannot be used, as one whose responder's own certificate ran out, is
    worth nothing, and not worse than none; one by which something was revoked always counts.
    """
    bare = known.bare()
    status = _at_its_stamp(signature, known, known, at)
    if _is_unusable(status, status.timestamp_validity):
        status = _at_its_stamp(signature, known, bare, at)
    if _is_unusable(status, status.timestamp_validity):
        status = _at_its_stamp(signature, bare, bare, at)
    return status


def _stamped(signature: EmbeddedPdfSignature, known: Known, at: datetime) -> DocumentTimestampStatus:
    """The same of a time stamp over the document."""
    status = validate_pdf_timestamp(signature, known.as_of(at), diff_policy=_POLICY)
    if _is_unusable(status):
        status = validate_pdf_timestamp(signature, known.bare().as_of(at), diff_policy=_POLICY)
    return status


def _is_unusable(*found: SignatureStatus | None) -> bool:
    there = [one for one in found if one]
    unusable = any(one.trust_problem_indic in _UNUSABLE for one in there)
    return unusable and not any(one.revoked for one in there)


def _at_its_stamp(
    signature: EmbeddedPdfSignature, known: Known, of_stamp: Known, at: datetime
) -> PdfSignatureStatus:
    stamps = of_stamp.as_of
    status = _validated_as_of(signature, known.as_of(at), stamps(at))
    stamp = status.timestamp_validity
    if stamp and stamp.valid and stamp.trusted and stamp.timestamp < at:
        status = _validated_as_of(signature, known.as_of(stamp.timestamp), stamps(at))
    return status


def _validated_as_of(
    signature: EmbeddedPdfSignature, signer: ValidationContext, stamp: ValidationContext
) -> PdfSignatureStatus:
    return validate_pdf_signature(
        signature, signer, stamp, diff_policy=_POLICY, key_usage_settings=_ANY_USAGE
    )


def judged(status: PdfSignatureStatus, *, whole: bool, may_follow: ModificationLevel) -> str:
    """What is wrong with one signature, as a code; 'good' when nothing is.

    `whole`: it must cover the file to its last byte. `may_follow`: how much may have been added since.
    """
    if not (status.intact and status.valid):
        return "broken"
    if not _is_covered(status, whole=whole, may_follow=may_follow) or not status.docmdp_ok:
        return "added"
    if status.revoked:
        return "revoked"
    if not status.trusted:
        expired = status.trust_problem_indic == AdESIndeterminate.OUT_OF_BOUNDS_NO_POE
        return "expired" if expired else "untrusted"
    if not _is_for_signing(status.signing_cert):
        return "usage"
    return "good" if status.bottom_line else "timestamp"


def _of_stamp(status: DocumentTimestampStatus, *, whole: bool) -> str:
    """The same of a time stamp over the document."""
    if not (status.intact and status.valid):
        return "broken"
    if not _is_covered(status, whole=whole, may_follow=ModificationLevel.LTA_UPDATES):
        return "added"
    return "good" if status.trusted and not status.revoked else "timestamp"


def _is_covered(status: ModificationInfo, *, whole: bool, may_follow: ModificationLevel) -> bool:
    level = status.modification_level
    least = SignatureCoverageLevel.ENTIRE_FILE if whole else SignatureCoverageLevel.ENTIRE_REVISION
    return (
        status.coverage is not None and status.coverage >= least and level is not None and level <= may_follow
    )


def _is_for_signing(certificate: x509.Certificate) -> bool:
    """Whether the key may sign documents: as `nonRepudiation`, as `digitalSignature`, or both, as
    authorities set them; and not a server's or a program's alone (RFC 5280 §4.2.1.3, §4.2.1.12)."""
    usage, purposes = certificate.key_usage_value, certificate.extended_key_usage_value
    return (usage is None or bool(_SIGNING & set(usage.native))) and (
        purposes is None or not set(purposes.native) <= _OTHER_PURPOSES
    )


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
    """Read, examine, and say: a code in any case, because what goes wrong is the file's fault."""
    bound()
    options = json.loads(sys.stdin.buffer.readline())
    data = sys.stdin.buffer.read()
    try:
        answer = (
            examine(data, roots=options["roots"], moment=datetime.fromisoformat(options["moment"]))
            if options
            else scan(data)
        )
    except (Exception, RecursionError):  # noqa: BLE001  # hostile files have their own ideas of an error
        answer = {"code": "malformed"}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
