"""One JSON object a line: what is read of it, and what is dropped or mended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import BinaryIO, Final

from pydantic import ValidationError

from gatekeeper.feeds.byte_lines import LONGEST_LINE, in_utf8, skip_rest
from gatekeeper.feeds.json_text import BOM, load, load_all
from gatekeeper.feeds.mending import Failure, may_be_dropped, mend
from gatekeeper.feeds.records import Line, Note, RefusedError, Shape
from gatekeeper.feeds.refusals import reason_of

ROUNDS: Final = 8  # of mending one line


def lines(stream: BinaryIO, shape: type[Shape]) -> Iterator[Line[Shape]]:
    """Read a stream line by line, in constant memory; empty lines are passed over.

    A line that cannot be used is given with the words of its RefusedError. Raises UnreadableError.
    """
    text = in_utf8(stream)
    number = position = 0
    while raw := text.readline(LONGEST_LINE + 1):
        number += 1
        position += len(raw)
        too_long = len(raw) > LONGEST_LINE
        if too_long and not raw.endswith(b"\n"):
            position += skip_rest(text)
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
            # What is there and is wrong says more than what is missing.
            first = min(final, key=lambda one: one.kind == "missing")
            raise RefusedError(reason_of(values, shape, first))
        for failure in failures:
            reason = reason_of(values, shape, failure)
            if act := mend(values, failure):
                notes[failure.path] = Note(act, reason)
    raise RefusedError("line: not valid")
