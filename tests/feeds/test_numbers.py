"""Cards, bank accounts and telephones in what people write: both rates, on generated numbers."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator

import pytest
from stdnum import iban, luhn

from gatekeeper.access.typed_reasons import personal_in
from gatekeeper.frame.numbers import ISSUERS, bank_account_in, card_in, telephone_in

EACH = 2_000
NARROW, DASH = "\u00a0", "\u2013"


def say(rate: str) -> None:
    """For whoever runs this with -s."""
    sys.stdout.write(f"{rate}\n")


def digits(chance: random.Random, count: int) -> str:
    return "".join(chance.choices("0123456789", k=count))


def cards(chance: random.Random) -> Iterator[tuple[str, str]]:
    """Issuer and number: each range and length of each issuer, from its first to its last prefix."""
    for issuer, ranges in ISSUERS.items():
        for low, high, lengths in ranges:
            for length in lengths:
                for _ in range(20):
                    prefix = str(chance.randint(int(low), int(high)))
                    body = prefix + digits(chance, length - len(prefix) - 1)
                    yield issuer, body + luhn.calc_check_digit(body)


def grouped(number: str, *sizes: int, by: str) -> str:
    """The digits in groups of these sizes, the last size repeated."""
    pieces, begin, last = [], 0, list(sizes)
    while begin < len(number):
        size = last.pop(0) if len(last) > 1 else last[0]
        pieces.append(number[begin : begin + size])
        begin += size
    return by.join(pieces)


WRITINGS: dict[str, Callable[[str], str]] = {
    "in one": lambda n: n,
    "fours": lambda n: grouped(n, 4, by=" "),
    "dashes": lambda n: grouped(n, 4, by="-"),
    "no-break spaces": lambda n: grouped(n, 4, by=NARROW),
    "en dashes": lambda n: grouped(n, 4, by=DASH),
    "dots": lambda n: grouped(n, 4, by="."),
    "as on an American Express": lambda n: grouped(n, 4, 6, 5, by=" "),
    "every two": lambda n: grouped(n, 2, by=" "),
    "in a sentence": lambda n: f"Klient podał kartę {n}, ważną 12/28.",
    "with its date": lambda n: f"{grouped(n, 4, by=' ')} 12/28",
    "with date and code": lambda n: f"karta:{n} 12/28 123",
    "behind a telephone": lambda n: f"+48 501 222 333 {n}",
    "other digits": lambda n: n.translate({ord("0") + k: 0x0660 + k for k in range(10)}),
    "wide digits": lambda n: n.translate({ord("0") + k: 0xFF10 + k for k in range(10)}),
}


@pytest.mark.parametrize("writing", WRITINGS)
def test_cards_are_found(writing: str) -> None:
    numbers = list(cards(random.Random(1)))  # noqa: S311 - invented numbers
    missed = [(issuer, WRITINGS[writing](n)) for issuer, n in numbers if not card_in(WRITINGS[writing](n))]
    say(f"{writing}: {len(numbers) - len(missed)} of {len(numbers)} cards found")
    assert not missed


#: Country code and national number of mobiles, 0 for any digit, as the countries' plans have them.
MOBILES = {
    "Poland": ("48", ["50 000 00 00", "60 000 00 00", "72 000 00 00", "88 000 00 00"]),
    "Germany": ("49", ["151 0000 0000", "160 000 0000", "171 000 0000", "157 0000 0000"]),
    "Brazil": ("55", ["11 90000-0000", "21 99000-0000", "54 98000-0000"]),
    "Indonesia": ("62", ["811-000-000", "812-0000-0000", "857-0000-00000", "896-0000-0000"]),
    "France": ("33", ["6 00 00 00 00", "7 00 00 00 00"]),
    "United Kingdom": ("44", ["7000 000000"]),
    "Spain": ("34", ["600 000 000", "700 000 000"]),
    "Italy": ("39", ["300 0000000", "340 000 0000"]),
    "Austria": ("43", ["660 00000000", "699 00000000"]),
    "Hungary": ("36", ["20 000 0000", "70 000 0000"]),
    "Ukraine": ("380", ["50 000 00 00", "67 000 00 00"]),
    "United States": ("1", ["(202) 000-0000", "415-000-0000"]),
    "China": ("86", ["130 0000 0000", "186 0000 0000"]),
    "India": ("91", ["90000 00000", "60000 00000"]),
    "Japan": ("81", ["90-0000-0000", "80-0000-0000"]),
    "Nigeria": ("234", ["803 000 0000", "706 000 0000"]),
    "Philippines": ("63", ["917 000 0000"]),
    "Argentina": ("54", ["9 11 0000-0000"]),
    "Mexico": ("52", ["1 55 0000 0000", "55 0000 0000"]),
}


def mobiles(chance: random.Random, country: str) -> Iterator[str]:
    """Mobiles of a country: its prefixes kept, each later 0 any digit; as people write them."""
    code, patterns = MOBILES[country]
    for _ in range(EACH):
        pattern = chance.choice(patterns)
        kept = 2
        national = ""
        for place, sign in enumerate(pattern):
            national += digits(chance, 1) if sign == "0" and place >= kept else sign
        written = chance.choice(["+{} {}", "00{} {}", "{} {}", "+({}) {}", "{}{}"]).format(code, national)
        if chance.random() < 0.5:
            written = written.replace(" ", chance.choice(["", "-", NARROW]))
        yield written


@pytest.mark.parametrize("country", MOBILES)
def test_mobiles_are_no_cards(country: str) -> None:
    chance = random.Random(2)  # noqa: S311 - invented numbers
    written = list(mobiles(chance, country))
    wrong = [one for one in written if card_in(one) or card_in(f"Klient: {one} (po 10)")]
    say(f"{country}: {len(wrong)} of {len(written)} mobiles taken for a card")
    assert len(wrong) <= len(written) / 1000


@pytest.mark.parametrize("country", MOBILES)
def test_mobiles_in_a_reason_are_telephones(country: str) -> None:
    chance = random.Random(3)  # noqa: S311 - invented numbers
    written = [one.replace("-", DASH) if chance.random() < 0.3 else one for one in mobiles(chance, country)]
    missed = [one for one in written if not personal_in(f"Oddzwonić: {one}, po 10")]
    say(f"{country}: {len(written) - len(missed)} of {len(written)} mobiles found in a reason")
    assert not missed


def test_serial_numbers_of_telephones_are_no_cards() -> None:
    """An IMEI: a type allocation code of a reporting body, a serial number, Luhn's digit."""
    chance = random.Random(4)  # noqa: S311 - invented numbers
    wrong = total = 0
    for body in ("35", "01", "86", "99", "91", "98"):
        for _ in range(EACH):
            imei = body + digits(chance, 12)
            imei += luhn.calc_check_digit(imei)
            grouping = f"{imei[:2]}-{imei[2:8]}-{imei[8:14]}-{imei[14]}"
            total += 2
            wrong += card_in(f"IMEI {imei}, Android 14") + card_in(f"IMEI {grouping}")
    say(f"IMEI: {wrong} of {total} taken for a card")
    assert wrong <= total / 1000


def test_bank_accounts_are_no_cards() -> None:
    chance = random.Random(5)  # noqa: S311 - invented numbers
    wrong = 0
    for _ in range(EACH):
        body = digits(chance, 24)
        number = iban.calc_check_digits(f"PL00{body}") + body
        fours = grouped(number, 2, 4, by=chance.choice([" ", NARROW, "-"]))
        for text in (f"PL{number}", f"Zwrot na PL{fours} dzisiaj", f"konto {fours}."):
            assert bank_account_in(text), text
            wrong += card_in(text)
    say(f"bank accounts: {wrong} of {3 * EACH} taken for a card")
    assert not wrong


@pytest.mark.parametrize(
    "text",
    [
        "+49 151 50323124",
        "+55 11 93909-9603",
        "4915150323124",  # as long as Visa's old numbers
        "4111 1111 1111 1112",  # a wrong check digit
        "411111111111",  # too short
        "41111111111111110000",  # too long for one
        "1111 1111 1111 1117",  # nobody's range
        "5500 0000 0000 000",  # not its issuer's length
        "4006381333931",  # EAN
        "2024-01-01 10:00:00 2024-01-02 10:00",
        "",
    ],
)
def test_not_a_card(text: str) -> None:
    assert not card_in(text)


@pytest.mark.parametrize(
    "text",
    [
        "Fails since 2026-11-30.",
        "Od 30.11.2026 12:45:10 do 1.12.2026",
        "2026-11-30T12:00:00.123456+02:00 timeout",
        "between 2026-11-01 and 2026-11-30",
        "01/11/2026 - 30/11/2026",
        "MOC-48213, ZD-104012345678 and K-0193",
        "participant MOC-480172134-P17 of moc-480172134",
        "from 192.168.100.200 to 10.100.200.255",
        "ul. Nowa 12/34 00-950 Warszawa",
        "Mountain View, CA 94043-1351",
        "request 550e8400-e29b-41d4-a716-446655440000 failed",
        "about 12 500 users, 3 of 4 rooms, error 50012",
        "Windows 11 22H2, Chrome 119.0.6045",
        "",
    ],
)
def test_no_telephone(text: str) -> None:
    assert personal_in(text) == ""


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Call 501\u00a0222\u00a0333.", "telephone"),
        ("Call 501\u2013222\u2013333.", "telephone"),
        ("Call 501\u2011222\u2011333.", "telephone"),
        ("Call 501\u202f222\u2009333.", "telephone"),
        ("Call (22) 123-45-67", "telephone"),
        ("Call (22) 123 - 45 - 67", "telephone"),
        ("tel.501222333", "telephone"),
        ("+48501222333", "telephone"),
        ("+ 370 (5) 212 3456", "telephone"),
        ("501.222.333", "telephone"),
        ("5\u200b01222333", "telephone"),
        ("\uff15\uff10\uff11 222 333", "telephone"),
        ("since 2026-11-30 501 222 333", "telephone"),
        ("ZD-1 501222333", "telephone"),
        ("TEL-501222333", "telephone"),
        ("00-950 501 222 333", "telephone"),
        ("PL61 1090 1014 0000 0712 1981 2874", "iban"),
        ("61\u00a01090\u00a01014\u00a00000\u00a00712\u00a01981\u00a02874 please", "iban"),
        ("4111\u00a01111\u00a01111\u00a01111", "card"),
        ("jan@example.com", "email"),
        ("jan\uff20example.com", "email"),
        ("jan\uff20example\uff0ecom", "email"),
        ("jan\ufe6bexample.com", "email"),
        ("u\u017cytkownik@\u017c\u00f3\u0142w.example", "email"),
    ],
)
def test_personal_in_a_reason(text: str, kind: str) -> None:
    assert personal_in(text) == kind


def test_long_texts_end_soon() -> None:
    """No text makes the search take longer than its length asks for."""
    for hard in ("1 " * 10_000, "4111 " * 4_000, "PL61 " * 4_000, "2026-11-30 " * 2_000, "+" * 20_000):
        card_in(hard)
        bank_account_in(hard)
        telephone_in(hard)


def test_a_plus_makes_a_telephone_of_what_is_short_enough_for_one() -> None:
    for body in ("63041234567", "37828224631000"):  # twelve digits of Maestro, fifteen of American Express
        number = body + luhn.calc_check_digit(body)
        assert card_in(number)
        assert not card_in(f"+{number}")
        assert not card_in(f"tel. + ({number[:2]}) {number[2:]}")
    assert card_in("+4111 1111 1111 1111"), "no telephone number has sixteen digits"
