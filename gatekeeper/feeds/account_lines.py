"""An account's line in the platform's export, and the personal values that it tells.

Every text has a length, and nothing unknown is kept: the password's hash has no field. What is merely
shown and cannot be used is dropped from its line, or mended, and said (`mending.py`); a payment card number
is dropped wherever it stands. What names, orders or closes is strict.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

from pydantic import model_validator

from gatekeeper import catalogue
from gatekeeper.feeds.line_fields import (
    CONSENTS,
    Address,
    Iban,
    IpAddress,
    Language,
    Name,
    Notes,
    Past,
    Reference,
    Settings,
    ShownEmail,
    Since,
    Time,
    Until,
    is_unset,
    refusal,
)
from gatekeeper.feeds.records import Record, Strict


class Contact(Strict):
    """Who is written to."""

    name: Name | None = None
    email: ShownEmail | None = None


class Company(Strict):
    """The customer's company."""

    name: Name | None = None
    address: Address | None = None


class Billing(Strict):
    """How the customer pays."""

    bank_account: Iban | None = None


class Activity(Strict):
    """What the customer's last visit left."""

    ip_address: IpAddress | None = None
    last_visit_at: Past | None = None
    settings: Settings | None = None


class Support(Strict):
    """What support notes of the customer."""

    notes: Notes | None = None


class Consent(Strict):
    """Declarations and consents that the platform recorded: from when, and until when if ever."""

    participants_since: Since | None = None
    participants_until: Until | None = None
    support_since: Since | None = None
    support_until: Until | None = None

    @model_validator(mode="before")
    @classmethod
    def _without_what_never_began(cls, values: object) -> object:
        """Some systems write 0001-01-01 for 'not set', at both ends of a consent that never was."""
        if not isinstance(values, dict):
            return values
        never = {
            f"{kind}_until"
            for kind in CONSENTS
            if is_unset(values.get(f"{kind}_since")) and is_unset(values.get(f"{kind}_until"))
        }
        return {name: value for name, value in values.items() if name not in never}

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
    def _tells_something(cls, values: object) -> object:
        """A message that names an account and no more could be one that asks for its erasure."""
        if isinstance(values, dict) and values.keys() <= {"reference", "exported_at"}:
            raise refusal("nothing_told")
        return values

    @property
    def key(self) -> str:
        return self.reference

    def payload(self) -> dict[str, Any]:
        """All that the line says of the account; the time of its export is not of the account."""
        return self.model_dump(mode="json", exclude={"exported_at"})


def personal(payload: dict[str, Any]) -> dict[str, Any]:
    """The personal values that an account's line tells, under the catalogue's names."""
    sections = payload | {
        "contact": (payload["contact"] or {}) | {"marketing_consent": payload["marketing_consent"]}
    }
    found = {}
    for name in catalogue.FIELDS:
        section, _, field = name.partition(".")
        value = (sections[section] or {}).get(field)
        if value is not None:
            found[name] = value
    return found
