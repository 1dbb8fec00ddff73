"""Why a line is refused, or a field dropped: fixed words, the place of a known field and a rule.

Never a value, and never the name of a field that we do not know: that name came in with the line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from gatekeeper.feeds.mending import Failure, rule

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


def reason_of(values: object, shape: type[BaseModel], failure: Failure) -> str:
    """Return where a line fails and which rule it breaks, without the value."""
    place = ".".join(_place(shape, failure.loc)) or "line"
    return f"{place}: {RULES.get(rule(values, failure), 'not valid')}"


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
