"""JSON as it is meant: no key twice, no NaN; or, where a field can be judged alone, what cannot be told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final, NoReturn

from gatekeeper.feeds.mending import Unclear
from gatekeeper.feeds.records import RefusedError

BOM: Final = b"\xef\xbb\xbf"  # some systems begin UTF-8 with it


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
            found = [value for other, value in pairs if other == name]
            if any(value != found[0] for value in found):
                values[name] = Unclear("stands_twice", *found)
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
