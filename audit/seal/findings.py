"""What a verification can find, in words: what is wrong, and where."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


class Kind(Enum):
    """What is wrong."""

    EDITED = "edited"
    MISSING = "missing"
    INSERTED = "inserted"
    REORDERED = "reordered"
    CUT_OFF = "cut_off"
    ROLLED_BACK = "rolled_back"
    UNSEALED = "unsealed"
    UNSIGNED = "unsigned"

    @property
    def label(self) -> _StrPromise:
        """It in words of the page's language."""
        return _LABELS[self]


_LABELS = {
    Kind.EDITED: _("edited"),
    Kind.MISSING: _("missing"),
    Kind.INSERTED: _("inserted"),
    Kind.REORDERED: _("reordered"),
    Kind.CUT_OFF: _("cut off"),
    Kind.ROLLED_BACK: _("rolled back"),
    Kind.UNSEALED: _("not sealed"),
    Kind.UNSIGNED: _("not signed"),
}


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong. `first` and `last` are the leaves that it is about, where it is about some."""

    kind: Kind
    words: str
    first: int | None = None
    last: int | None = None
    entry: int | None = None

    def __str__(self) -> str:
        return f"{self.kind.label}: {self.words}"
