"""Signed agreements: the PDF, its signature, what was signed elsewhere, and whether it is unchanged."""

from __future__ import annotations

import dataclasses
import http.server
import json
import re
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from io import BytesIO, StringIO
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID
from django.core.management import CommandError, call_command
from django.utils import translation
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import copy_into_new_writer
from pytest_django import Settings

from staff.models import NdaVersion, Signature, SignatureFile
from staff.nda import documents, signatures, signing
from staff.nda.documents import checking, drawing, fonts, uploaded
from staff.nda.documents.evidence import Evidence, EvidenceError
from staff.nda.documents.markdown import can_be_shown, to_flowables, to_html
from staff.nda.documents.uploaded import verdict
from staff.nda.signing_key import SigningKeyError, new_signing_key
from tests.conftest import Connection
from tests.world import Person, World
from tests.world.authority import SEAL, Authority, Signatory, plain_pdf, qualified_statements
from tests.world.harmful import bomb, in_a_circle, nested
from tests.world.keys import session_of
from tests.world.people import member
from tests.world.poppler import attachments_of, facts_of, fonts_of, problems_of, signatures_of, text_of

pytestmark = pytest.mark.pdf

LETTERS = "Zażółć gęślą jaźń ĄĆĘŁŃÓŚŹŻ ąćęłńóśźż"
TEXT = f"""# Umowa o zachowaniu poufności

{LETTERS}. **Bardzo ważne**, *naprawdę*.

1. Pierwszy obowiązek.
2. Drugi obowiązek:
   - adres e-mail,
   - rachunek bankowy.

## Koniec

<b>Nic</b> [stąd](https://example.com) nie jest odnośnikiem.
"""
AT = datetime(2026, 11, 22, 17, 5, 9, tzinfo=UTC)


def evidence(text: str = TEXT, **changes: Any) -> Evidence:
    facts: dict[str, Any] = {
        "number": "K-1001",
        "name": "Łucja Żółć-Wiśniewska",
        "version": 3,
        "sha256": sha256(text.encode()).hexdigest(),
        "language": "pl",
        "typed_name": "Łucja Żółć-Wiśniewska",
        "consent": "Przeczytałam całą umowę i jestem nią związana.",
        "method": "passkey",
        "signed_at": AT,
        "address": "192.0.2.17",
        "user_agent": "Mozilla/5.0 (X11; Linux x86_64)",
        "session": 4711,
        "form": "documentary",
    }
    return Evidence(**(facts | changes))


@cache
def signed(*, countersigned: bool = False) -> bytes:
    return documents.agreement(evidence(), TEXT, countersigned=countersigned)


@cache
def countersigned() -> bytes:
    return documents.countersign(signed(countersigned=True), officer="K-1004", at=AT + timedelta(hours=1))


# Evidence


def test_evidence_comes_back_from_json_as_it_was() -> None:
    facts = json.loads(json.dumps(evidence().to_dict()))
    assert Evidence.from_dict(facts) == evidence()
    assert facts["signed_at"] == "2026-11-22T17:05:09+00:00"


@pytest.mark.parametrize(
    "change",
    [
        {"version": "3"},
        {"session": None},
        {"number": 7},
        {"more": "x"},
        {"signed_at": "yesterday"},
        {"signed_at": "2026-11-22T17:05:09"},
        {"session": True},
    ],
)
def test_facts_of_another_kind_are_no_evidence(change: dict[str, Any]) -> None:
    with pytest.raises(EvidenceError):
        Evidence.from_dict(evidence().to_dict() | change)


def test_a_fact_that_is_missing_is_missed() -> None:
    facts = evidence().to_dict()
    del facts["consent"]
    with pytest.raises(EvidenceError):
        Evidence.from_dict(facts)


# The text

TAG = re.compile(r"</?([a-z0-9]+)[^>]*>")
SAFE = {"h1", "h2", "h3", "h4", "h5", "h6", "p", "ol", "ul", "li", "strong", "em", "br"}


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<b>b</b> & <!-- c -->",
        "[l](javascript:alert(1)) <https://x.example> https://x.example",
        "![i](https://x.example/i.png)",
        "[r]: https://x.example\n\n[r]",
        "`code`\n\n    indented\n\n```\nfenced\n```",
        "> quote\n\n---\n\n| a | b |\n|---|---|",
        "&lt;img src=x onerror=alert(1)&gt;",
    ],
)
def test_only_the_safe_subset_becomes_elements(text: str) -> None:
    html = to_html(text)
    assert set(TAG.findall(html)) <= SAFE
    assert not re.search(r"<[^>]*(href|src|on\w+)=", html)


@effort(deadline=None, max_examples=150)
@given(st.text(alphabet="<>&[]()!*_#-+. \n`\\:/\"'=ax1ł|~", max_size=200))
def test_whatever_is_typed_only_safe_elements_come_out_and_it_can_be_drawn(text: str) -> None:
    html = to_html(text)
    assert set(TAG.findall(html)) <= SAFE
    assert not re.search(r"<[a-z]+\s+(?!start=\")", html)
    drawing.draw(drawing.Sheet("t", "t", "en", AT), [*drawing.heading("t", "t"), *to_flowables(text)])


def test_what_would_be_left_out_is_noticed() -> None:
    assert can_be_shown(TEXT)
    deep = "- " * 40 + "hidden"
    assert not can_be_shown(deep)
    assert "hidden" not in to_html(deep)


def test_a_letter_that_the_typeface_lacks_is_written_out() -> None:
    for letters in (LETTERS, "Rūta Jonaitė Žemaičių ąčęėįšųūž", "Ğüler Ştefan Škoda Žofie Ő"):
        assert fonts.legible(letters) == fonts.legible(letters, italic=True) == letters
    assert fonts.legible("Ірина Щербак Γιώργος") == "Ірина Щербак Γιώργος"
    assert fonts.legible("Ж ẖ Ḁ ნ", italic=True) == "Ж ẖ Ḁ ნ"
    assert fonts.legible("é\u0a3c 名\u202e") == "e[U+00E9][U+0A3C] [U+540D][U+202E]"


# The paper


def test_poppler_reads_every_word_and_letter() -> None:
    text = text_of(signed())
    for words in (
        LETTERS, "Bardzo ważne, naprawdę.", "1. Pierwszy obowiązek.", "• adres e-mail,",
        "<b>Nic</b> [stąd](https://example.com) nie jest odnośnikiem.",
    ):  # fmt: skip
        assert words in text


def test_the_block_holds_every_fact() -> None:
    text, facts = text_of(signed()), evidence()
    for fact in (
        facts.number, facts.name, facts.consent, facts.sha256, facts.address, facts.user_agent, "4711",
        "2026-11-22 17:05:09 UTC", "3",
    ):  # fmt: skip
        assert fact in text
    with translation.override("pl"):
        assert documents.nda.secrecy_goes_on() in text


def test_in_english_the_paper_is_english() -> None:
    pdf = documents.agreement(evidence(language="en"), TEXT, countersigned=False)
    text = text_of(pdf)
    assert "The duty of secrecy goes on." in text
    assert "Identity confirmed by passkey" in text


def test_a_markup_in_a_fact_is_text() -> None:
    pdf = documents.agreement(
        evidence(user_agent="<b>x</b> & <para>", typed_name="<i>"), TEXT, countersigned=False
    )
    assert "<b>x</b> & <para>" in text_of(pdf)


def test_long_facts_and_long_texts_are_drawn_whole() -> None:
    text = "\n\n".join(f"Paragraf {number}. " + "słowo " * 60 for number in range(80))
    long = evidence(text, user_agent="x" * 200, typed_name="Ł" * 200)
    pdf = documents.agreement(long, text, countersigned=False)
    read = text_of(pdf)
    assert "Paragraf 79." in read
    assert read.replace(" ", "").count("Ł" * 200) == 1
    assert int(facts_of(pdf)["Pages"]) > 5
    assert f"{facts_of(pdf)['Pages']}" in read


def test_one_typeface_is_in_it_and_embedded() -> None:
    found = fonts_of(signed())
    assert found
    assert all("SourceSansPro" in name and embedded for name, embedded in found)


def test_the_documents_own_facts_are_the_title_and_the_company() -> None:
    facts = facts_of(signed())
    assert facts["Author"] == "Akovana LLC"
    assert not {"K-1001", "Łucja"} & set(" ".join(facts.values()).split())
    assert "Nov 22 17:05:09 2026" in facts["CreationDate"]
    assert facts["JavaScript"] == "no"


def test_the_same_facts_are_drawn_alike() -> None:
    sheet = drawing.Sheet("t", "f", "pl", AT)
    once, again = ([*drawing.heading("t", "s"), *to_flowables(TEXT)] for _time in range(2))
    assert drawing.draw(sheet, once) == drawing.draw(sheet, again)


def test_a_text_that_is_not_the_one_signed_is_not_drawn() -> None:
    with pytest.raises(EvidenceError):
        documents.agreement(evidence(), TEXT + " ", countersigned=False)


@pytest.mark.parametrize("paper", [signed, countersigned], ids=["signed", "countersigned"])
def test_qpdf_and_poppler_find_nothing_wrong(paper: Callable[[], bytes]) -> None:
    assert problems_of(paper()) == ""


def test_many_files_stand_sorted_and_are_found() -> None:
    files = {f"{name}.json": b"{}" for name in ("z", "a", "g", "ż", "facts2", "e")}
    drawn = drawing.draw(drawing.Sheet("t", "t", "en", AT), drawing.heading("t", "t"))
    paper = documents.pdf_signing.sign(drawn, at=AT, reason="r", facts={}, files=files)
    assert problems_of(paper) == ""
    assert set(attachments_of(paper)) == {*files, "facts.json"}


def test_pdfsig_finds_one_valid_seal_over_all() -> None:
    (seen,) = signatures_of(signed())
    assert (seen.field, seen.is_valid, seen.is_total) == ("Member", True, True)
    assert seen.signer.startswith("Akovana LLC")


def test_pdfsig_finds_both_signatures_valid_and_the_last_over_all() -> None:
    first, second = signatures_of(countersigned())
    assert (first.field, first.is_valid, first.is_total) == ("Member", True, False)
    assert (second.field, second.is_valid, second.is_total) == ("Countersignature", True, True)


def test_a_countersignature_is_added_and_names_the_officer() -> None:
    assert countersigned().startswith(signed(countersigned=True))
    assert rb"(NDA\072 K\0551004)" in countersigned()[len(signed(countersigned=True)) :]


@pytest.mark.parametrize("paper", [signed, countersigned, lambda: b"", lambda: b"%PDF-1.4 nothing"])
def test_where_no_field_waits_nothing_is_countersigned(paper: Callable[[], bytes]) -> None:
    with pytest.raises(SigningKeyError):
        documents.countersign(paper(), officer="K-1004", at=AT)


def test_a_seal_that_cannot_be_read_seals_nothing(settings: Settings) -> None:
    settings.SEAL = "nothing"
    with pytest.raises(SigningKeyError):
        documents.agreement(evidence(), TEXT, countersigned=False)


# Signed elsewhere

QUALIFIED = ("qc_compliance", "qc_sscd")


@cache
def authority() -> Authority:
    return Authority()


@cache
def jan() -> Signatory:
    return authority().certify("Jan Kowalski")


@cache
def good() -> bytes:
    return jan().sign(plain_pdf())


@pytest.fixture
def trusted(settings: Settings) -> None:
    settings.TRUST_ROOTS = authority().root.pem


def certified(*names: str, **more: Any) -> bytes:
    person = authority().certify("Łucja Żak", statements=qualified_statements(*names, **more))
    return person.sign(plain_pdf())


@pytest.mark.usefixtures("trusted")
def test_a_good_electronic_signature_is_good() -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)  # a signature's time has no fractions
    found = verdict(jan().sign(plain_pdf()))
    assert (found.ok, found.kind, found.signer) == (True, "electronic", "Jan Kowalski")
    assert found.signed_at is not None
    assert before < found.signed_at < datetime.now(UTC) + timedelta(seconds=1)
    assert "Jan" not in json.dumps(found.to_dict()) + found.sentence


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize(
    ("names", "kind", "expected"),
    [
        (QUALIFIED, "0.4.0.1862.1.6.1", "qualified"),
        (QUALIFIED, "", "qualified"),
        (QUALIFIED, SEAL, "electronic"),
        (QUALIFIED[:1], "", "electronic"),
        (QUALIFIED[1:], "", "electronic"),
        ((), "0.4.0.1862.1.6.1", "electronic"),
    ],
)
def test_a_certificate_is_qualified_when_it_says_all_of_it(
    names: tuple[str, ...], kind: str, expected: str
) -> None:
    assert verdict(certified(*names, kind=kind)).kind == expected


@pytest.mark.usefixtures("trusted")
def test_several_good_signatures_are_good_and_one_that_is_not_spoils_them() -> None:
    stranger = Authority("Another root").certify("Jan Kowalski").sign(plain_pdf())
    assert verdict(jan().sign(good(), field="Signature2")).ok
    assert verdict(jan().sign(stranger, field="Signature2")).code == "untrusted"


def flipped(data: bytes, position: int, bit: int = 1) -> bytes:
    return data[:position] + bytes([data[position] ^ bit]) + data[position + 1 :]


def old() -> bytes:
    since, until = datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC)
    return authority().certify("Jan", since=since, until=until).sign(plain_pdf())


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "empty"),
    "text": (lambda: b"hello", "not_pdf"),
    "an image": (lambda: b"\x89PNG\r\n\x1a\n" * 9, "not_pdf"),
    "a PDF far behind something": (lambda: b"\n" * 1025 + good(), "not_pdf"),
    "too large": (lambda: good() + b"\0" * uploaded.LARGEST, "too_large"),
    "a head alone": (lambda: b"%PDF-1.7\n", "malformed"),
    "noise": (lambda: b"%PDF-1.7\n" + b"\xff\x00" * 5000, "malformed"),
    "cut short": (lambda: good()[:-200], "malformed"),
    "unsigned": (plain_pdf, "no_signature"),
    "appended bytes": (lambda: good() + b"\n%", "added"),
    "an appended revision": (lambda: good() + plain_pdf("More.")[9:], "malformed"),
    "a flipped byte": (lambda: flipped(good(), 300), "broken"),
    "an unknown root": (lambda: Authority("Another").certify("Jan").sign(plain_pdf()), "untrusted"),
    "an expired certificate": (old, "expired"),
    "a bomb": (bomb, "malformed"),
    "a circle": (in_a_circle, "malformed"),
    "deep in one another": (nested, "malformed"),
}


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_a_clear_no(name: str) -> None:
    make, code = HOSTILE[name]
    found = verdict(make())
    assert found.code == code
    assert (found.ok, found.kind, found.signer, found.signed_at) == (False, "", "", None)
    assert len(found.sentence) > 10


@pytest.mark.usefixtures("trusted")
def test_what_is_not_judged_in_time_is_a_clear_no(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploaded, "SECONDS", 0.001)  # no process starts in so little
    assert verdict(good()).code == "too_long"


@pytest.mark.usefixtures("trusted")
def test_an_encrypted_file_is_a_clear_no() -> None:
    writer = copy_into_new_writer(PdfFileReader(BytesIO(plain_pdf())))
    writer.encrypt(owner_pass="x", user_pass="y")  # type: ignore[no-untyped-call]  # pyHanko's own
    out = BytesIO()
    writer.write(out)  # type: ignore[no-untyped-call]  # pyHanko's own
    assert verdict(out.getvalue()).code == "encrypted"


@pytest.mark.usefixtures("trusted")
@effort(deadline=None, max_examples=12)
@given(st.data())
def test_no_flip_anywhere_passes_but_in_the_unsigned_gap(data: st.DataObject) -> None:
    pdf = good()
    gap = pdf.index(b"/Contents <") + 10, pdf.index(b">", pdf.index(b"/Contents <"))
    position = data.draw(st.integers(0, len(pdf) - 1).filter(lambda one: not gap[0] <= one <= gap[1]))
    assert not verdict(flipped(pdf, position, data.draw(st.sampled_from([1, 32, 128])))).ok


def test_without_roots_nothing_is_believed(settings: Settings) -> None:
    settings.TRUST_ROOTS = ""
    assert verdict(good()).code == "no_roots"


@pytest.mark.usefixtures("trusted")
def test_a_verdict_is_of_its_moment() -> None:
    assert verdict(good(), at=datetime.now(UTC) + timedelta(days=400)).code == "expired"
    assert verdict(old(), at=datetime(2020, 6, 1, tzinfo=UTC)).ok


@pytest.mark.parametrize("code", uploaded.SENTENCES)
def test_each_verdict_has_its_sentence(code: str) -> None:
    assert uploaded.Verdict(code).sentence
    assert uploaded.Verdict(code).ok == (code == "good")


@pytest.fixture
def listener() -> Iterator[tuple[str, list[str]]]:
    """A server that notes who asks it."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the library's name
            asked.append(self.path)
            self.send_error(404)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


@pytest.mark.usefixtures("trusted")
def test_nobody_outside_is_asked(listener: tuple[str, list[str]]) -> None:
    address, asked = listener
    place = x509.UniformResourceIdentifier(address)
    access = x509.AuthorityInformationAccess(
        [
            x509.AccessDescription(AuthorityInformationAccessOID.OCSP, place),
            x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, place),
        ]
    )
    lists = x509.CRLDistributionPoints([x509.DistributionPoint([place], None, None, None)])
    person = authority().certify("Jan Kowalski", extensions=(access, lists))
    assert verdict(person.sign(plain_pdf())).ok
    stranger = Authority("Another").certify("Jan", extensions=(access, lists))
    assert not verdict(stranger.sign(plain_pdf())).ok
    assert asked == []


# What is on file


class Office:
    """A version, a member, a people officer; what they sign goes through the real functions."""

    def __init__(self, setup: Connection) -> None:
        self.world = world = World(setup)
        world.version()
        self.anna = world.member("consultant")
        self.officer = world.member("people")
        world.signature(self.officer)

    def signs(self, person: Person | None = None) -> int:
        """The member signs in the application; the signature's number."""
        who = person or self.anna
        caller = self.world.session(who)
        number = session_of(caller.digest).pk
        signature, reason = signing.sign(
            caller, member(who), NdaVersion.objects.get(), language="pl", typed_name="Anna", session=number,
            method="totp",
        )  # fmt: skip
        assert reason == ""
        assert signature is not None
        return signature

    def countersigns(self, signature: int) -> None:
        caller = self.world.session(self.officer)
        assert signatures.countersign(caller, member(self.officer), signature) == ""

    def uploads(self, pdf: bytes, form: str) -> int:
        """The officer files what Anna signed elsewhere."""
        told = {"ok": True, "kind": form} if form != "paper" else {}
        signature, reason = signatures.upload(
            self.world.session(self.officer), self.anna.number, version=1, form=form,
            signed_at=datetime.now(UTC) - timedelta(minutes=1), evidence=told, pdf=pdf,
        )  # fmt: skip
        assert reason == ""
        assert signature is not None
        return signature

    def changes_file(self, signature: int, data: bytes, *, kind: str = "signed", whole: bool = False) -> None:
        """As a superuser could: past triggers and rights, with `whole` the hash as well."""
        file = SignatureFile.objects.get(signature=signature, kind=kind)
        facts: dict[str, Any] = {"data": data} | ({"sha256": sha256(data).digest()} if whole else {})
        self.world.quietly("staff_signaturefile", file.pk, **facts)


@pytest.fixture
def office(setup_connection: Connection) -> Office:
    return Office(setup_connection)


def verified(*options: str) -> tuple[int, str]:
    """The exit status of `verify_ndas`, and what it printed."""
    out = StringIO()
    try:
        call_command("verify_ndas", *options, stdout=out)
    except SystemExit as ended:
        return int(str(ended.code)), out.getvalue()
    return 0, out.getvalue()


def of(signature: int) -> tuple[int, str]:
    return verified("--signature", str(signature))


database = pytest.mark.django_db(transaction=True, databases="__all__")


@database
def test_what_was_signed_is_found_as_it_was(office: Office) -> None:
    number = office.signs()
    assert of(number) == (0, "files: 1, problems: 0\n")


@database
def test_a_countersigned_paper_is_found_as_it_was(office: Office) -> None:
    office.world.setup.execute("SET session_replication_role = replica")
    office.world.setup.execute("UPDATE staff_ndaversion SET countersigned = true")
    office.world.setup.execute("RESET session_replication_role")
    number = office.signs()
    assert of(number)[0] == 0
    office.countersigns(number)
    assert of(number) == (0, "files: 2, problems: 0\n")
    signed_file = bytes(SignatureFile.objects.get(signature=number, kind="signed").data)
    office.changes_file(number, signed_file, kind="countersigned", whole=True)
    assert "it does not hold the signatures that it should" in of(number)[1]


@database
@pytest.mark.usefixtures("trusted")
def test_uploaded_files_are_judged_anew(office: Office, settings: Settings) -> None:
    electronic = office.uploads(good(), "electronic")
    qualified = office.uploads(certified(*QUALIFIED), "qualified")
    scan = office.uploads(plain_pdf(), "paper")
    marked = office.uploads(b"\xef\xbb\xbf" + jan().sign(plain_pdf("marked")), "electronic")
    assert [of(one)[0] for one in (electronic, qualified, scan, marked)] == [0, 0, 0, 0]
    wrong = office.uploads(good() + b"\n", "electronic")
    assert "its electronic signature: added" in of(wrong)[1]
    raised = office.uploads(jan().sign(plain_pdf("2")), "qualified")
    assert "its electronic signature is electronic, not qualified" in of(raised)[1]
    office.changes_file(scan, flipped(plain_pdf(), 400), kind="uploaded")
    assert of(scan)[0] == 1
    settings.TRUST_ROOTS = Authority("Another").root.pem
    assert "its electronic signature: untrusted" in of(electronic)[1]


@database
def test_a_flip_anywhere_and_bytes_appended_are_found(office: Office) -> None:
    number = office.signs()
    file = SignatureFile.objects.select_related("signature__member", "signature__version").get()
    data = bytes(file.data)

    @effort(deadline=None, max_examples=80)
    @given(st.integers(0, len(data) - 1), st.integers(0, 7))
    def any_flip(position: int, bit: int) -> None:
        file.data = flipped(data, position, 1 << bit)
        assert "its bytes are not those of its SHA-256" in list(checking.problems(file))

    any_flip()
    for more in (b"\0", b"\n", b"%%EOF\n", data[-700:]):
        file.data = data + more
        assert list(checking.problems(file))
    file.data = data[:-1]
    assert list(checking.problems(file))
    gap = data.index(b"0000", data.index(b"/Contents <"))
    office.changes_file(number, flipped(data, gap))
    status, printed = of(number)
    assert status == 1
    assert f"signature {number}, signed file: its bytes are not those of its SHA-256" in printed


@database
def test_with_the_hash_exchanged_too_the_seal_finds_a_flip(office: Office) -> None:
    office.signs()
    file = SignatureFile.objects.select_related("signature__member", "signature__version").get()
    data = bytes(file.data)
    gap = data.index(b"/Contents <"), data.index(b">", data.index(b"/Contents <"))
    for position in [*range(9, gap[0], 2003), *range(gap[1], len(data), 53)]:
        file.data = flipped(data, position)
        file.sha256 = sha256(file.data).digest()
        found = set(checking.problems(file))
        assert found - {"the log names no such file of this signature"}, position
    file.data = data + b"\n"
    assert "Member: added" in set(checking.problems(file))


@database
def test_a_file_and_a_row_exchanged_together_are_found_by_the_log(office: Office) -> None:
    """By somebody who has both the database and the seal."""
    number = office.signs()
    told = Signature.objects.get(pk=number).evidence
    assert told is not None
    forged = Evidence.from_dict(told | {"address": "192.0.2.99"})
    pdf = documents.agreement(forged, "Umowa.", countersigned=False)
    office.world.quietly("staff_signature", number, evidence=json.dumps(forged.to_dict()))
    office.changes_file(number, pdf, whole=True)
    words = f"signature {number}, signed file: the log names no such file of this signature"
    assert of(number) == (1, f"{words}\nfiles: 1, problems: 1\n")


@database
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"evidence": lambda e: e | {"address": "192.0.2.99"}}, "its evidence is not the row’s"),
        ({"language": lambda _: "en"}, "its evidence speaks of another signature than the row"),
        ({"signed_at": lambda at: at - timedelta(days=1)}, "its time is not the row’s"),
        ({"form": lambda _: "paper", "entered_by_id": lambda _: None}, "no uploaded file"),
    ],
)
def test_a_row_that_says_otherwise_is_found(
    office: Office, change: dict[str, Callable[[Any], Any]], words: str
) -> None:
    number = office.signs()
    row = Signature.objects.get(pk=number)
    values = {name: how(getattr(row, name)) for name, how in change.items()}
    if "evidence" in values:
        values["evidence"] = json.dumps(values["evidence"])
    office.world.quietly("staff_signature", number, **values)
    status, printed = of(number)
    assert status == 1
    assert words in printed


@database
def test_anothers_paper_and_another_text_are_found(office: Office) -> None:
    number = office.signs()
    office.world.quietly("staff_signature", number, member_id=office.world.member("consultant").id)
    assert "its evidence speaks of another signature than the row" in of(number)[1]
    office.world.setup.execute("SET session_replication_role = replica")
    office.world.setup.execute("UPDATE staff_ndaversion SET text_pl = 'Umowa!'")
    office.world.setup.execute("RESET session_replication_role")
    assert "the version’s text is not the one that was signed" in of(number)[1]


@database
def test_another_companys_seal_is_found_and_an_older_own_is_believed(
    office: Office, settings: Settings
) -> None:
    number = office.signs()
    mine = settings.SEAL
    settings.SEAL = new_signing_key("Somebody LLC")
    assert "Member: not sealed with the company’s certificate" in of(number)[1]
    settings.SEAL += mine[mine.index("-----BEGIN CERTIFICATE") :]
    assert of(number)[0] == 0


@database
def test_a_file_that_is_missing_is_missed(office: Office) -> None:
    number = office.signs()
    office.world.setup.execute("SET session_replication_role = replica")
    office.world.setup.execute("DELETE FROM staff_signaturefile")
    office.world.setup.execute("RESET session_replication_role")
    assert of(number) == (1, f"signature {number}: no signed file\nfiles: 0, problems: 1\n")


@database
def test_all_are_checked_and_each_problem_is_printed_with_its_number(office: Office) -> None:
    first, second = office.signs(), office.signs(office.world.member("consultant"))
    office.changes_file(second, b"%PDF-1.7 nothing")
    status, printed = verified()
    assert status == 1
    assert f"signature {second}, signed file: it cannot be read as a sealed PDF" in printed
    assert f"signature {first}," not in printed


@database
def test_a_signature_that_is_none_is_no_success(office: Office) -> None:
    with pytest.raises(CommandError):
        of(999_999)


def test_the_command_says_what_it_does() -> None:
    with pytest.raises(SystemExit) as ended:
        call_command("verify_ndas", "--help")
    assert ended.value.code == 0


def test_no_fact_of_the_evidence_is_left_out_of_the_paper() -> None:
    """Whoever adds a fact adds its line."""
    names = {field.name for field in dataclasses.fields(Evidence)}
    assert names == {
        "number", "name", "version", "sha256", "language", "typed_name", "consent", "method", "signed_at",
        "address", "user_agent", "session", "form",
    }  # fmt: skip
