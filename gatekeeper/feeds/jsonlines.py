"""One JSON object a line: what is read, what of it is dropped or mended, and why a line is refused.

A reason is made of fixed words, the place of a known field and a rule. It never holds a value, and
never the name of a field that we do not know: that name came in with the line.
"""

from __future__ import annotations

import codecs
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, ClassVar, Final, Generic, Literal, NoReturn, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo

from gatekeeper.feeds.mending import Failure, Unclear, may_be_dropped, mend, rule

BOM: Final = b"\xef\xbb\xbf"  # some systems begin UTF-8 with it
LONGEST_LINE: Final = 256 * 1024  # bytes; bounds the memory that a line can take
ROUNDS: Final = 8  # of mending one line


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
    "name_unreadable": "no name that people can read: it has no letter, or signs that are unseen or turn it",
    "nothing_seen": "nothing that can be seen",
    "payment_card": "a payment card number",
    "nothing_told": "tells nothing",
    "language_form": "not a language",
    "country_form": "not a country's two letters",
    "not_json": "a number that is none",
    "stands_twice": "stands twice",
    "may_close": "a field that is not known, and may close",
    "email_form": "not an e-mail address",
    "ip_form": "not an IP address",
    "iban_form": "not a valid IBAN",
    "other_account": "not of this account",
    "not_combinable": "roles that do not combine",
    "twice": "named twice",
}


def lines(stream: BinaryIO, shape: type[Shape]) -> Iterator[Line[Shape]]:
    """Read a stream line by line, in constant memory; empty lines are passed over. Raises UnreadableError."""
    text = _utf8(stream)
    number = position = 0
    while raw := text.readline(LONGEST_LINE + 1):
        number += 1
        position += len(raw)
        too_long = len(raw) > LONGEST_LINE
        if too_long and not raw.endswith(b"\n"):
            position += _skip_rest(text)
        if not raw.removeprefix(BOM).strip():
            continue
        try:
            if too_long:
                raise RefusedError("line: too long")
            value, notes = read(raw, shape)
            yield Line(number, position, raw, value, notes=notes)
        except RefusedError as refused:
            yield Line(number, position, raw, None, str(refused))


def parse(raw: bytes, shape: type[Shape]) -> Shape:
    """Return what one line holds. Raises RefusedError with one reason."""
    return read(raw, shape)[0]


def read(
    raw: bytes, shape: type[Shape], *, lacking: Mapping[str, object] | None = None
) -> tuple[Shape, tuple[Note, ...]]:
    """Return what one line holds, and what of it was dropped or mended. `lacking`: what holds where the
    line says nothing. Raises RefusedError."""
    values = load_all(raw) if shape.merely_shown else load(raw)
    if not isinstance(values, dict):
        raise RefusedError("line: not an object")
    values |= {name: value for name, value in (lacking or {}).items() if values.get(name) is None}
    notes: dict[object, Note] = {}
    # A field is mended, or else dropped: in the last round it is gone.
    for _ in range(ROUNDS):
        try:
            return shape.model_validate(values, strict=True), tuple(notes.values())
        except ValidationError as error:
            failures = [
                Failure(one["type"], one["loc"])
                for one in error.errors(include_url=False, include_context=False, include_input=False)
            ]
        # Outside the except clause: the library's error quotes values, and must not travel along.
        final = [failure for failure in failures if not may_be_dropped(failure, shape.merely_shown)]
        if final:
            # What stands there and is wrong says more than what is missing.
            first = min(final, key=lambda one: one.kind == "missing")
            raise RefusedError(_reason(values, shape, first))
        for failure in failures:
            reason = _reason(values, shape, failure)
            if act := mend(values, failure):
                notes[failure.path] = Note(act, reason)
    raise RefusedError("line: not valid")


def _reason(values: object, shape: type[BaseModel], failure: Failure) -> str:
    place = ".".join(_place(shape, failure.loc)) or "line"
    return f"{place}: {RULES.get(rule(values, failure), 'not valid')}"


def load(raw: bytes) -> object:
    """Parse JSON as it is meant: no key twice, no NaN. Raises RefusedError."""
    try:
        return _DECODER.decode(raw.removeprefix(BOM).decode())
    except UnicodeDecodeError:
        reason = "line: not UTF-8"
    except (ValueError, RecursionError):
        reason = "line: not JSON"
    raise RefusedError(reason)


def load_all(raw: bytes) -> object:
    """Parse JSON and keep what cannot be told as Unclear, for its field alone to be judged: bytes that
    are not UTF-8 come as halves of characters. Raises RefusedError for what is no JSON at all."""
    try:
        return _PATIENT_DECODER.decode(raw.removeprefix(BOM).decode(errors="surrogateescape"))
    except (ValueError, RecursionError):
        return load(raw)  # which says why


def _pairs(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise RefusedError("line: a field stands twice")
    return values


def _patient_pairs(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    values = dict(pairs)
    if len(values) != len(pairs):
        for name in values:
            told = [value for other, value in pairs if other == name]
            if any(value != told[0] for value in told):
                values[name] = Unclear("stands_twice", *told)
    return values


def _not_a_number(_name: str) -> NoReturn:
    raise RefusedError("line: NaN or Infinity, which is not JSON")


def _whole_number(digits: str) -> object:
    return int(digits) if len(digits) <= _LONGEST_NUMBER else Unclear("not_json")


_LONGEST_NUMBER: Final = 20
_DECODER: Final = json.JSONDecoder(object_pairs_hook=_pairs, parse_constant=_not_a_number)
_PATIENT_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_patient_pairs,
    parse_constant=lambda _name: Unclear("not_json"),
    parse_int=_whole_number,
    strict=False,  # a raw line break in a text is that text's own fault
)


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


class UnreadableError(Exception):
    """The stream stopped being readable; the text says why, in the system's words."""


def _read(stream: BinaryIO, size: int) -> bytes:
    try:
        return stream.read(size)
    except OSError as error:
        raise UnreadableError(error.strerror or type(error).__name__) from None


class _Lines(Protocol):
    def readline(self, size: int, /) -> bytes: ...


class _Whole(io.RawIOBase):
    """A stream whose first bytes have been read already."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head, self._rest = head, rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        part = memoryview(buffer)
        told = self._head[: len(part)] or _read(self._rest, len(part))
        self._head = self._head[len(part) :]
        part[: len(told)] = told
        return len(told)


class _Recoded:
    """The lines of a file in UTF-16, in UTF-8. What is no character there becomes U+FFFD."""

    def __init__(self, stream: io.BufferedReader[_Whole]) -> None:
        self._text = io.TextIOWrapper(stream, "utf-16", errors="replace", newline="\n")

    def readline(self, size: int, /) -> bytes:
        return self._text.readline(size).encode()


def _utf8(stream: BinaryIO) -> _Lines:
    """The stream; where it is UTF-16, as PowerShell and Excel write it, in UTF-8."""
    head = _read(stream, 3)
    whole = io.BufferedReader(_Whole(head, stream), LONGEST_LINE)
    return _Recoded(whole) if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else whole


def _skip_rest(stream: _Lines) -> int:
    skipped = 0
    while part := stream.readline(LONGEST_LINE):
        skipped += len(part)
        if part.endswith(b"\n"):
            break
    return skipped
