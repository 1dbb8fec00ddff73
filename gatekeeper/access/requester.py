"""What a manager reads of whoever asks: how the requester's conditions stand, in the third person.

The database judges (`gatekeeper.judge_request`, the same as an approval does); nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from audit.database import rows
from gatekeeper import catalogue
from gatekeeper.gate import conditions, sentences, widget
from gatekeeper.models import AccessRequest

#: What is shown also where it holds; the other conditions only where they are in the way.
ALWAYS: Final = ("nda", "ticket", "account")
_HOLDS: Final = frozenset({catalogue.PASSED, catalogue.NOT_REQUIRED, catalogue.CANNOT_START})

WORDS: Final[Mapping[str, Promise]] = {
    "nda_missing": _("No agreement of theirs is in force. They have to read it and sign it."),
    "nda_old_version": _("They have signed an old version of the agreement, and have to sign the new one."),
    "nda_expired": _("Their agreement has expired. They have to sign it again."),
    "nda_withdrawn": _("Their agreement was withdrawn. A people officer knows why and what comes next."),
    "ticket_missing": _("No ticket that names this account is assigned to them."),
    "ticket_closed": _("The ticket is closed. If it is reopened, they can request access again."),
    "ticket_not_yours": _("The ticket is not assigned to them any more."),
}


@dataclass(frozen=True)
class Judged:
    """Whether a request could be approved now: `reason` is the first that is in the way, or ''."""

    reason: str
    codes: dict[str, str]

    @property
    def rows(self) -> list[widget.RowView]:
        """The conditions that a manager reads, in the gate's order."""
        shown = [name for name, code in self.codes.items() if name in ALWAYS or code not in _HOLDS]
        return [_row(name, self.codes[name]) for name in shown]


def judge(requests: Iterable[AccessRequest]) -> dict[int, Judged]:
    """How each of these requests stands at this moment, by number. Raises django.db.Error."""
    found = rows(_JUDGED, {"requests": [one.pk for one in requests]})
    return {
        number: Judged(reason or "", dict(zip(catalogue.CONDITIONS, codes, strict=True)))
        for number, reason, codes in found
    }


_JUDGED: Final = """
    SELECT x.id, j.reason, j.codes
    FROM unnest(%(requests)s::bigint[]) x (id), gatekeeper.judge_request(x.id) j
"""


def sentence(code: str) -> str:
    """What a manager reads of a reason that lies with the requester; '' for none."""
    if not code:
        return ""
    return str(WORDS[code]) if code in WORDS else sentences.sentence(code)


def _row(condition: str, code: str) -> widget.RowView:
    words = sentence(code) if code not in _HOLDS else str(_("Holds."))
    state = widget.row_state(code, can_fix=False)
    return widget.RowView(condition, code, state, conditions.title(condition), words)
