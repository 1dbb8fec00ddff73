"""What the gate answers: a decision, a reveal, a refusal; and how SQL's rows become one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from gatekeeper import catalogue

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gatekeeper.gate.cipher import Json


@dataclass(frozen=True)
class Decision:
    """The eight rows as SQL evaluated them. `reason` is the first that fails, None when all hold."""

    reason: str | None
    codes: dict[str, str]
    blocked: dict[str, str] = field(default_factory=dict)  # of the grant's categories, each with its reason
    signature: int | None = None
    account_id: int | None = None
    ticket_id: int | None = None
    request_id: int | None = None
    grant_id: int | None = None
    away: bool = False  # the database was not there to be asked: the same question may be answered soon

    @property
    def open(self) -> bool:
        """All conditions hold."""
        return self.reason is None


@dataclass(frozen=True)
class Refusal:
    """Nothing was shown. `entry` is its number in the log; None when the log could not be written."""

    reason: str
    codes: dict[str, str] = field(default_factory=dict)
    entry: int | None = None
    away: bool = field(default=False, compare=False)  # as of a `Decision`


@dataclass(frozen=True)
class Reveal:
    """What may be shown: field -> value. A field asked for that holds no value is not among them."""

    entry: int
    values: dict[str, Json]
    codes: dict[str, str]  # as the release judged them
    blocked: dict[str, str] = field(
        default_factory=dict
    )  # other categories of the grant, each with its reason


class Answer(NamedTuple):
    """A row of the gate's."""

    reason: str | None
    codes: list[str] | None
    blocked: list[list[str]] | None
    signature: int | None
    account_id: int | None
    ticket_id: int | None
    request_id: int | None
    grant_id: int | None


def decision_of(answer: Answer) -> Decision:
    """Return a row of the gate's as a decision."""
    return Decision(answer.reason, rows(answer.codes), by_category(answer.blocked), *answer[3:])


def by_category(blocked: Iterable[Sequence[str]] | None) -> dict[str, str]:
    """What SQL says of the categories that stay blocked: category -> reason."""
    return {pair[0]: pair[1] for pair in blocked or ()}


def rows(codes: Iterable[str] | None) -> dict[str, str]:
    """Codes in the conditions' order -> condition by condition; what was not evaluated has failed."""
    if codes is None:
        return dict.fromkeys(catalogue.CONDITIONS, "check_failed")
    return dict(zip(catalogue.CONDITIONS, codes, strict=True))


def unevaluated(*, away: bool) -> Decision:
    """Return the decision of a gate that could not be asked: it has said no, in every row.

    `away`: whether the same question may be answered soon.
    """
    return Decision("check_failed", rows(None), away=away)
