"""The tokens of the log's search whose values are known here, and what values are called on the pages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

from audit import detections
from audit.explorer.search import Words
from audit.models import Entry, Event, Outcome
from gatekeeper import catalogue
from gatekeeper.gate.sentences import CATEGORY_WORDS
from staff.frame.reasons import REASONS

ANY: Final = "any"
_CODE: Final = re.compile(r"[a-z_]{3,24}")


class _Reasons:
    """The codes of refusals: those of the catalogues, and any other that some entry has."""

    def __contains__(self, code: object) -> bool:
        if code in _KNOWN_REASONS:
            return True
        form = isinstance(code, str) and _CODE.fullmatch(code)
        return bool(form) and Entry.objects.filter(reason=code).exists()


_KNOWN_REASONS: Final = frozenset(
    {code for codes in catalogue.CONDITIONS.values() for code in codes} | {*catalogue.OTHER_REASONS, *REASONS}
)

#: What the facets are called.
FACETS: Final[dict[str, Promise]] = {
    "odd": pgettext_lazy("facet", "Why it was flagged"),
    "event": pgettext_lazy("facet", "Event"),
    "outcome": pgettext_lazy("facet", "Outcome"),
    "member": pgettext_lazy("facet", "Member"),
    "account": pgettext_lazy("facet", "Account"),
    "ticket": pgettext_lazy("facet", "Ticket"),
    "reason": pgettext_lazy("facet", "Reason of refusal"),
    "purpose": pgettext_lazy("facet", "Purpose"),
    "category": pgettext_lazy("facet", "Category"),
}
_CALLED: Final[dict[str, Mapping[str, object]]] = {
    "event": dict(Event.choices),
    "outcome": dict(Outcome.choices),
    "purpose": dict(catalogue.PURPOSES),
    "category": CATEGORY_WORDS,
}


def words() -> Words:
    """Token -> its values: what is none of them is refused."""
    return {
        "reason": _Reasons(),
        "purpose": frozenset(dict(catalogue.PURPOSES)),
        "category": frozenset(dict(catalogue.CATEGORIES)),
        "field": frozenset(catalogue.FIELDS),
        "odd": frozenset({ANY, *(rule.name for rule in detections.rules())}),
    }


def label(name: str, value: str) -> str:
    """What a token's value is called; itself where it has no other name."""
    if name == "odd":
        rule = detections.rule(value)
        return rule.title() if rule else value
    return str(_CALLED.get(name, {}).get(value, value))
