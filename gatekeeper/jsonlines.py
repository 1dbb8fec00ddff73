"""One JSON object a line, strictly: what is read, and why a line is refused.

A reason is made of fixed words, the place of a known field and a rule. It never holds a value, and
never the name of a field that we do not know: that name came in with the line.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final, Generic, NoReturn, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo

BOM: Final = b"\xef\xbb\xbf"  # some systems begin UTF-8 with it
LONGEST_LINE: Final = 256 * 1024  # bytes; bounds the memory that a line can take


class Strict(BaseModel):
    """Nothing is converted, nothing unknown is accepted."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)


class Record(Strict):
    """What a whole line holds."""

    @property
    def key(self) -> str:
        """The name of what the line is about: once in a batch."""
        raise NotImplementedError


Shape = TypeVar("Shape", bound=Record)


class RefusedError(Exception):
    """A line cannot be taken. Its text is the reason."""


@dataclass(frozen=True)
class Line(Generic[Shape]):
    """A line of a file that is not empty: what it holds, or why it is refused."""

    number: int
    ends_at: int  # bytes of the file up to here
    raw: bytes
    value: Shape | None
    reason: str = ""


#: pydantic's kinds of error, and our own, in words without a value. Others read 'not valid'.
RULES: Final = {
    "missing": "missing",
    "extra_forbidden": "a field that is not known",
    "string_type": "not a text",
    "string_unicode": "a character that is none",
    "string_too_long": "too long",
    "string_too_short": "too short",
    "string_pattern_mismatch": "not of its form",
    "bool_type": "neither true nor false",
    "int_type": "not a number",
    "dict_type": "not an object",
    "model_type": "not an object",
    "list_type": "not a list",
    "too_long": "too many",
    "too_short": "too few",
    "literal_error": "a word that is not known",
    "timezone_aware": "a time without a zone",
    "value_not_plain": "not flat: plain values only",
    "time_form": "not a time with a zone",
    "time_low": "a time before 1990",
    "time_high": "a time after 2199",
    "date_form": "not a date",
    "in_the_future": "in the future",
    "ends_too_early": "ends before it begins",
    "line_break": "a line break or control character",
    "payment_card": "a payment card number",
    "email_form": "not an e-mail address",
    "ip_form": "not an IP address",
    "iban_form": "not a valid IBAN",
    "other_account": "not of this account",
    "not_combinable": "roles that do not combine",
    "twice": "named twice",
}


def lines(stream: BinaryIO, shape: type[Shape]) -> Iterator[Line[Shape]]:
    """Read a stream line by line, in constant memory; empty lines are passed over."""
    number = position = 0
    while raw := stream.readline(LONGEST_LINE + 1):
        number += 1
        position += len(raw)
        too_long = len(raw) > LONGEST_LINE
        if too_long and not raw.endswith(b"\n"):
            position += _skip_rest(stream)
        if not raw.removeprefix(BOM).strip():
            continue
        try:
            if too_long:
                raise RefusedError("line: too long")
            yield Line(number, position, raw, parse(raw, shape))
        except RefusedError as refused:
            yield Line(number, position, raw, None, str(refused))


def parse(raw: bytes, shape: type[Shape]) -> Shape:
    """Return what one line holds. Raises RefusedError with one reason."""
    values = load(raw)
    if not isinstance(values, dict):
        raise RefusedError("line: not an object")
    try:
        return shape.model_validate(values, strict=True)
    except ValidationError as error:
        errors = error.errors(include_url=False, include_context=False, include_input=False)
        # What stands there and is wrong says more than what is missing.
        first = min(errors, key=lambda one: one["type"] == "missing")
        place = ".".join(_place(shape, first["loc"])) or "line"
        rule = RULES.get(first["type"], "not valid")
    # Outside the except clause: the library's error quotes values, and must not travel along.
    raise RefusedError(f"{place}: {rule}")


def load(raw: bytes) -> object:
    """Parse JSON as it is meant: no key twice, no NaN. Raises RefusedError."""
    try:
        return _DECODER.decode(raw.removeprefix(BOM).decode())
    except UnicodeDecodeError:
        reason = "line: not UTF-8"
    except (ValueError, RecursionError):
        reason = "line: not JSON"
    raise RefusedError(reason)


def _pairs(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise RefusedError("line: a field stands twice")
    return values


def _not_a_number(_name: str) -> NoReturn:
    raise RefusedError("line: NaN or Infinity, which is not JSON")


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_pairs, parse_constant=_not_a_number)


def _place(shape: type[BaseModel], loc: Sequence[int | str]) -> Iterator[str]:
    """Name the fields on the way, as far as we know them ourselves."""
    model: type[BaseModel] | None = shape
    for part in loc:
        field: FieldInfo | None = model.model_fields.get(str(part)) if model else None
        if field is None:
            return
        yield str(part)
        model = _nested(field)


def _nested(field: FieldInfo) -> type[BaseModel] | None:
    kinds = getattr(field.annotation, "__args__", (field.annotation,))
    for kind in kinds:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
    return None


def _skip_rest(stream: BinaryIO) -> int:
    skipped = 0
    while part := stream.readline(LONGEST_LINE):
        skipped += len(part)
        if part.endswith(b"\n"):
            break
    return skipped
