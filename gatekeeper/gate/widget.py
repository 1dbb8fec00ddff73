"""The gate as a page shows it: a row for each condition, and at most one next step.

Pure functions: nothing is decided and nothing fetched here. In: the rows that SQL evaluated, facts by name,
and the addresses of the steps that this viewer can take.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from django.utils.translation import get_language

from gatekeeper import catalogue
from gatekeeper.gate.conditions import ADJUDGED, MARKS, RowState, title, word_of
from gatekeeper.gate.sentences import Facts, sentence
from gatekeeper.gate.steps import STEPS
from gatekeeper.gate.words import WORDS

#: Rows that are shown only when they fail: most accounts need neither, and eight rows are enough to read.
QUIET: Final = frozenset({"member", "account"})

#: Whose turn it is. A code that is missing here is someone else's turn.
_UNREACHABLE: Final = frozenset({"ticket_feed_stale", *catalogue.OTHER_REASONS})
_FINAL: Final = frozenset(
    {
        "member_left",
        "member_suspended",
        "ticket_other_account",
        "account_unknown",
        "account_erased",
    }
)


@dataclass(frozen=True)
class RowView:
    """One condition as the page shows it."""

    condition: str
    code: str
    state: RowState
    title: str
    sentence: str

    @property
    def mark(self) -> str:
        """The sign of the row's state."""
        return MARKS[self.state]

    @property
    def word(self) -> str:
        """The row's state in words of the page's language."""
        return word_of(self.state, get_language())


@dataclass(frozen=True)
class NextStep:
    """The one primary button; `fields` are the hidden fields of a POST."""

    label: str
    url: str
    method: Literal["get", "post"] = "get"
    fields: tuple[tuple[str, str], ...] = ()
    condition: str = ""  # the row that it mends


@dataclass(frozen=True)
class GateView:
    """The gate widget's whole content."""

    rows: tuple[RowView, ...]
    open: bool
    reason: str
    next_step: NextStep | None
    missing: int
    ends_at: datetime | None = None

    @property
    def beside(self) -> str:
        """Why it is closed when no row says so: the log, the clock, a check that could not run."""
        if self.open or any(one.code == self.reason for one in self.rows):
            return ""
        return sentence(self.reason) if self.reason in WORDS else ""

    @property
    def news(self) -> str:
        """The row that the gate waits for: what it says changes where the count does not."""
        waiting = (one for one in self.rows if one.code == self.reason)
        return next((one.sentence for one in waiting), "")


def row_state(code: str, *, can_fix: bool) -> RowState:
    """In: a row's code, and whether the viewer has a step for it. Out: the row's state."""
    if code == catalogue.PASSED:
        return "passed"
    if code == catalogue.NOT_REQUIRED:
        return "not_required"
    if code in ADJUDGED:
        return "cannot_start"
    if code in _UNREACHABLE:
        return "unreachable"
    if code in _FINAL:
        return "final"
    return "your_turn" if can_fix and code in STEPS else "others_turn"


def row(condition: str, code: str, facts: Facts | None = None, *, can_fix: bool = True) -> RowView:
    """In: one evaluated condition. Out: its row, in words."""
    return RowView(
        condition,
        code,
        row_state(code, can_fix=can_fix),
        title(condition),
        sentence(code, facts, condition=condition),
    )


def gate_view(
    codes: Mapping[str, str],
    facts: Facts | None = None,
    *,
    steps: Mapping[str, str] | None = None,
    step_fields: tuple[tuple[str, str], ...] = (),
    ends_at: datetime | None = None,
) -> GateView:
    """In: a code per condition, facts, and addresses by step kind (`sign_in`, `verify`,
    `request`, `open`) for the steps that this viewer can take; `step_fields` go with a POST.
    Out: the widget. A condition that is missing from `codes` was not checked: it has failed.
    """
    urls = steps or {}
    rows = tuple(_row_for(name, codes, facts, urls) for name in catalogue.CONDITIONS)
    failing = [one for one in rows if one.state not in ("passed", "not_required")]
    missing = [one for one in failing if one.state != "cannot_start"]
    return GateView(
        rows=tuple(one for one in rows if one.condition not in QUIET or one in missing),
        open=not failing,
        reason=failing[0].code if failing else "",
        next_step=_next_step(failing, urls, step_fields),
        missing=len(missing),
        ends_at=ends_at if not failing else None,
    )


def _row_for(
    condition: str, codes: Mapping[str, str], facts: Facts | None, urls: Mapping[str, str]
) -> RowView:
    code = codes.get(condition, "check_failed")
    step = STEPS.get(code)
    return row(condition, code, facts, can_fix=step is not None and step.kind in urls)


def _next_step(
    failing: Sequence[RowView], urls: Mapping[str, str], fields: tuple[tuple[str, str], ...]
) -> NextStep | None:
    """The first failing row that this viewer can do something about."""
    for one in failing:
        if one.state == "your_turn":
            step = STEPS[one.code]
            hidden = fields if step.method == "post" else ()
            return NextStep(str(step.label), urls[step.kind], step.method, hidden, one.condition)
    return None
