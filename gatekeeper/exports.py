"""The shape of a line of each export: accounts, participants, tickets, members.

Strict: nothing is converted, nothing unknown is accepted, and every text has a length. A payment
card number is refused wherever it stands (P11), and the password's hash has no field (P1).
"""

from __future__ import annotations

import ipaddress
import re
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Final, Literal, Self

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError
from stdnum import iban

from gatekeeper import catalogue
from gatekeeper.feed_times import FeedTimeError, read_moment
from gatekeeper.jsonlines import Record, RefusedError, Strict, load
from gatekeeper.numbers import card_in
from staff import emails

#: A sender's clock may be ahead by this; what is later is not believed.
AHEAD: Final = timedelta(minutes=5)

_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_CONTROL_IN_TEXT: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


_LOWER: Final = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def _refuse(rule: str) -> PydanticCustomError:
    return PydanticCustomError(rule, "refused")


def _no_card(text: str) -> None:
    if card_in(text):
        raise _refuse("payment_card")


def _single_line(value: str) -> str:
    if _CONTROL.search(value):
        raise _refuse("line_break")
    _no_card(value)
    return value


def _several_lines(value: str) -> str:
    if _CONTROL_IN_TEXT.search(value):
        raise _refuse("line_break")
    _no_card(value)
    return value


def _email(value: str) -> str:
    try:
        validate_email(value)
    except ValidationError:
        raise _refuse("email_form") from None
    return value


def _ip_address(value: str) -> str:
    try:
        # A zone ('%eth0') is somebody's own network card, and free text.
        return str(ipaddress.ip_address("" if "%" in value else value))
    except ValueError:
        raise _refuse("ip_form") from None


def _iban(value: str) -> str:
    if iban.is_valid(value):
        return str(iban.compact(value))  # may pass Luhn: it is no card all the same
    _no_card(value)
    raise _refuse("iban_form")


def _time(value: object) -> datetime:
    try:
        return read_moment(value)
    except FeedTimeError as refused:
        raise _refuse(refused.rule) from None


def _past(moment: datetime) -> datetime:
    if moment > datetime.now(UTC) + AHEAD:
        raise _refuse("in_the_future")
    return moment


def _date(value: object) -> date:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise _refuse("date_form")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise _refuse("date_form") from None


def _plain(value: object) -> object:
    if not isinstance(value, str | bool | int | float | None):
        raise _refuse("value_not_plain")
    if isinstance(value, str):
        if len(value) > 500:
            raise _refuse("string_too_long")
        return _single_line(value)
    if isinstance(value, float | int) and abs(value) >= 1e12:  # a card is a number as well
        raise _refuse("value_not_plain")
    return value


# Each text has a length, which is judged before its characters.
_LINE: Final = AfterValidator(_single_line)
Word = Annotated[str, Field(min_length=1, max_length=40), _LINE]
Short = Annotated[str, Field(min_length=1, max_length=100), _LINE]
Name = Annotated[str, Field(min_length=1, max_length=200), _LINE]
Handle = Annotated[str, Field(min_length=1, max_length=254), _LINE]
Address = Annotated[str, Field(min_length=1, max_length=500), _LINE]
Notes = Annotated[str, Field(min_length=1, max_length=20_000), AfterValidator(_several_lines)]
Email = Annotated[str, Field(max_length=254), _LINE, AfterValidator(_email)]
IpAddress = Annotated[str, Field(max_length=64), AfterValidator(_ip_address)]
Iban = Annotated[str, Field(max_length=60), AfterValidator(_iban)]
Reference = Annotated[str, Field(max_length=13, pattern=r"^MOC-[0-9]{5,9}$")]
MemberNumber = Annotated[str, Field(max_length=8, pattern=r"^K-[0-9]{4,6}$")]
Time = Annotated[datetime, BeforeValidator(_time)]
Past = Annotated[Time, AfterValidator(_past)]
Language = Annotated[str, Field(max_length=8, pattern=r"^[a-z]{2,3}(-[A-Za-z]{2,4})?$")]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
Settings = Annotated[dict[Word, Annotated[Any, AfterValidator(_plain)]], Field(max_length=50)]


class Contact(Strict):
    name: Name
    email: Email


class Company(Strict):
    name: Name | None = None
    address: Address | None = None


class Billing(Strict):
    bank_account: Iban | None = None


class Activity(Strict):
    ip_address: IpAddress | None = None
    last_visit_at: Past | None = None
    settings: Settings | None = None


class Support(Strict):
    notes: Notes | None = None


class Consent(Strict):
    """Declarations and consents that the platform recorded: from when, and until when if ever."""

    participants_since: Time | None = None
    participants_until: Time | None = None
    support_since: Time | None = None
    support_until: Time | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for since, until in (
            (self.participants_since, self.participants_until),
            (self.support_since, self.support_until),
        ):
            if until and not (since and since < until):
                raise _refuse("ends_too_early")
        return self


class AccountLine(Record):
    """A whole account: what it lacks is gone."""

    reference: Reference
    plan: Literal["free", "start", "pro", "business", "enterprise"]
    language: Language
    created_at: Past
    exported_at: Past
    contact: Contact
    company: Company | None = None
    billing: Billing | None = None
    activity: Activity | None = None
    support: Support | None = None
    consent: Consent | None = None
    marketing_consent: bool | None = None
    restricted_at: Past | None = None
    contract_ended_at: Time | None = None

    @property
    def key(self) -> str:
        return self.reference

    def told(self) -> dict[str, Any]:
        """All that the line says of the account; the time of its export is not of the account."""
        return self.model_dump(mode="json", exclude={"exported_at"})


def personal(told: dict[str, Any]) -> dict[str, Any]:
    """The personal values that an account's line tells, under the catalogue's names."""
    sections = told | {"contact": told["contact"] | {"marketing_consent": told["marketing_consent"]}}
    found = {}
    for name in catalogue.FIELDS:
        section, _, field = name.partition(".")
        value = (sections[section] or {}).get(field)
        if value is not None:
            found[name] = value
    return found


class ParticipantLine(Record):
    """One record that a customer collected; who objected is known, and nothing of them (P5)."""

    account: Reference
    reference: Annotated[str, Field(max_length=24, pattern=r"^MOC-[0-9]{5,9}-P[1-9][0-9]{0,8}$")]
    role: Word
    name: Name
    email: Email | None = None
    telephone: Word | None = None
    skype: Short | None = None
    city: Short | None = None
    country: Country | None = None
    position: Name | None = None
    objected: bool = False

    @model_validator(mode="after")
    def _of_its_account(self) -> Self:
        if not self.reference.startswith(f"{self.account}-P"):
            raise _refuse("other_account")
        return self

    @property
    def key(self) -> str:
        return self.reference

    @property
    def number(self) -> int:
        return int(self.reference.rpartition("-P")[2])

    def record(self) -> dict[str, Any]:
        """The values that are kept."""
        if self.objected:
            return {}
        return self.model_dump(exclude={"account", "reference", "objected"}, exclude_none=True)


class TicketLine(Record):
    """A ticket as the helpdesk tells it: never its subject or text. Open: `open` and `pending`."""

    number: Annotated[str, Field(max_length=15, pattern=r"^ZD-[0-9]{1,12}$")]
    kind: Literal["support", "privacy"]
    accounts: Annotated[list[Reference], Field(min_length=1, max_length=50)]
    state: Annotated[str, Field(max_length=16, pattern=r"^[a-z][a-z_-]*$")]
    assignee: Handle | None = None
    opened_by: Handle | None = None
    opened_at: Time | None = None
    updated_at: Time
    closed_at: Time | None = None

    @property
    def key(self) -> str:
        return self.number

    def told(self) -> dict[str, Any]:
        """What is applied. An opener who is no member of ours could be a customer's address."""
        opener = self.opened_by or ""
        known = opener == "customer" or re.fullmatch(r"K-[0-9]{4,6}", opener)
        assignee = self.assignee
        if assignee and "@" in assignee:
            # Normalised, another mailbox could become a member's: then nobody is assigned (attack 23).
            assignee = emails.normalise(assignee) if emails.is_plain(assignee) else None
        return self.model_dump(mode="json") | {
            "accounts": sorted(set(self.accounts)),
            "assignee": assignee,
            "opened_by": opener if known else "",
            "sent_assignee": sent_assignee(self.assignee),
        }


def sent_assignee(assignee: str | None) -> str:
    """The assignee in the helpdesk's own words, as a heartbeat's digest has it: ASCII in lower case."""
    return (assignee or "").strip(" ").translate(_LOWER)


class StaffLine(Record):
    """A member as the personnel system tells them. Suspension and leaving are not its."""

    number: MemberNumber
    name: Name
    email: Email
    roles: Annotated[
        list[Literal["consultant", "manager", "reviewer", "people", "privacy", "administrator"]],
        Field(min_length=1, max_length=6),
    ]
    manager: MemberNumber | None = None
    language: Literal["en", "pl"] = "en"
    starts_on: Annotated[date, BeforeValidator(_date)] | None = None

    @model_validator(mode="after")
    def _roles_combine(self) -> Self:
        if len(set(self.roles)) != len(self.roles):
            raise _refuse("twice")
        if len(self.roles) > 1 and set(self.roles) != {"consultant", "manager"}:
            raise _refuse("not_combinable")
        return self

    @model_validator(mode="after")
    def _email_plain(self) -> Self:
        if not emails.is_plain(self.email):
            raise _refuse("email_not_plain")
        return self

    @property
    def key(self) -> str:
        return self.number

    def told(self) -> dict[str, Any]:
        """What is applied."""
        return self.model_dump(mode="json") | {
            "email": emails.normalise(self.email),
            "roles": sorted(self.roles),
        }


def told_at(raw: bytes) -> datetime | None:
    """The helpdesk's own time in an unusable message; None when it cannot be read or believed."""
    try:
        values = load(raw)
        return _past(_time(values.get("updated_at"))) if isinstance(values, dict) else None
    except (RefusedError, PydanticCustomError):
        return None
