"""Lines of the exports: what is taken, what is refused, and that a reason repeats nothing."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn

from gatekeeper import catalogue
from gatekeeper.exports import (
    AccountLine,
    ParticipantLine,
    StaffLine,
    TicketLine,
    told_at,
)
from gatekeeper.jsonlines import LONGEST_LINE, RULES, Record, RefusedError, lines, parse
from gatekeeper.mentions import mentioned
from gatekeeper.numbers import ISSUERS
from gatekeeper.tickets import FORM, KEY
from staff.models import Role

DATA = Path(__file__).parent / "data"

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
    raw = (DATA / "accounts-bad.jsonl").read_bytes()
    found = {line.number: line.reason for line in lines(io.BytesIO(raw), AccountLine)}
    assert [number for number, why in found.items() if not why] == [8, 9]
    assert set(found) == set(range(1, 39)) - {3}


# What it says -> the reason. Values that are refused must not stand in it.
REFUSED: list[tuple[object, str]] = [
    (b'{"reference": "MOC-48213", ', "line: not JSON"),
    (b"\xff", "line: not UTF-8"),
    (b"[" * 100_000, "line: not JSON"),
    (b'{"a": 1, "a": 2}', "line: a field stands twice"),
    (b'{"reference": NaN}', "line: NaN or Infinity, which is not JSON"),
    (b'{"reference": -Infinity}', "line: NaN or Infinity, which is not JSON"),
    ([1], "line: not an object"),
    ("MOC-48213", "line: not an object"),
    (account(reference="gone"), "reference: missing"),
    (account(reference="MOC-1234"), "reference: not of its form"),
    (account(reference="MOC-12345\n"), "reference: not of its form"),
    (account(reference="MOC-1234567890"), "reference: too long"),
    (account(reference="MOC-١٢٣٤٥"), "reference: not of its form"),
    (account(exported_at="gone"), "exported_at: missing"),
    (account(plan="platinum"), "plan: a word that is not known"),
    (account(plan=1), "plan: a word that is not known"),
    (account(contact="gone"), "contact: missing"),
    (account(contact=[]), "contact: not an object"),
    (account(contact={"name": "Jan", "email": "jan"}), "contact.email: not an e-mail address"),
    (
        account(contact={"name": "J\u0000", "email": "j@e.pl"}),
        "contact.name: a line break or control character",
    ),
    (
        account(contact={"name": "J\u2028", "email": "j@e.pl"}),
        "contact.name: a line break or control character",
    ),
    (account(contact={"name": "\ud800", "email": "j@e.pl"}), "contact.name: a character that is none"),
    (account(contact={"name": "x" * 201, "email": "j@e.pl"}), "contact.name: too long"),
    (account(contact={"name": "", "email": "j@e.pl"}), "contact.name: too short"),
    (account(contact={"name": 17, "email": "j@e.pl"}), "contact.name: not a text"),
    (account(contact={"name": "Jan", "email": "j@e.pl", "pesel": "1"}), "contact: a field that is not known"),
    (account(password_hash="x"), "line: a field that is not known"),
    (account(marketing_consent="yes"), "marketing_consent: neither true nor false"),
    (account(support={"notes": "\u0000"}), "support.notes: a line break or control character"),
    (account(support={"notes": "x" * 20_001}), "support.notes: too long"),
    (
        account(billing={"bank_account": "PL00109010140000071219812874"}),
        "billing.bank_account: not a valid IBAN",
    ),
    (account(billing={"bank_account": "378282246310005"}), "billing.bank_account: a payment card number"),
    (account(activity={"ip_address": "300.1.1.1"}), "activity.ip_address: not an IP address"),
    (account(activity={"ip_address": "fe80::1%eth0"}), "activity.ip_address: not an IP address"),
    (account(activity={"settings": []}), "activity.settings: not an object"),
    (account(activity={"settings": {"a": {}}}), "activity.settings: not flat: plain values only"),
    (account(activity={"settings": {"a": 1e300}}), "activity.settings: not flat: plain values only"),
    (
        account(activity={"settings": dict.fromkeys("x" * n for n in range(1, 52))}),
        "activity.settings: too long",
    ),
    (account(activity={"settings": {str(n): n for n in range(51)}}), "activity.settings: too many"),
    (account(activity={"settings": {"4111111111111111": 1}}), "activity.settings: a payment card number"),
    (account(activity={"settings": {"a": "4111111111111111"}}), "activity.settings: a payment card number"),
    (
        account(activity={"settings": {"a": 4111111111111111}}),
        "activity.settings: not flat: plain values only",
    ),
    (account(created_at=17), "created_at: not a time with a zone"),
    (account(created_at="2024-01-01"), "created_at: not a time with a zone"),
    (account(created_at="2024-01-01T00:00:00"), "created_at: not a time with a zone"),
    (account(created_at="2024-13-01T00:00:00Z"), "created_at: not a time with a zone"),
    (account(created_at="1066-10-14T00:00:00Z"), "created_at: a time before 1990"),
    (account(created_at="9999-12-31T23:59:59Z"), "created_at: a time after 2199"),
    (account(created_at="2199-01-01T00:00:00Z"), "created_at: in the future"),
    (account(exported_at="2199-01-01T00:00:00Z"), "exported_at: in the future"),
    (account(consent={"support_until": "2027-01-01T00:00:00Z"}), "consent: ends before it begins"),
    (
        account(consent={"support_since": "2027-01-02T00:00:00Z", "support_until": "2027-01-01T00:00:00Z"}),
        "consent: ends before it begins",
    ),
]


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


@given(cards(), st.text("abc ,.:/ż", max_size=9), st.text(",.:/ż", min_size=1, max_size=9))
def test_cards_are_refused_wherever_they_stand(card: str, before: str, after: str) -> None:
    text = f"{before},{card}{after}"
    assert reason(account(support={"notes": text})) == "support.notes: a payment card number"
    contact = {"name": text, "email": "jan@example.com"}
    assert reason(account(contact=contact)) == "contact.name: a payment card number"
    assert reason(account(company={"address": text})) == "company.address: a payment card number"
    line = {"account": "MOC-48213", "reference": "MOC-48213-P1", "role": "speaker", "name": text}
    assert reason(line, ParticipantLine) == "name: a payment card number"


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
    assert reason(account(support={"notes": text})) == ""


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
                assert reason(account(billing={"bank_account": number})) == ""
    assert like_cards, "the sample has some"


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
    why = reason(ACCOUNT | {field: value})
    if not why:
        return
    place, _, rule = why.partition(": ")
    known = {*AccountLine.model_fields, "line", *catalogue.FIELDS}
    known |= {f"consent.{kind}_{end}" for kind in ("support", "participants") for end in ("since", "until")}
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
        told = parse(json.dumps(self.LINE).encode(), TicketLine).told()
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
            ({"state": "Open!"}, "state: not of its form"),
            ({"subject": "Help me"}, "line: a field that is not known"),
            ({"updated_at": "2026-01-01T00:00:00"}, "updated_at: not a time with a zone"),
        ],
    )
    def test_refused(self, changes: dict[str, Any], expected: str) -> None:
        assert reason(self.LINE | changes, TicketLine) == expected

    def test_what_an_unusable_message_names(self) -> None:
        raw = b'{"number" : "ZD-1", "number":"ZD-22", "x": "ZD-3", "updated_at": "2026-01-01T00:00:00Z"}'
        assert mentioned(raw, KEY, FORM) == ["ZD-1", "ZD-22"]
        assert told_at(raw) is None, "a field stands twice: nothing is believed"
        assert told_at(raw.replace(b', "number":"ZD-22"', b"")) == datetime(2026, 1, 1, tzinfo=UTC)

    def test_time_that_is_not_believed(self) -> None:
        soon = (datetime.now(UTC) + timedelta(minutes=6)).isoformat()
        assert told_at(json.dumps({"updated_at": soon}).encode()) is None
        assert told_at(b"[]") is None
        assert told_at(b'{"updated_at": 5}') is None


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
        told = parse(json.dumps(self.LINE).encode(), StaffLine).told()
        assert told["email"] == "anna.nowak@example.com"
        assert told["roles"] == ["consultant", "manager"]
        assert told["starts_on"] == "2020-01-01"

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"number": "K-193"}, "number: not of its form"),
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
