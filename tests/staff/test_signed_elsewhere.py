"""PDFs as qualified trust services deliver them, at every level of PAdES; and what was changed since."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from io import BytesIO
from typing import Any

import pytest
from asn1crypto.crl import CertificateList
from asn1crypto.ocsp import OCSPResponse
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import fields, signers
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pytest_django import Settings
from reportlab.pdfgen.canvas import Canvas

from staff.nda.documents.examination import examine
from staff.nda.documents.uploaded import verdict
from tests.world.authority import plain_pdf
from tests.world.trust import KEYS, NOW, YEAR, Service, usage

pytestmark = pytest.mark.pdf
#: pyHanko's objects, which have no types.
PDF: Any = generic
Change = Callable[[Any], None]
LEVELS = ("B-B", "B-T", "B-LT", "B-LTA")


@cache
def service() -> Service:
    return Service()


@pytest.fixture(autouse=True)
def _trusted(settings: Settings) -> None:
    settings.TRUST_ROOTS = service().root.pem


@cache
def signed(level: str = "B-LTA") -> bytes:
    return service().sign(plain_pdf(), level)


def with_lists(pdf: bytes, trust: Service) -> bytes:
    """The PDF with the authorities' lists added as its proofs."""
    out = BytesIO(pdf)
    lists = [CertificateList.load(trust.crl(one)) for one in (trust.root, trust.issuer)]
    DocumentSecurityStore.add_dss(out, None, crls=lists, force_write=True)
    return out.getvalue()


def code_of(pdf: bytes) -> str:
    """As the process that examines says it, without one."""
    try:
        found = examine(pdf, roots=service().root.pem, moment=datetime.now(UTC))
    except Exception:  # noqa: BLE001  # what a file does to its reader is the file's fault
        return "malformed"
    return str(found["code"])


# What is delivered


@pytest.mark.parametrize("level", LEVELS)
def test_every_level_is_good(level: str) -> None:
    found = verdict(signed(level))
    assert (found.code, found.kind, found.signer) == ("good", "qualified", "Łucja Żak")


@pytest.mark.parametrize("level", LEVELS[2:])
def test_answers_about_one_certificate_serve_as_lists_do(level: str) -> None:
    assert verdict(service().sign(plain_pdf(), level, answers=True)).ok


def test_proofs_that_come_later_are_good_one_after_another() -> None:
    later = service().prove(signed("B-T"))
    assert verdict(later).ok
    stamped = service().stamp(later)
    assert verdict(stamped).ok
    assert verdict(service().stamp(stamped)).ok
    assert verdict(with_lists(stamped, service())).ok  # proofs of the time stamp's own
    assert verdict(service().stamp(signed("B-B"))).ok


def test_two_signatures_with_their_proofs_are_good() -> None:
    both = service().sign(signed("B-LT"), "B-LT", field_name="Signature2")
    assert verdict(both).ok
    assert verdict(service().stamp(both)).ok


@pytest.mark.parametrize("kind", KEYS)
def test_every_kind_of_key_is_good(kind: str, settings: Settings) -> None:
    other = Service(kind)
    settings.TRUST_ROOTS = other.root.pem
    assert verdict(other.sign(plain_pdf(), "B-B" if kind == "ed25519" else "B-LTA")).ok


@pytest.mark.parametrize(
    "names", [("content_commitment",), ("digital_signature",), ("digital_signature", "content_commitment")]
)
def test_key_usages_are_taken_as_authorities_set_them(names: tuple[str, ...]) -> None:
    person = service().certify(key_usage=usage(*names))
    assert verdict(service().sign(plain_pdf(), by=person)).ok


@pytest.mark.parametrize(
    ("names", "purposes", "code"),
    [
        (("content_commitment",), (ExtendedKeyUsageOID.EMAIL_PROTECTION,), "good"),
        (("content_commitment",), (ExtendedKeyUsageOID.CLIENT_AUTH,), "good"),
        (("digital_signature",), (x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36"),), "good"),
        (("digital_signature",), (ExtendedKeyUsageOID.SERVER_AUTH,), "usage"),
        (
            ("digital_signature",),
            (ExtendedKeyUsageOID.CODE_SIGNING, ExtendedKeyUsageOID.TIME_STAMPING),
            "usage",
        ),
        (("key_encipherment",), (), "usage"),
        (("crl_sign",), (), "usage"),
    ],
)
def test_a_servers_or_a_programs_key_is_no_persons_and_is_called_so(
    names: tuple[str, ...], purposes: tuple[x509.ObjectIdentifier, ...], code: str
) -> None:
    person = service().certify(key_usage=usage(*names), purposes=purposes)
    assert verdict(service().sign(plain_pdf(), by=person)).code == code


def test_an_authority_that_issues_can_be_what_is_believed(settings: Settings) -> None:
    settings.TRUST_ROOTS = service().issuer.pem  # as national trusted lists name it
    assert verdict(signed("B-B")).ok


def test_a_certificate_between_that_only_the_proofs_hold_is_found_there() -> None:
    bare = service().sign(plain_pdf(), "B-T", chain=False)
    assert verdict(bare).code == "untrusted"
    assert verdict(service().prove(bare)).ok


@pytest.mark.parametrize("before", [b"\xef\xbb\xbf", b"\n", b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 1024])
@pytest.mark.parametrize("level", ["B-B", "B-LTA"])
def test_a_mark_before_the_pdf_is_no_part_of_it(before: bytes, level: str) -> None:
    assert verdict(before + signed(level)).ok


def test_further_than_that_nothing_is_searched_for() -> None:
    assert verdict(b"x" * 1025 + signed("B-B")).code == "not_pdf"


# Time, and what was revoked

LONG_AGO = NOW - 4 * YEAR


@pytest.fixture
def old(settings: Settings) -> Service:
    """Its person's certificate ran from five years to three years ago."""
    found = Service(since=NOW - 5 * YEAR, until=NOW - 3 * YEAR)
    settings.TRUST_ROOTS = found.root.pem
    return found


@pytest.mark.parametrize("level", LEVELS)
def test_what_ran_out_is_good_where_a_time_stamp_proves_that_it_was_signed_before(
    level: str, old: Service
) -> None:
    found = verdict(old.sign(plain_pdf(), level, at=LONG_AGO))
    if level == "B-B":
        assert found.code == "expired"
    else:
        assert found.ok
        assert found.signed_at == LONG_AGO


def test_a_time_stamp_whose_unit_ran_out_needs_a_newer_one(old: Service) -> None:
    brief = old.stamp(old.sign(plain_pdf(), at=LONG_AGO), LONG_AGO, until=NOW - 2 * YEAR)
    assert verdict(brief).code == "timestamp"
    assert verdict(old.stamp(brief, NOW - 5 * YEAR / 2)).ok
    assert verdict(old.stamp(brief, NOW - YEAR)).code == "timestamp"  # too late


def test_a_time_stamp_by_nobody_who_is_believed_proves_nothing(old: Service) -> None:
    stranger = Service(name="Stranger")
    alone = old.sign(plain_pdf(), at=LONG_AGO)
    assert verdict(stranger.stamp(alone, LONG_AGO)).code == "timestamp"


def test_what_was_revoked_before_it_was_signed_is_refused_and_after_it_was_stamped_is_not(
    settings: Settings,
) -> None:
    trust = Service()
    settings.TRUST_ROOTS = trust.root.pem
    number = trust.person.certificate.serial_number
    plain = {level: trust.sign(plain_pdf(), level, at=NOW - timedelta(days=9)) for level in ("B-B", "B-T")}
    found = {}
    for name, when in {"before": 20, "after": 2}.items():
        for level, pdf in plain.items():
            found[level, name] = _proved_as_revoked(trust, pdf, number, when)
    assert found == {
        ("B-B", "before"): "revoked",
        ("B-T", "before"): "revoked",
        ("B-B", "after"): "revoked",
        ("B-T", "after"): "good",
    }


def _proved_as_revoked(trust: Service, pdf: bytes, number: int, days: int) -> str:
    """The verdict of the file with a list in it by which its certificate was revoked so many days ago."""
    trust.revoked = {number: NOW - timedelta(days=days)}
    return verdict(with_lists(pdf, trust)).code


def test_an_answer_that_cannot_be_used_any_more_is_not_worse_than_none(settings: Settings) -> None:
    trust, before = Service(), NOW - timedelta(days=30)
    settings.TRUST_ROOTS = trust.root.pem
    brief = trust.responder(until=NOW - timedelta(days=20))
    for level in ("B-T", "B-B"):
        pdf = BytesIO(trust.sign(plain_pdf(), level, at=before))
        answer = OCSPResponse.load(trust.answer(trust.person, before, by=brief))
        DocumentSecurityStore.add_dss(pdf, None, ocsps=[answer], force_write=True)
        assert verdict(pdf.getvalue()).ok
    trust.revoked[trust.person.certificate.serial_number] = NOW - timedelta(days=25)
    assert verdict(with_lists(pdf.getvalue(), trust)).code == "revoked"


def test_an_answer_in_the_signature_itself_counts_too() -> None:
    """As Adobe's have it."""
    trust = service()
    subfilter = fields.SigSeedSubFilter.ADOBE_PKCS7_DETACHED
    adobe = trust.sign(plain_pdf(), "B-LT", subfilter=subfilter, answers=True)
    assert PdfFileReader(BytesIO(adobe)).root.get("/DSS") is None
    assert verdict(adobe).ok


# What was changed since


def form() -> bytes:
    """A PDF with a field to fill in."""
    out = BytesIO()
    canvas = Canvas(out, invariant=1)
    canvas.drawString(72, 720, "I owe you:")
    canvas.acroForm.textfield(name="sum", value="10", x=72, y=680)
    canvas.save()
    return out.getvalue()


def changed(pdf: bytes, change: Change) -> bytes:
    """The PDF with an update behind it."""
    writer: Any = IncrementalPdfFileWriter(BytesIO(pdf))
    change(writer)
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def _page(writer: Any) -> Any:
    page: PDF.DictionaryObject = writer.root["/Pages"]["/Kids"][0].get_object()
    return page


def other_words(writer: Any) -> None:
    page = _page(writer)
    page["/Contents"] = writer.add_object(PDF.StreamObject(stream_data=b"BT (Other words) Tj ET"))
    writer.update_container(page)


def another_page(writer: Any) -> None:
    pages = writer.root["/Pages"]
    page = PDF.DictionaryObject(_page(writer))
    pages["/Kids"].append(writer.add_object(page))
    pages["/Count"] = PDF.NumberObject(2)
    writer.update_container(pages)
    writer.update_container(pages["/Kids"])


def a_note(writer: Any) -> None:
    page, name = _page(writer), PDF.NameObject
    box = PDF.ArrayObject(map(PDF.NumberObject, (0, 0, 600, 800)))
    note = PDF.DictionaryObject(
        {name("/Type"): name("/Annot"), name("/Subtype"): name("/Square"), name("/Rect"): box}
    )
    page["/Annots"] = PDF.ArrayObject([*page.get("/Annots", ()), writer.add_object(note)])
    writer.update_container(page)


def an_act(writer: Any) -> None:
    name = PDF.NameObject
    script = {name("/S"): name("/JavaScript"), name("/JS"): PDF.TextStringObject("app.alert(1)")}
    writer.root["/OpenAction"] = PDF.DictionaryObject(script)
    writer.update_root()


def another_sum(writer: Any) -> None:
    field = writer.root["/AcroForm"]["/Fields"][0].get_object()
    field["/V"] = PDF.TextStringObject("10000")
    writer.update_container(field)


def other_letters(writer: Any) -> None:
    """The same words, drawn in another font."""
    font = next(iter(_page(writer)["/Resources"]["/Font"].values())).get_object()
    font["/BaseFont"] = PDF.NameObject("/Symbol")
    writer.update_container(font)


CHANGES = (other_words, another_page, a_note, an_act, other_letters)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("change", CHANGES)
def test_what_changes_the_document_is_refused_at_every_level(change: Change, level: str) -> None:
    assert code_of(changed(signed(level), change)) == "added"


@pytest.mark.parametrize("change", CHANGES)
def test_proofs_behind_a_change_do_not_heal_it(change: Change) -> None:
    touched = changed(signed("B-T"), change)
    assert code_of(service().stamp(touched)) == "added"
    proved = BytesIO(touched)
    DocumentSecurityStore.add_dss(proved, None, certs=[service().issuer.asn1], force_write=True)
    assert code_of(proved.getvalue()) == "added"


def test_a_change_between_two_signatures_is_refused() -> None:
    for change in CHANGES:
        both = service().sign(changed(signed("B-B"), change), field_name="Signature2")
        assert code_of(both) == "added"


@pytest.mark.parametrize("level", LEVELS)
def test_a_field_that_is_filled_in_afterwards_is_a_change(level: str) -> None:
    filled = service().sign(form(), level)
    assert code_of(filled) == "good"
    other = changed(filled, another_sum)
    assert code_of(other) == "added"
    assert code_of(service().sign(other, field_name="Signature2")) == "added"


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("more", [b"\n%", b" ", b"\0", b"%%EOF\n%%EOF", b"startxref\n0\n%%EOF\n"])
def test_bytes_at_the_end_are_a_change(level: str, more: bytes) -> None:
    assert code_of(signed(level) + more) in ("added", "malformed")


def test_a_proof_that_is_none_is_a_change() -> None:
    def more(writer: Any) -> None:
        writer.root["/DSS"]["/More"] = PDF.TextStringObject("words")
        writer.update_container(writer.root["/DSS"])

    assert code_of(changed(signed("B-LT"), more)) == "added"


def test_a_time_stamp_that_can_be_seen_is_a_change() -> None:
    """It could cover what was signed."""
    box = fields.SigFieldSpec("Stamp", on_page=0, box=(0, 0, 600, 800))
    writer = IncrementalPdfFileWriter(BytesIO(signed("B-LT")))
    fields.append_signature_field(writer, box)
    out = BytesIO()
    signers.PdfTimeStamper(service().stamper(), field_name="Stamp").timestamp_pdf(
        writer, "sha256", service().known(), output=out
    )
    assert code_of(out.getvalue()) == "added"


@pytest.mark.parametrize("level", LEVELS)
def test_a_byte_of_what_was_signed_is_a_change(level: str) -> None:
    pdf = signed(level)
    place = pdf.index(b"stream") + 12
    assert code_of(pdf[:place] + bytes([pdf[place] ^ 1]) + pdf[place + 1 :]) in ("broken", "malformed")


def test_an_older_revision_of_it_is_what_it_was() -> None:
    """Cut back to the signature, it is B-T again: less proved, and nothing else."""
    whole = signed("B-LTA")
    first = PdfFileReader(BytesIO(whole)).embedded_regular_signatures[0]
    _start, _length, place, rest = first.byte_range
    assert code_of(whole[: place + rest]) == "good"
