"""The kinds of field that a line of an export holds: what each takes, and how it is kept.

Every text has a length, which is judged before its characters, and no payment card number appears in any.
What people only look at takes what real systems hold; what names, orders, closes or mails is strict.
"""

from __future__ import annotations

import ipaddress
import math
import re
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError
from stdnum import iban

from audit import references
from gatekeeper.feeds.times import FeedTimeError, read_moment
from gatekeeper.frame.numbers import card_in
from staff.frame.names import is_readable, is_seen

#: A sender's clock may be ahead by this; what is later is not trusted.
CLOCK_TOLERANCE: Final = timedelta(minutes=5)

#: The kinds of consent that a line tells, each from `…_since` until `…_until`.
CONSENTS: Final = ("participants", "support")

_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_CONTROL_IN_TEXT: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_HALF: Final = re.compile("[\ud800-\udfff]")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# Shown, never mailed: a local part and a domain, in letters of any script.
_SHOWN_EMAIL: Final = re.compile(
    r"(?P<local>[^\s@<>\"(),:;\[\]\\\ufffd]+|\"[^\"\\@]+\")@(?P<domain>[^\W_](?:[\w\-]|\.(?=[^\W_]))*\.?|\[[0-9A-Fa-f.:IPv]+\])"
)
_AROUND_EMAIL: Final = re.compile(r"(?:mailto:)?<?([^<>]*)>?", re.IGNORECASE)
_PORT: Final = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<four>[0-9.]+))(?::[0-9]{1,5})?")
_LANGUAGE: Final = re.compile(
    r"(?P<language>[a-z]{2,3})(?:-(?P<script>[a-z]{4}))?(?:-(?P<region>[a-z]{2}|[0-9]{3}))?(?P<more>(?:-[a-z0-9]{1,8})*)"
)


def refusal(rule: str) -> PydanticCustomError:
    """The error that names a rule of ours (`jsonlines.RULES`) and no value."""
    return PydanticCustomError(rule, "refused")


def _no_card(text: str) -> None:
    if card_in(text):
        raise refusal("payment_card")


def _single_line(value: str) -> str:
    if _CONTROL.search(value):
        raise refusal("line_break")
    _no_card(value)
    return value


def _member_name(value: str) -> str:
    """As on the pages: members' names appear in lists, documents and sentences."""
    if not is_readable(value):
        raise refusal("name_unreadable")
    return value


def _seen(value: str) -> str:
    """What is merely shown may be any sign, but not one that shows nothing."""
    if not any(map(is_seen, value)):
        raise refusal("nothing_seen")
    return value


def _several_lines(value: str) -> str:
    if _CONTROL_IN_TEXT.search(value):
        raise refusal("line_break")
    _no_card(value)
    return value


def _email(value: str) -> str:
    try:
        validate_email(value)
    except ValidationError:
        raise refusal("email_form") from None
    return value


def _shown_email(value: str) -> str:
    if _SHOWN_EMAIL.fullmatch(value):
        return value
    around = _AROUND_EMAIL.fullmatch(value)
    if around and _SHOWN_EMAIL.fullmatch(around[1].strip()):
        return around[1].strip()
    raise refusal("email_form")


def _ip_address(value: str) -> str:
    """An address, without the port that a proxy writes beside it."""
    found = _PORT.fullmatch(value)
    # A zone ('%eth0') is somebody's own network card, and no part of an address.
    plain = (found["six"] or found["four"]) if found else value.partition("%")[0]
    try:
        return str(ipaddress.ip_address(plain))
    except ValueError:
        raise refusal("ip_form") from None


def _iban(value: str) -> str:
    if iban.is_valid(value):
        return str(iban.compact(value))  # may pass for a card's number: it is not one all the same
    _no_card(value)
    raise refusal("iban_form")


def _language(value: str) -> str:
    """A tag as BCP 47 writes it; POSIX writes pl_PL.UTF-8@euro."""
    plain = value.partition("@")[0].partition(".")[0].replace("_", "-").lower()
    found = _LANGUAGE.fullmatch(plain)
    if not found:
        raise refusal("language_form")
    script, region = (found["script"] or "").title(), (found["region"] or "").upper()
    return "-".join(part for part in (found["language"], script, region) if part) + found["more"]


def _country(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{2}", value):
        raise refusal("country_form")
    return value.upper()


def moment(value: object) -> datetime:
    """A time of a line, in UTC. Raises PydanticCustomError."""
    try:
        return read_moment(value)
    except FeedTimeError as refused:
        raise refusal(refused.rule) from None


def is_unset(value: object) -> bool:
    """Whether nothing is told, or the first date of a system's calendar, which stands for it."""
    if value is None:
        return True
    try:
        read_moment(value)
    except FeedTimeError as refused:
        return refused.rule == "time_low"
    return False


def consent_since(value: object) -> datetime | None:
    """0001-01-01 is no consent."""
    return None if is_unset(value) else moment(value)


def consent_until(value: object) -> datetime | None:
    """9999-12-31 is no end."""
    try:
        return None if value is None else read_moment(value)
    except FeedTimeError as refused:
        if refused.rule == "time_high":
            return None
        raise refusal(refused.rule) from None


def past(value: datetime) -> datetime:
    """What has happened already, as far as clocks agree. Raises PydanticCustomError."""
    if value > datetime.now(UTC) + CLOCK_TOLERANCE:
        raise refusal("in_the_future")
    return value


def _date(value: object) -> date:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise refusal("date_form")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise refusal("date_form") from None


def _plain(value: object) -> object:
    if isinstance(value, str):
        if len(value) > 500:
            raise refusal("string_too_long")
        if _HALF.search(value):
            raise refusal("string_unicode")
        return _single_line(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float) and math.isfinite(value) and abs(value) < 2**63:
        _no_card(str(value).removesuffix(".0"))  # a card is a number as well
        return value
    raise refusal("value_not_plain")


_LINE: Final = AfterValidator(_single_line)
_STRIP: Final = StringConstraints(strip_whitespace=True)
Word = Annotated[str, _STRIP, Field(min_length=1, max_length=40), _LINE]
Short = Annotated[str, _STRIP, Field(min_length=1, max_length=100), _LINE]
Name = Annotated[str, _STRIP, Field(min_length=1, max_length=200), _LINE, AfterValidator(_seen)]
MemberName = Annotated[str, _STRIP, Field(min_length=1, max_length=200), _LINE, AfterValidator(_member_name)]
Handle = Annotated[str, Field(min_length=1, max_length=254), _LINE]
Address = Annotated[str, _STRIP, Field(min_length=1, max_length=500), _LINE]
Notes = Annotated[str, _STRIP, Field(min_length=1, max_length=20_000), AfterValidator(_several_lines)]
Email = Annotated[str, Field(max_length=254), _LINE, AfterValidator(_email)]
ShownEmail = Annotated[str, _STRIP, Field(min_length=1, max_length=254), _LINE, AfterValidator(_shown_email)]
IpAddress = Annotated[str, _STRIP, Field(min_length=1, max_length=64), AfterValidator(_ip_address)]
Iban = Annotated[str, _STRIP, Field(min_length=1, max_length=60), AfterValidator(_iban)]
Reference = Annotated[str, Field(max_length=13, pattern=f"^{references.ACCOUNT}$")]
ParticipantReference = Annotated[str, Field(max_length=24, pattern=f"^{references.PARTICIPANT}$")]
MemberNumber = Annotated[str, Field(max_length=8, pattern=f"^{references.MEMBER}$")]
Time = Annotated[datetime, BeforeValidator(moment)]
Since = Annotated[datetime | None, BeforeValidator(consent_since)]
Until = Annotated[datetime | None, BeforeValidator(consent_until)]
Past = Annotated[Time, AfterValidator(past)]
Language = Annotated[str, _STRIP, Field(min_length=1, max_length=35), AfterValidator(_language)]
Country = Annotated[str, _STRIP, Field(min_length=1, max_length=40), AfterValidator(_country)]
Day = Annotated[date, BeforeValidator(_date)]
Settings = Annotated[dict[Word, Annotated[Any, AfterValidator(_plain)]], Field(max_length=50)]
