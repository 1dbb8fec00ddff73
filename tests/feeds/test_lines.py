"""Lines of the exports: what is taken, what is refused, and that a reason repeats nothing."""

from __future__ import annotations

import io
import ipaddress
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum import luhn

from audit import references
from gatekeeper import catalogue
from gatekeeper.feeds.account_lines import AccountLine, personal
from gatekeeper.feeds.byte_lines import LONGEST_LINE
from gatekeeper.feeds.jsonlines import lines, parse, read
from gatekeeper.feeds.mentions import mentioned
from gatekeeper.feeds.participant_lines import ParticipantLine
from gatekeeper.feeds.records import Record, RefusedError
from gatekeeper.feeds.refusals import RULES
from gatekeeper.feeds.staff_lines import StaffLine
from gatekeeper.feeds.ticket_lines import TicketLine, sender_time
from gatekeeper.feeds.tickets import KEY
from gatekeeper.frame.numbers import ISSUERS
from staff.models import Role
from tests.world.names import UNREADABLE_NAMES, UNSEEN_NAMES

DATA = Path(__file__).parents[1] / "data"

UNREADABLE = "name: no name that people can read: it has no letter, or signs that are unseen or turn it"
NOT_SEEN = "dropped contact.name: nothing that can be seen"
ACCOUNT: dict[str, Any] = {
    "reference": "MOC-48213",
    "plan": "pro",
    "language": "pl",
    "created_at": "2024-01-01T00:00:00Z",
    "exported_at": "2026-01-01T00:00:00+02:00",
    "contact": {"name": "Jan", "email": "jan@example.com"},
}


def account(**changes: Any) -> dict[str, Any]:
    return {name: value for name, value in (ACCOUNT | changes).items() if value != "gone"}


def raw_account(more: bytes) -> bytes:
    """A line whose end is written byte by byte."""
    told = json.dumps(account(contact="gone", plan="gone")).encode()
    return told.removesuffix(b"}") + b", " + more + b"}"


def noted(values: object, shape: type[Record] = AccountLine) -> list[str]:
    """What the line gets in without, in words."""
    _, notes = read(json.dumps(values).encode(), shape)
    return [f"{note.act} {note.reason}" for note in notes]


def reason(values: object, shape: type[Record] = AccountLine) -> str:
    try:
        parse(values if isinstance(values, bytes) else json.dumps(values).encode(), shape)
    except RefusedError as refused:
        return str(refused)
    return ""


@pytest.mark.parametrize(
    ("name", "shape", "count"),
    [
        ("accounts", AccountLine, 2000),
        ("participants", ParticipantLine, 6793),
        ("tickets", TicketLine, 400),
        ("staff", StaffLine, 14),
    ],
)
def test_good_files_pass_whole(name: str, shape: type[Record], count: int) -> None:
    with (DATA / f"{name}.jsonl").open("rb") as stream:
        reasons = [line.reason for line in lines(stream, shape)]
    assert reasons == [""] * count


def test_bad_accounts() -> None:
    """Line 9 is good by itself: only the account that line 8 brought refuses it."""
    told = [line.split("\t") for line in (DATA / "accounts-bad.reasons.txt").read_text().splitlines()]
    raw = (DATA / "accounts-bad.jsonl").read_bytes()
    for line in lines(io.BytesIO(raw), AccountLine):
        _, act, why = told[line.number - 1]
        if line.number in (8, 9, 10):
            assert (line.reason, line.notes) == ("", ())
        elif act == "refused":
            assert (line.reason, line.notes) == (why, ())
        else:
            assert [(note.act, note.reason) for note in line.notes] == [(act, why)]


# What it says -> the reason. Values that are refused must not stand in it.
REFUSED: list[tuple[object, str]] = [
    (b'{"reference": "MOC-48213", ', "line: not JSON"),
    (b"\xff", "line: not UTF-8"),
    (b"[" * 100_000, "line: not JSON"),
    (b'{"reference": 1, "reference": 2, "plan": "pro"}', "reference: stands twice"),
    (b'{"reference": NaN, "plan": "pro"}', "reference: a number that is none"),
    (b'{"reference": -Infinity, "plan": "pro"}', "reference: a number that is none"),
    (b'{"reference": ' + b"1" * 5000 + b', "plan": "pro"}', "reference: a number that is none"),
    ([1], "line: not an object"),
    ("MOC-48213", "line: not an object"),
    ({"reference": "MOC-48213", "exported_at": "2026-01-01T00:00:00Z"}, "line: tells nothing"),
    (account(reference="gone"), "reference: missing"),
    (account(reference="MOC-1234"), "reference: not of its form"),
    (account(reference="MOC-12345\n"), "reference: not of its form"),
    (account(reference="MOC-1234567890"), "reference: too long"),
    (account(reference="MOC-\u0661\u0662\u0663\u0664\u0665"), "reference: not of its form"),
    (account(exported_at="gone"), "exported_at: missing"),
    (account(exported_at="2026-01-01T00:00:00"), "exported_at: not a time with a zone"),
    (account(exported_at="2199-01-01T00:00:00Z"), "exported_at: in the future"),
    (account(consent=[]), "consent: not an object"),
    (account(consent={"support": True}), "consent: a field that is not known"),
    (account(consent={"support_since": "soon"}), "consent.support_since: not a time with a zone"),
    (account(consent={"support_until": "2027-01-01T00:00:00Z"}), "consent: ends before it begins"),
    (
        account(consent={"support_since": "2027-01-02T00:00:00Z", "support_until": "2027-01-01T00:00:00Z"}),
        "consent: ends before it begins",
    ),
    (
        account(consent={"support_since": "2024-01-02T00:00:00Z", "support_until": "0001-01-01T00:00:00Z"}),
        "consent.support_until: a time before 1990",
    ),
    (account(restricted_at=True), "restricted_at: not a time with a zone"),
    (account(restricted_at=""), "restricted_at: not a time with a zone"),
    (account(restricted_at="0001-01-01T00:00:00Z"), "restricted_at: a time before 1990"),
    (account(restricted_at="2199-01-01T00:00:00Z"), "restricted_at: in the future"),
    (account(restrictedAt="2026-01-01T00:00:00Z"), "line: a field that is not known, and may close"),
    (account(consents={}), "line: a field that is not known, and may close"),
]

CARD, IBAN = "a payment card number", "billing.bank_account"

#: What it says -> what it gets in without, or with what mended.
MENDED: list[tuple[object, str]] = [
    (account(plan="platinum"), "dropped plan: a word that is not known"),
    (account(plan=1), "dropped plan: a word that is not known"),
    (account(plan=" Pro"), "mended plan: a word that is not known"),
    (account(contact=[]), "dropped contact: not an object"),
    (account(contact={"email": "jan"}), "dropped contact.email: not an e-mail address"),
    (account(contact={"name": "J\u0000"}), "mended contact.name: a line break or control character"),
    (account(contact={"name": "J\u2028K"}), "mended contact.name: a line break or control character"),
    (account(contact={"name": "Jan\u0092s"}), "mended contact.name: a line break or control character"),
    (account(contact={"name": "\ud800"}), "mended contact.name: a character that is none"),
    (account(contact={"email": "\ud800@e.pl"}), "dropped contact.email: not an e-mail address"),
    (account(contact={"name": "x" * 201}), "dropped contact.name: too long"),
    (account(contact={"name": 17}), "mended contact.name: not a text"),
    (account(contact={"name": 4111111111111111}), "dropped contact.name: a payment card number"),
    *((account(contact={"name": name}), NOT_SEEN) for name in UNSEEN_NAMES),
    (account(contact={"name": True}), "dropped contact.name: not a text"),
    (account(contact={"pesel": "1"}), "dropped contact: a field that is not known"),
    (account(password_hash="x"), "dropped line: a field that is not known"),
    (account(marketing_consent="yes"), "dropped marketing_consent: neither true nor false"),
    (account(support={"notes": "\u0000"}), "mended support.notes: a line break or control character"),
    (account(support={"notes": "x" * 20_001}), "mended support.notes: too long"),
    (
        account(billing={"bank_account": "PL00109010140000071219812874"}),
        "dropped billing.bank_account: not a valid IBAN",
    ),
    (
        account(billing={"bank_account": "378282246310005"}),
        f"dropped {IBAN}: {CARD}",
    ),
    (account(activity={"ip_address": "300.1.1.1"}), "dropped activity.ip_address: not an IP address"),
    (
        account(activity={"ip_address": "10.1.1.1, 10.1.1.2"}),
        "dropped activity.ip_address: not an IP address",
    ),
    (account(activity={"settings": []}), "dropped activity.settings: not an object"),
    (account(activity={"settings": {"a": {}}}), "dropped activity.settings: not flat: plain values only"),
    (account(activity={"settings": {"a": 1e300}}), "dropped activity.settings: not flat: plain values only"),
    (account(activity={"settings": {"x" * 41: 1}}), "dropped activity.settings: too long"),
    (account(activity={"settings": {str(n): n for n in range(51)}}), "mended activity.settings: too many"),
    (
        account(activity={"settings": {"4111111111111111": 1}}),
        "dropped activity.settings: a payment card number",
    ),
    (
        account(activity={"settings": {"a": "4111111111111111"}}),
        "dropped activity.settings: a payment card number",
    ),
    (
        account(activity={"settings": {"a": 4111111111111111}}),
        "dropped activity.settings: a payment card number",
    ),
    (
        account(activity={"settings": {"nick": "x\ud83d"}}),
        "mended activity.settings: a character that is none",
    ),
    (account(activity={"settings": {"\ud83d": 1}}), "dropped activity.settings: a character that is none"),
    (account(created_at=17), "dropped created_at: not a time with a zone"),
    (account(created_at="2024-01-01"), "dropped created_at: not a time with a zone"),
    (account(created_at="1066-10-14T00:00:00Z"), "dropped created_at: a time before 1990"),
    (account(created_at="9999-12-31T23:59:59Z"), "dropped created_at: a time after 2199"),
    (account(created_at="2199-01-01T00:00:00Z"), "dropped created_at: in the future"),
    (account(contract_ended_at="9999-12-31T23:59:59Z"), "dropped contract_ended_at: a time after 2199"),
    (account(language="Polish"), "dropped language: not a language"),
    (raw_account(b'"plan": "pro", "plan": "free"'), "dropped plan: stands twice"),
    (raw_account(b'"marketing_consent": NaN'), "dropped marketing_consent: a number that is none"),
    (raw_account(b'"contact": {"name": "\xa3ucja"}'), "mended contact.name: a character that is none"),
    (raw_account(b'"contact": {"name": "J\n"}'), ""),
    (raw_account(b'"plan": "pro", "plan": "pro"'), ""),
    (account(contact="gone", plan="gone", language="gone"), ""),
    (account(contact={"name": " ", "email": ""}, plan=None), ""),
    (account(consent={"support_since": "0001-01-01T00:00:00Z", "support_until": "0001-01-01T00:00:00Z"}), ""),
    (account(consent={"support_since": "2024-01-01T00:00:00Z", "support_until": "9999-12-31T23:59:59Z"}), ""),
]


@pytest.mark.parametrize(("values", "expected"), MENDED, ids=[f"{n}" for n in range(len(MENDED))])
def test_what_a_line_gets_in_without(values: object, expected: str) -> None:
    raw = values if isinstance(values, bytes) else json.dumps(values).encode()
    _, notes = read(raw, AccountLine)
    assert [f"{note.act} {note.reason}" for note in notes] == ([expected] if expected else [])


def test_what_is_dropped_is_gone_and_what_is_mended_is_shown() -> None:
    contact = {"name": "Jan\u0092s \ud83d\tKowalski", "email": "jan"}
    settings = {"theme": "dark", "nick": "x\ud83d", "\ud83d": 1, "deep": {}}
    line = parse(json.dumps(account(contact=contact, activity={"settings": settings})).encode(), AccountLine)
    assert line.contact
    assert (line.contact.name, line.contact.email) == ("Jan\u2019s \ufffd Kowalski", None)
    assert line.activity
    assert line.activity.settings == {"theme": "dark", "nick": "x\ufffd"}
    assert personal(line.payload()) == {
        "contact.name": "Jan\u2019s \ufffd Kowalski",
        "activity.settings": {"theme": "dark", "nick": "x\ufffd"},
    }


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("pl_PL", "pl-PL"), ("PL", "pl"), ("pl_PL.UTF-8", "pl-PL"), ("de_DE@euro", "de-DE"),
        ("es-419", "es-419"), ("zh-hant-tw", "zh-Hant-TW"),
        ("sr_Latn_RS", "sr-Latn-RS"), ("sr-latn", "sr-Latn"),
        ("pol", "pol"),
        ("ca-ES-valencia", "ca-ES-valencia"),
        ("de-DE-u-co-phonebk", "de-DE-u-co-phonebk"), ("en-US-posix", "en-US-posix"),
    ],
)  # fmt: skip
def test_languages(written: str, kept: str) -> None:
    line, notes = read(json.dumps(account(language=written)).encode(), AccountLine)
    assert (line.language, notes) == (kept, ())


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("a..b@docomo.ne.jp", ""), (".a.@docomo.ne.jp", ""),
        ("u\u017cytkownik@\u017c\u00f3\u0142w.example", ""),
        ("jan+tag@sub.example.co.uk", ""), ("jan@localhost", ""), ('"jan kowalski"@example.com', ""),
        ("jan@[192.0.2.1]", ""), ("o'brien@example.ie", ""), ("jan@example.com.", ""),
        (" jan@example.com ", "jan@example.com"),
        ("mailto:jan@example.com", "jan@example.com"), ("<jan@example.com>", "jan@example.com"),
        ("\u7528\u6237@\u4f8b\u5b50.\u4e2d\u56fd", ""), ("jan_k@a-b.example", ""), ("jan@a_b.example", ""),
    ],
)  # fmt: skip
def test_addresses_that_are_shown(written: str, kept: str) -> None:
    line, notes = read(json.dumps(account(contact={"email": written})).encode(), AccountLine)
    assert line.contact
    assert (line.contact.email, notes) == (kept or written, ())


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("192.0.2.1:443", "192.0.2.1"), ("[2001:DB8::1]:443", "2001:db8::1"),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.1"),
        ("fe80::1%eth0", "fe80::1"), (" 192.0.2.1 ", "192.0.2.1"),
    ],
)  # fmt: skip
def test_addresses_of_computers(written: str, kept: str) -> None:
    line, notes = read(json.dumps(account(activity={"ip_address": written})).encode(), AccountLine)
    assert line.activity
    assert notes == ()
    assert line.activity.ip_address == str(ipaddress.ip_address(kept))


@pytest.mark.parametrize(("values", "expected"), REFUSED, ids=[f"{n}" for n in range(len(REFUSED))])
def test_refused(values: object, expected: str) -> None:
    assert reason(values) == expected


def test_taken() -> None:
    assert reason(ACCOUNT) == ""
    assert reason(account(activity={"settings": {str(n): None for n in range(50)}})) == ""
    assert reason(account(support={"notes": "first line\r\n\tsecond"})) == ""


def test_line_too_long_does_not_end_the_file() -> None:
    stream = io.BytesIO(b"x" * (3 * LONGEST_LINE) + b"\n" + json.dumps(ACCOUNT).encode())
    first, second = lines(stream, AccountLine)
    assert (first.number, first.reason) == (1, "line: too long")
    assert (second.number, second.reason) == (2, "")
    assert second.ends_at == len(stream.getvalue())


def test_byte_order_mark_and_empty_lines() -> None:
    stream = io.BytesIO(b"\xef\xbb\xbf" + json.dumps(ACCOUNT).encode() + b"\r\n\r\n  \n")
    assert [line.reason for line in lines(stream, AccountLine)] == [""]


@st.composite
def cards(draw: st.DrawFn) -> str:
    """A payment card number, in one run."""
    low, high, lengths = draw(st.sampled_from([one for ranges in ISSUERS.values() for one in ranges]))
    first = str(draw(st.integers(int(low), int(high))))
    length = draw(st.sampled_from(lengths)) - len(first) - 1
    body = first + draw(st.text("0123456789", min_size=length, max_size=length))
    number = body + luhn.calc_check_digit(body)
    separator = draw(st.sampled_from(["", " ", "-", "\u00a0", "\u2013"]))
    every = draw(st.integers(1, 6))
    return separator.join(number[n : n + every] for n in range(0, len(number), every))


@settings(deadline=None)
@given(cards(), st.text("abc ,.:/ż", max_size=9), st.text(",.:/ż", min_size=1, max_size=9))
def test_cards_are_dropped_wherever_they_stand(card: str, before: str, after: str) -> None:
    text = f"{before},{card}{after}"
    assert noted(account(support={"notes": text})) == ["dropped support.notes: a payment card number"]
    contact = {"name": text, "email": "jan@example.com"}
    assert noted(account(contact=contact)) == ["dropped contact.name: a payment card number"]
    assert noted(account(company={"address": text})) == ["dropped company.address: a payment card number"]
    line = {"account": "MOC-48213", "reference": "MOC-48213-P1", "role": "speaker", "name": text}
    assert noted(line, ParticipantLine) == ["dropped name: a payment card number"]


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1112",  # not Luhn
        "1111 1111 1111 1117",  # first digit 1
        "7111 1111 1111 1116",  # first digit 7
        "411111111111",  # twelve digits
        "41111111111111110000",  # twenty digits: no whole run of 13 to 19
        "+48 720 464 393",
    ],
)
def test_not_a_card(text: str) -> None:
    assert noted(account(support={"notes": text})) == []


def ibans() -> Iterator[str]:
    with (DATA / "accounts.jsonl").open() as stream:
        for line in stream:
            billing = json.loads(line).get("billing")
            if billing:
                yield billing["bank_account"]


def test_iban_that_passes_luhn_is_no_card() -> None:
    like_cards = []
    for number in ibans():
        for run in re.findall(r"[0-9]{12,19}", number):
            if luhn.is_valid(run):
                like_cards.append(number)
                assert noted(account(billing={"bank_account": number})) == []
    assert like_cards, "the sample has some"


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda children: st.lists(children) | st.dictionaries(st.text(), children),
        max_leaves=8,
    ),
    st.sampled_from(["reference", "contact", "billing", "activity", "support", "consent", "kreditkarte"]),
)
def test_reasons_are_fixed_words(value: object, field: str) -> None:
    """Whatever comes in, a reason is made of our fields and our rules alone."""
    raw = json.dumps(ACCOUNT | {field: value}).encode()
    try:
        told = [note.reason for note in read(raw, AccountLine)[1]]
    except RefusedError as refused:
        told = [str(refused)]
    known = {*AccountLine.model_fields, "line", *catalogue.FIELDS}
    known |= {f"consent.{kind}_{end}" for kind in ("support", "participants") for end in ("since", "until")}
    for why in told:
        place, _, rule = why.partition(": ")
        assert place in known
        assert rule in {*RULES.values(), "NaN or Infinity, which is not JSON", "not valid"}
        assert rule != "not valid", "a kind of error without words of ours"


class TestParticipant:
    LINE: dict[str, Any] = {  # noqa: RUF012 - read only
        "account": "MOC-48213",
        "reference": "MOC-48213-P12",
        "role": "attendee",
        "name": "Anna",
        "email": "anna@example.com",
    }

    def test_record(self) -> None:
        line = parse(json.dumps(self.LINE).encode(), ParticipantLine)
        assert line.number == 12
        assert line.record() == {"role": "attendee", "name": "Anna", "email": "anna@example.com"}

    def test_of_who_objected_nothing_is_kept(self) -> None:
        line = parse(json.dumps(self.LINE | {"objected": True}).encode(), ParticipantLine)
        assert line.record() == {}

    @pytest.mark.parametrize(
        "reference", ["MOC-48213", "MOC-48213-P0", "MOC-48213-P01", "MOC-48213-P1234567890", "MOC-48213-Q1"]
    )
    def test_reference(self, reference: str) -> None:
        assert reason(self.LINE | {"reference": reference}, ParticipantLine).startswith("reference: ")

    def test_other_account(self) -> None:
        line = self.LINE | {"account": "MOC-4821"}
        assert reason(line, ParticipantLine) == "account: not of its form"
        line = self.LINE | {"account": "MOC-48214"}
        assert reason(line, ParticipantLine) == "line: not of this account"


class TestTicket:
    LINE: dict[str, Any] = {  # noqa: RUF012 - read only
        "number": "ZD-10401",
        "kind": "support",
        "accounts": ["MOC-48213", "MOC-40000", "MOC-48213"],
        "state": "open",
        "assignee": "Anna.Nowak@Example.COM",
        "opened_by": "somebody@customers.example",
        "updated_at": "2026-01-01T00:00:00+02:00",
    }

    def test_told(self) -> None:
        told = parse(json.dumps(self.LINE).encode(), TicketLine).payload()
        assert told["accounts"] == ["MOC-40000", "MOC-48213"]
        assert told["assignee"] == "anna.nowak@example.com"
        assert told["opened_by"] == "", "a customer's address is not kept"
        assert told["updated_at"] == "2025-12-31T22:00:00Z"

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"number": "ZD-"}, "number: not of its form"),
            ({"number": "ZD-1234567890123"}, "number: too long"),
            ({"accounts": []}, "accounts: too few"),
            ({"accounts": ["MOC-1"]}, "accounts: not of its form"),
            ({"kind": "sales"}, "kind: a word that is not known"),
            ({"state": ["open"]}, "state: not a text"),
            ({"state": "x" * 101}, "state: too long"),
            ({"subject": "Help me"}, "line: a field that is not known"),
            ({"updated_at": "2026-01-01T00:00:00"}, "updated_at: not a time with a zone"),
        ],
    )
    def test_refused(self, changes: dict[str, Any], expected: str) -> None:
        assert reason(self.LINE | changes, TicketLine) == expected

    def test_what_an_unusable_message_names(self) -> None:
        raw = b'{"number" : "ZD-1", "number":"ZD-22", "x": "ZD-3", "updated_at": "2026-01-01T00:00:00Z"}'
        assert mentioned(raw, KEY, references.TICKET) == ["ZD-1", "ZD-22"]
        assert sender_time(raw) is None, "a field stands twice: nothing is believed"
        assert sender_time(raw.replace(b', "number":"ZD-22"', b"")) == datetime(2026, 1, 1, tzinfo=UTC)

    def test_time_that_is_not_believed(self) -> None:
        soon = (datetime.now(UTC) + timedelta(minutes=6)).isoformat()
        assert sender_time(json.dumps({"updated_at": soon}).encode()) is None
        assert sender_time(b"[]") is None
        assert sender_time(b'{"updated_at": 5}') is None


class TestStaff:
    LINE: dict[str, Any] = {  # noqa: RUF012 - read only
        "number": "K-0193",
        "name": "Anna Nowak",
        "email": "Anna.Nowak@Example.com",
        "roles": ["manager", "consultant"],
        "manager": None,
        "language": "pl",
        "starts_on": "2020-01-01",
    }

    def test_told(self) -> None:
        told = parse(json.dumps(self.LINE).encode(), StaffLine).payload()
        assert told["email"] == "anna.nowak@example.com"
        assert told["roles"] == ["consultant", "manager"]
        assert told["starts_on"] == "2020-01-01"

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"number": "K-193"}, "number: not of its form"),
            *(({"name": name}, UNREADABLE) for name in UNREADABLE_NAMES),
            ({"roles": []}, "roles: too few"),
            ({"roles": ["superuser"]}, "roles: a word that is not known"),
            ({"roles": ["reviewer", "consultant"]}, "line: roles that do not combine"),
            ({"roles": ["consultant", "consultant"]}, "line: named twice"),
            ({"starts_on": "2020-02-30"}, "starts_on: not a date"),
            ({"starts_on": 20200101}, "starts_on: not a date"),
            ({"is_superuser": True}, "line: a field that is not known"),
        ],
    )
    def test_refused(self, changes: dict[str, Any], expected: str) -> None:
        assert reason(self.LINE | changes, StaffLine) == expected

    def test_roles_are_the_models(self) -> None:
        for role in Role.values:
            assert reason(self.LINE | {"roles": [role]}, StaffLine) == ""
        assert not reason(account(plan="free"))
        assert all(not reason(account(plan=plan)) for plan, _ in catalogue.PLANS)
