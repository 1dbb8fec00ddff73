"""Numbers in what people write: which is a payment card's, a bank account's, a telephone's.

A card is its issuer's range (ISO/IEC 7812), a length that this issuer gives, and a right check digit.
One digit in ten is right by chance: without range and length, telephone numbers would be cards.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

from stdnum import iban, luhn

from audit import references

_SIXTEEN: Final = (16,)
_UP: Final = (16, 17, 18, 19)

#: Issuers' ranges as they publish them: first digits from, to, and the lengths that they give. Visa's
#: 13 digits are not given any more, and would be every tenth German mobile with its country's 49.
ISSUERS: Final[dict[str, tuple[tuple[str, str, tuple[int, ...]], ...]]] = {
    "Visa": (("4", "4", (16, 18, 19)),),
    "Mastercard": (("51", "55", _SIXTEEN), ("2221", "2720", _SIXTEEN)),
    "American Express": (("34", "34", (15,)), ("37", "37", (15,))),
    "Diners Club": (
        ("300", "305", (14, *_UP)),
        ("3095", "3095", (14, *_UP)),
        ("36", "36", (14, *_UP)),
        ("38", "39", (14, *_UP)),
    ),
    "Discover": (("6011", "6011", _UP), ("644", "649", _UP), ("65", "65", _UP)),
    "JCB": (("3528", "3589", _UP), ("2131", "2131", (15,)), ("1800", "1800", (15,))),
    "UnionPay": (("62", "62", _UP), ("81", "81", _UP)),
    "Maestro": (
        ("5018", "5018", (12, 13, 14, 15, *_UP)),
        ("5020", "5020", (12, 13, 14, 15, *_UP)),
        ("5038", "5038", (12, 13, 14, 15, *_UP)),
        ("5893", "5893", (12, 13, 14, 15, *_UP)),
        ("6304", "6304", (12, 13, 14, 15, *_UP)),
        ("6759", "6759", (12, 13, 14, 15, *_UP)),
        ("6761", "6763", (12, 13, 14, 15, *_UP)),
        ("6767", "6767", (16, 18, 19)),
    ),
    "Mir": (("2200", "2205", _UP),),
    "RuPay": (("60", "60", _SIXTEEN), ("82", "82", _SIXTEEN), ("508", "508", _SIXTEEN)),
    "Troy": (("9792", "9792", _SIXTEEN),),
    "Verve": (("5060", "5061", (16, 18, 19)), ("5078", "5079", (16, 18, 19))),
    "Elo": (
        ("5041", "5041", _SIXTEEN),
        ("5066", "5067", _SIXTEEN),
        ("509", "509", _SIXTEEN),
        ("636", "636", _UP),
    ),
    "Dankort": (("5019", "5019", _SIXTEEN),),
    "Instapayment": (("637", "639", _SIXTEEN),),
    "Uzcard, Humo": (("8600", "8600", _SIXTEEN), ("9860", "9860", _SIXTEEN)),
}
_BY_LENGTH: Final = {
    length: [(low, high) for ranges in ISSUERS.values() for low, high, lengths in ranges if length in lengths]
    for length in range(12, 20)
}

#: Between the digits of one number: spaces of any width, dashes of any length, and what else people put.
_BETWEEN: Final = r"[\s\u00ad\u200b-\u200d\u2060\-\u2010-\u2015\u2212./_*|\u00b7\u2022]"
_RUN: Final = re.compile(rf"\d(?:{_BETWEEN}{{0,3}}\d){{11,}}")
_GROUP: Final = re.compile(r"\d+")
#: How a card's digits stand together on the card and on forms; beside it may stand a date or a code.
_SHAPES: Final = (
    (4, 4, 4, 4, 3), (4, 4, 4, 4, 2), (4, 4, 4, 4, 1), (4, 4, 4, 4), (4, 6, 5), (4, 6, 4), (4, 4, 4, 2),
    (4, 4, 4, 3), (4, 4, 4, 1), (4, 4, 4), (6, 13), (6, 10), (8, 8), (4, 4, 8), (4, 12), (4, 8, 4),
    (4, 5, 6), (4, 4, 5),
)  # fmt: skip
_LONGEST_TELEPHONE: Final = 15  # ITU-T E.164, behind its plus

#: With its country, which says how long it is; or the 26 digits of a Polish one, which stand 2-4-4-4-4-4-4.
_BANK_ACCOUNT: Final = re.compile(
    rf"(?<![^\W_])[A-Za-z]{{2}}{_BETWEEN}{{0,2}}\d{{2}}(?:{_BETWEEN}{{0,2}}[A-Za-z0-9]){{11,30}}"
    rf"|(?<!\d)\d{{2}}(?:{_BETWEEN}?\d{{4}}){{6}}(?!\d)"
)

_DAY: Final = (
    r"(?:(?:19|20)\d{2}([-./])(?:0?[1-9]|1[0-2])\1(?:3[01]|[12]\d|0?[1-9])"
    r"|(?:3[01]|[12]\d|0?[1-9])([-./])(?:0?[1-9]|1[0-2])\2(?:(?:19|20)\d{2}|\d{2}))"
)
_OURS: Final = "|".join(references.PREFIXES)
_NO_TELEPHONES: Final = (
    re.compile(rf"(?<![^\W_])(?:{_OURS})-\d{{1,12}}(?:-P\d{{1,9}})?(?![\w-])", re.IGNORECASE),  # our own
    re.compile(r"(?<![\w-])[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}(?![\w-])", re.IGNORECASE),  # UUID
    # a day, and what the clock showed
    re.compile(
        rf"(?<![\d+])(?<!\d[-./]){_DAY}"
        r"(?:[T ,]{1,3}\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?(?:Z| ?[+-]\d{2}:?\d{2})?)?(?![-./]?\d)"
    ),
    re.compile(r"(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\d.]\d|\d)"),
    re.compile(r"(?<![\d-])\d{2}-\d{3}(?= +[^\W\d_])|\b[A-Z]{2} \d{5}-\d{4}(?![\d-])"),  # postal codes
)
_TELEPHONE: Final = re.compile(
    r"\+[\s(\u200b-\u200d\u2060]{0,3}\d(?:BETWEEN{0,3}\d){6,}|\d(?:BETWEEN{0,3}\d){8,}".replace(
        "BETWEEN", r"[\s()\u00ad\u200b-\u200d\u2060\-\u2010-\u2015\u2212./]"
    )
)


def card_in(text: str) -> bool:
    """Whether a payment card's number appears in the text, however it is written."""
    if len(text) < 12 or not any(_cards(text)):
        return False
    return any(_cards(_without(text, _bank_accounts(text))))


def bank_account_in(text: str) -> bool:
    """Whether an IBAN appears in the text, or a Polish account number without its country."""
    return any(_bank_accounts(text))


def telephone_in(text: str) -> bool:
    """Whether what may be a telephone number appears in the text: seven digits behind a plus, or nine in
    a row, however they are parted; but no day, address, identifier or number of ours."""
    text = _plain_digits(text)
    for known in _NO_TELEPHONES:
        text = known.sub(" # ", text)
    return bool(_TELEPHONE.search(text))


def _plain_digits(text: str) -> str:
    """The text with the digits of all scripts as ours."""
    if text.isascii():
        return text
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)


def _cards(text: str) -> Iterator[str]:
    for run in _RUN.finditer(text):
        groups = list(_GROUP.finditer(run[0]))
        for first, last in _stretches([len(group[0]) for group in groups], run[0]):
            digits = _plain_digits("".join(group[0] for group in groups[first:last]))
            if not _is_card(digits):
                continue
            before = text[: run.start() + groups[first].start()].rstrip(" (")
            if not (before.endswith("+") and len(digits) <= _LONGEST_TELEPHONE):
                yield digits


def _stretches(sizes: list[int], run: str) -> Iterator[tuple[int, int]]:
    """Which groups of a run may be one number: each by itself, all, and those that stand as on a card."""
    if sum(sizes) <= 19 and not re.search(r"\D\D", run):
        yield 0, len(sizes)
    for first, size in enumerate(sizes):
        if size >= 12:
            yield first, first + 1
        for shape in _SHAPES:
            if tuple(sizes[first : first + len(shape)]) == shape:
                yield first, first + len(shape)


def _is_card(digits: str) -> bool:
    ranges = _BY_LENGTH.get(len(digits), ())
    return any(low <= digits[: len(low)] <= high for low, high in ranges) and luhn.is_valid(digits)


def _bank_accounts(text: str) -> Iterator[tuple[int, int]]:
    """Where each stands: from, to. What follows an IBAN may be letters as well: it is part of the find."""
    for found in _BANK_ACCOUNT.finditer(text):
        places = [place for place in range(*found.span()) if text[place].isalnum()]
        characters = _plain_digits("".join(text[place] for place in places)).upper()
        country = "PL" if characters[0].isdecimal() else ""
        for length in range(min(len(characters), 34), 14, -1):
            if iban.is_valid(country + characters[:length]):
                yield found.start(), places[length - 1] + 1
                break


def _without(text: str, spans: Iterable[tuple[int, int]]) -> str:
    pieces, end = [], 0
    for begins, ends in spans:
        pieces += [text[end:begins], " # "]
        end = ends
    return "".join([*pieces, text[end:]])
