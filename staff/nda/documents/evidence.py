"""What is beside a signature, so that it proves who signed what, when and how."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class EvidenceError(ValueError):
    """The facts are incomplete, or do not fit together."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """The facts of one signature. They appear in the document, in the row, and nowhere else.

    `sha256` is that of the text's UTF-8 in the language signed; `session` the session's number,
    never its key; `signed_at` is aware. Raises EvidenceError.
    """

    number: str
    name: str
    version: int
    sha256: str
    language: str
    typed_name: str
    consent: str
    method: str
    signed_at: datetime
    address: str
    user_agent: str
    session: int
    form: str

    def __post_init__(self) -> None:
        if self.signed_at.tzinfo is None:
            raise EvidenceError("signed_at has no time zone")
        # One way of writing the moment: what is equal must look equal, in the document and in the row.
        object.__setattr__(self, "signed_at", self.signed_at.astimezone(UTC))

    def to_dict(self) -> dict[str, Any]:
        """The facts as JSON has them; the moment in ISO form, UTC."""
        return asdict(self) | {"signed_at": self.signed_at.isoformat()}

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> Evidence:
        """Read what `to_dict` gave. Facts of other names are refused. Raises EvidenceError."""
        known = {field.name: field.type for field in fields(cls)}
        if facts.keys() != known.keys():
            raise EvidenceError("the facts have other names than evidence has")
        for name, kind in known.items():
            if type(facts[name]) is not (int if kind == "int" else str):
                raise EvidenceError(f"{name} is of another kind")
        try:
            moment = datetime.fromisoformat(facts["signed_at"])
        except ValueError as error:
            raise EvidenceError("signed_at is no moment") from error
        return cls(**{**facts, "signed_at": moment})

    def speaks_of(self, text: str) -> bool:
        """Whether this is the text that was signed."""
        return sha256(text.encode("utf-8")).hexdigest() == self.sha256
