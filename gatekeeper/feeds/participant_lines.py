"""A participant's line in the platform's export: what is merely shown and not usable is dropped, and said."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from pydantic import model_validator

from gatekeeper.feeds.line_fields import (
    Country,
    Name,
    ParticipantReference,
    Reference,
    Short,
    ShownEmail,
    Word,
    refusal,
)
from gatekeeper.feeds.records import Record


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
        """The participant's number within the account."""
        return int(self.reference.rpartition("-P")[2])

    def record(self) -> dict[str, Any]:
        """The values that are kept."""
        if self.objected:
            return {}
        return self.model_dump(exclude={"account", "reference", "objected"}, exclude_none=True)
