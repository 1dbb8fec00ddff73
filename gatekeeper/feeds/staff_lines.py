"""A member's line, as the personnel system tells it: strict as a whole."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from gatekeeper.feeds.line_fields import (
    Day,
    Email,
    MemberName,
    MemberNumber,
    refusal,
)
from gatekeeper.feeds.records import Record
from staff.frame import emails


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

    def payload(self) -> dict[str, Any]:
        """What is applied."""
        return self.model_dump(mode="json") | {
            "email": emails.normalise(self.email),
            "roles": sorted(self.roles),
        }
