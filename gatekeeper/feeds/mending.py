"""What of a line can be saved when a field of it cannot be used.

What is merely shown is mended where that is plain (half a character, a control character, another case),
and dropped otherwise: a name that nobody can read must not keep a customer's whole account out. What tells
identity, order, consent, restriction or objection is never touched here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, Literal

Act = Literal["dropped", "mended"]

#: Names that are not known, and may restrict, object or end a consent in another spelling.
MAY_CLOSE: Final = re.compile(r"restrict|object(?:ed|ion)|consent", re.IGNORECASE)

_BREAKS: Final = re.compile("\r\n|[\t-\r\u2028\u2029]")
_OLD_WINDOWS: Final = re.compile("[\x80-\x9f]")  # Windows-1252, taken for Latin-1
_NOT_SHOWN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|[\ud800-\udfff]+")
_SETTINGS: Final = 50
_NOTES: Final = 20_000


class Unclear:
    """What appears in a line and cannot be told: a field that occurs twice, a number that is not one."""

    def __init__(self, rule: str, *values: object) -> None:
        self.rule, self.values = rule, values


@dataclass(frozen=True)
class Failure:
    """What is wrong with a line, and where: pydantic's kind of error and its place."""

    kind: str
    loc: tuple[int | str, ...]

    @property
    def path(self) -> tuple[int | str, ...]:
        """Where the value stands that is wrong, or that has the wrong name."""
        return self.loc[:-1] if self.of_key else self.loc

    @property
    def of_key(self) -> bool:
        """Whether the name of a setting is wrong, rather than its value."""
        return self.loc[-1:] == ("[key]",)


def rule(values: object, failure: Failure) -> str:
    """The rule that is broken: our own word for what cannot be told, else pydantic's."""
    value = _at(values, failure.path)
    if isinstance(value, Unclear):
        return value.rule
    if failure.kind == "extra_forbidden" and len(failure.loc) == 1 and MAY_CLOSE.search(str(failure.loc[0])):
        return "may_close"
    return failure.kind


def may_be_dropped(failure: Failure, shown: frozenset[str]) -> bool:
    """Whether the line gets in without it: what is merely shown, and what nobody here knows."""
    if not shown or not failure.path:
        return False
    if failure.path[0] in shown:
        return True
    unknown = failure.kind == "extra_forbidden" and len(failure.path) == 1
    return unknown and not MAY_CLOSE.search(str(failure.path[0]))


def _drop_halves(holder: dict[str, object]) -> Act:
    """A name that is no text is not told as it stands: all such are dropped."""
    for half in [one for one in holder if _NOT_SHOWN.search(one)]:
        del holder[half]
    return "dropped"


def mend(values: object, failure: Failure) -> Act | None:
    """Mend the field in place, or drop it; None when there was nothing to say: it held nothing."""
    *way, name = failure.path
    holder = _at(values, way)
    if not isinstance(holder, dict):
        return None
    if name not in holder:
        return _drop_halves(holder)
    value = holder[name]
    mended = None if failure.of_key else _mended(value, failure.kind, str(name))
    if mended is not None and mended != value:
        holder[name] = mended
        return "mended"
    if failure.kind == "extra_forbidden" or way[-1:] == ["settings"]:
        del holder[name]
    else:
        holder[name] = None
    return None if isinstance(value, str) and not value.strip() else "dropped"


def clean(text: str, *, several_lines: bool) -> str:
    """The text without what cannot be shown: half characters and controls become U+FFFD."""
    text = _OLD_WINDOWS.sub(lambda found: found[0].encode("latin-1").decode("cp1252", "replace"), text)
    if not several_lines:
        text = _BREAKS.sub(" ", text)
    return _NOT_SHOWN.sub("\ufffd", text)


def _mended(value: object, kind: str, name: str) -> object:
    if isinstance(value, str):
        if kind in ("string_unicode", "line_break"):
            return clean(value, several_lines=name == "notes")
        if kind == "literal_error":
            return value.strip().lower()
        if kind == "string_too_long" and name == "notes":
            return value.strip()[: _NOTES - 1] + "…"
    if kind == "string_type" and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if kind == "too_long" and isinstance(value, dict):
        return dict(islice(value.items(), _SETTINGS))
    return None


def _at(values: object, path: Sequence[int | str]) -> object:
    for part in path:
        if not isinstance(values, dict):
            return None
        values = values.get(part)
    return values
