"""What a line of a feed holds, or why it is refused: the shapes that all feeds share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """Nothing is converted, nothing unknown is accepted."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)


class Record(Strict):
    """What a whole line holds. Of a line with `merely_shown` fields, those that cannot be used are
    dropped, and so are fields that are not known; any other line is taken or refused as it is."""

    merely_shown: ClassVar[frozenset[str]] = frozenset()

    @property
    def key(self) -> str:
        """The name of what the line is about: once in a batch."""
        raise NotImplementedError


Shape = TypeVar("Shape", bound=Record)


class RefusedError(Exception):
    """A line cannot be taken. Its text is the reason."""


@dataclass(frozen=True)
class Note:
    """A field that is dropped from its line, or mended: where, and the rule that it broke."""

    act: Literal["dropped", "mended"]
    reason: str


@dataclass(frozen=True)
class Line(Generic[Shape]):
    """A line of a file that is not empty: what it holds, or why it is refused."""

    number: int
    ends_at: int  # bytes of the file up to here
    raw: bytes
    value: Shape | None
    reason: str = ""
    notes: tuple[Note, ...] = ()
