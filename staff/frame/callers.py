"""Who calls the database's functions: a session, never a name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from audit.context import context

if TYPE_CHECKING:
    from django.http import HttpRequest


@dataclass(frozen=True)
class Caller:
    """SHA-256 of the session's key, from which SQL derives the member; and what the log keeps of the
    request (address, user agent, the request's id)."""

    digest: bytes | None
    context: dict[str, str | None] = field(default_factory=dict)

    @classmethod
    def of(cls, request: HttpRequest) -> Caller:
        """The caller behind a request. A visitor without a session has no digest, and opens nothing."""
        return cls(request.session.digest, context(request))  # type: ignore[attr-defined]  # our engine
