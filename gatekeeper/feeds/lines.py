"""The shape of a line of each export: accounts, participants, tickets, members.

Every text has a length, and nothing unknown is kept: the password's hash has no field. Of accounts
and participants, what is merely shown and cannot be used is dropped from its line, or mended, and said
(`mending.py`); a payment card number is dropped wherever it stands. What names, orders or closes is
strict, and so are members as a whole.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import BeforeValidator, Field, TypeAdapter, model_validator
from pydantic_core import PydanticCustomError

from audit import references
from gatekeeper import catalogue
from gatekeeper.feeds import ticket_words
from gatekeeper.feeds.jsonlines import Record, RefusedError, Strict, load
from gatekeeper.feeds.line_fields import (
    CONSENTS,
    Address,
    Country,
    Day,
    Email,
    Handle,
    Iban,
    IpAddress,
    Language,
    MemberName,
    MemberNumber,
    Name,
    Notes,
    ParticipantReference,
    Past,
    Reference,
    Settings,
    Short,
    ShownEmail,
    Since,
    Time,
    Until,
    Word,
    is_unset,
    moment,
    past,
    refusal,
)
from staff.frame import emails

_TICKET: Final = Field(max_length=15, pattern=f"^{references.TICKET}$")
_HANDLE: Final[TypeAdapter[str]] = TypeAdapter(Handle)
_MOMENT: Final[TypeAdapter[datetime]] = TypeAdapter(Time)


class Contact(Strict):
    name: Name | None = None
    email: ShownEmail | None = None


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

    participants_since: Since | None = None
    participants_until: Until | None = None
    support_since: Since | None = None
    support_until: Until | None = None

    @model_validator(mode="before")
    @classmethod
    def _without_what_never_began(cls, told: object) -> object:
        """Some systems write 0001-01-01 for 'not set', at both ends of a consent that never was."""
        if not isinstance(told, dict):
            return told
        never = {
            f"{kind}_until"
            for kind in CONSENTS
            if is_unset(told.get(f"{kind}_since")) and is_unset(told.get(f"{kind}_until"))
        }
        return {name: value for name, value in told.items() if name not in never}

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for since, until in (
            (self.participants_since, self.participants_until),
            (self.support_since, self.support_until),
        ):
            if until and not (since and since < until):
                raise refusal("ends_too_early")
        return self


class AccountLine(Record):
    """A whole account: what it lacks is gone."""

    merely_shown: ClassVar = frozenset(
        {"plan", "language", "created_at", "contact", "company", "billing", "activity", "support"}
        | {"marketing_consent", "contract_ended_at"}
    )

    reference: Reference
    plan: Literal["free", "start", "pro", "business", "enterprise"] | None = None
    language: Language | None = None
    created_at: Past | None = None
    exported_at: Past
    contact: Contact | None = None
    company: Company | None = None
    billing: Billing | None = None
    activity: Activity | None = None
    support: Support | None = None
    consent: Consent | None = None
    marketing_consent: bool | None = None
    restricted_at: Past | None = None
    contract_ended_at: Time | None = None

    @model_validator(mode="before")
    @classmethod
    def _tells_something(cls, told: object) -> object:
        """A message that names an account and no more could be one that asks for its erasure."""
        if isinstance(told, dict) and told.keys() <= {"reference", "exported_at"}:
            raise refusal("nothing_told")
        return told

    @property
    def key(self) -> str:
        return self.reference

    def told(self) -> dict[str, Any]:
        """All that the line says of the account; the time of its export is not of the account."""
        return self.model_dump(mode="json", exclude={"exported_at"})


def personal(told: dict[str, Any]) -> dict[str, Any]:
    """The personal values that an account's line tells, under the catalogue's names."""
    sections = told | {"contact": (told["contact"] or {}) | {"marketing_consent": told["marketing_consent"]}}
    found = {}
    for name in catalogue.FIELDS:
        section, _, field = name.partition(".")
        value = (sections[section] or {}).get(field)
        if value is not None:
            found[name] = value
    return found


class ParticipantLine(Record):
    """One record that a customer collected; who objected is known, and nothing of them."""

    merely_shown: ClassVar = frozenset(
        {"role", "name", "email", "telephone", "skype", "city", "country", "position"}
    )

    account: Reference
    reference: ParticipantReference
    role: Word | None = None
    name: Name | None = None
    email: ShownEmail | None = None
    telephone: Word | None = None
    skype: Short | None = None
    city: Short | None = None
    country: Country | None = None
    position: Name | None = None
    objected: bool | None = None

    @model_validator(mode="after")
    def _of_its_account(self) -> Self:
        if not self.reference.startswith(f"{self.account}-P"):
            raise refusal("other_account")
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
    """A ticket as the helpdesk tells it: never its subject or text. Open: `open` and `pending`.

    Whose it is, which accounts it names and when it was so must be certain. A state that is not known is
    closed, an assignee who cannot be read is nobody, and what is merely shown is left out: `remarks`.
    """

    number: Annotated[str, _TICKET, BeforeValidator(ticket_words.reference)]
    kind: Annotated[Literal["support", "privacy"], BeforeValidator(ticket_words.word)]
    accounts: Annotated[
        list[Reference], Field(min_length=1, max_length=50), BeforeValidator(ticket_words.references)
    ]
    state: Annotated[str, Field(max_length=100), BeforeValidator(ticket_words.word)]
    assignee: Any = None
    opened_by: Any = None
    opened_at: Any = None
    updated_at: Time
    closed_at: Any = None

    @property
    def key(self) -> str:
        return self.number

    @property
    def remarks(self) -> list[str]:
        """What the line got in with, and without, that its sender may not have meant."""
        found = [] if ticket_words.state(self.state) else ["state: a word that is not known, so it is closed"]
        if not ticket_words.taken(_HANDLE, self.assignee)[1]:
            found.append("assignee: cannot be used, so it is nobody")
        shown: dict[str, TypeAdapter[Any]]
        shown = {"opened_by": _HANDLE, "opened_at": _MOMENT, "closed_at": _MOMENT}
        for name, adapter in shown.items():
            if not ticket_words.taken(adapter, getattr(self, name))[1]:
                found.append(f"{name}: cannot be used, and is left out")
        return found

    def told(self) -> dict[str, Any]:
        """What is applied."""
        assignee, _ = ticket_words.taken(_HANDLE, self.assignee)
        opener, _ = ticket_words.taken(_HANDLE, self.opened_by)
        moments = {"opened_at": self.opened_at, "closed_at": self.closed_at, "updated_at": self.updated_at}
        return {
            "number": self.number,
            "kind": self.kind,
            "state": ticket_words.state(self.state) or "closed",
            "accounts": sorted(set(self.accounts)),
            "assignee": ticket_words.assignee(assignee),
            "opened_by": ticket_words.opener(opener),
            "sent_assignee": ticket_words.sent_assignee(assignee),
        } | {name: _written(moment) for name, moment in moments.items()}


def _written(value: object) -> str | None:
    moment: datetime | None = value if isinstance(value, datetime) else ticket_words.taken(_MOMENT, value)[0]
    return _MOMENT.dump_python(moment, mode="json") if moment else None


class StaffLine(Record):
    """A member as the personnel system tells them. Suspension and leaving are not its."""

    number: MemberNumber
    name: MemberName
    email: Email
    roles: Annotated[
        list[Literal["consultant", "manager", "reviewer", "people", "privacy", "administrator"]],
        Field(min_length=1, max_length=6),
    ]
    manager: MemberNumber | None = None
    language: Literal["en", "pl"] = "en"
    starts_on: Day | None = None

    @model_validator(mode="after")
    def _roles_combine(self) -> Self:
        if len(set(self.roles)) != len(self.roles):
            raise refusal("twice")
        if len(self.roles) > 1 and set(self.roles) != {"consultant", "manager"}:
            raise refusal("not_combinable")
        return self

    @model_validator(mode="after")
    def _email_plain(self) -> Self:
        if not emails.is_plain(self.email):
            raise refusal("email_not_plain")
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
        return past(moment(values.get("updated_at"))) if isinstance(values, dict) else None
    except (RefusedError, PydanticCustomError):
        return None
