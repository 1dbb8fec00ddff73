"""The words of the gate: from a condition and its code to what a person reads.

Pure functions: nothing is decided and nothing fetched here. In: the rows that SQL evaluated, facts
by name, and the addresses of the steps that this viewer can take. Out: rows in the conditions' order,
at most one next step. A sentence says what is missing, then who can help, then how long.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Final, Literal

from django.utils.functional import Promise
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from gatekeeper import catalogue
from gatekeeper.frame import times
from staff.frame.reasons import REASONS as STAFF_REASONS

RowState = Literal[
    "passed",
    "your_turn",
    "others_turn",
    "cannot_start",
    "not_required",
    "final",
    "unreachable",
]
Facts = Mapping[str, object]

#: U+FE0E asks for the sign as text: some systems would draw a coloured picture.
MARKS: Final[dict[str, str]] = {
    "passed": "✓",
    "your_turn": "✕",
    "others_turn": "◷",
    "cannot_start": "–",
    "not_required": "○",
    "final": "⊘",
    "unreachable": "⚠\ufe0e",
}
#: What the mark says to those who do not see it.
STATE_WORDS: Final[dict[str, Promise]] = {
    "passed": pgettext_lazy("condition", "Met"),
    "your_turn": pgettext_lazy("condition", "Your turn"),
    "others_turn": pgettext_lazy("condition", "Someone else’s turn"),
    "cannot_start": pgettext_lazy("condition", "Cannot start yet"),
    "not_required": pgettext_lazy("condition", "Not required"),
    "final": pgettext_lazy("condition", "Cannot be met"),
    "unreachable": pgettext_lazy("condition", "Could not be checked"),
}
TITLES: Final[dict[str, Promise]] = {
    "member": pgettext_lazy("condition", "Member"),
    "session": pgettext_lazy("condition", "Session"),
    "nda": pgettext_lazy("condition", "NDA"),
    "ticket": pgettext_lazy("condition", "Ticket"),
    "approval": pgettext_lazy("condition", "Approval"),
    "time": pgettext_lazy("condition", "Time"),
    "consent": pgettext_lazy("condition", "Consent"),
    "account": pgettext_lazy("condition", "Account"),
    # beside the rows
    "record_failed": pgettext_lazy("condition", "Log"),
    "check_failed": pgettext_lazy("condition", "Check"),
    "clock_behind": pgettext_lazy("condition", "Clock"),
}
#: Rows that are shown only when they fail: most accounts need neither, and eight rows are enough to read.
QUIET: Final = frozenset({"member", "account"})


@dataclass(frozen=True)
class Words:
    """A sentence that needs no fact, and fuller ones: the first of them whose facts are all known is said."""

    plain: Promise
    full: Promise | None = None
    fuller: tuple[Promise, ...] = ()  # before `full`


REASONS: Final[dict[str, Words]] = {
    "member_not_started": Words(
        _("Nothing opens before the first day of work. A people officer sets that date."),
        _("Nothing opens before %(starts_on)s. A people officer sets that date."),
    ),
    "member_suspended": Words(
        _("Access is suspended. A people officer can lift this, together with a second person.")
    ),
    "member_left": Words(
        _("The last day of work has passed. If that is wrong, a people officer can correct it.")
    ),
    "role_missing": Words(
        _("The role that this needs is not among the member’s roles. A people officer gives roles.")
    ),
    "session_missing": Words(_("Nobody is signed in. Sign in to go on; it takes a minute.")),
    "session_expired": Words(_("The session has expired. Sign in again; it takes a minute.")),
    "mfa_missing": Words(_("The second factor was not verified. Enter the code from the application.")),
    "mfa_stale": Words(_("The last one-time code is too old for this. Enter a new one; it takes seconds.")),
    "nda_missing": Words(_("No agreement is in force. Read it and sign it; it takes three minutes.")),
    "nda_old_version": Words(
        _("An old version of the agreement was signed. Read the new one and sign it."),
        _("Version %(nda_version)s of the agreement was signed. Read the newer one and sign it."),
    ),
    "nda_expired": Words(
        _("The agreement has expired. Sign it anew."),
        _("The agreement was valid until %(nda_ends)s. Sign it anew."),
    ),
    "nda_withdrawn": Words(_("The agreement was withdrawn. A people officer knows why and what comes next.")),
    "ticket_missing": Words(
        _(
            "No ticket that names this account is assigned to you."
            " Take the ticket in the helpdesk; it counts here seconds later."
        ),
    ),
    "ticket_closed": Words(
        _("The ticket is closed. Should the matter go on, reopen it in the helpdesk and ask anew."),
        _("Ticket %(ticket)s is closed. Should the matter go on, reopen it in the helpdesk and ask anew."),
    ),
    "ticket_not_yours": Words(
        _("The ticket is not assigned to you. It can be assigned in the helpdesk."),
        _("Ticket %(ticket)s is not assigned to you. It can be assigned in the helpdesk."),
    ),
    "ticket_other_account": Words(
        _("The ticket does not name this account. Its accounts are corrected in the helpdesk."),
        _("Ticket %(ticket)s does not name this account. Its accounts are corrected in the helpdesk."),
    ),
    "ticket_feed_stale": Words(
        _(
            "The helpdesk's tickets have not been confirmed for too long, so no ticket counts as open."
            " An administrator looks after the connection."
        ),
        _(
            "The helpdesk's tickets have not been confirmed since %(heard_at)s, so no ticket counts as open."
            " An administrator looks after the connection."
        ),
    ),
    "approval_missing": Words(
        _("No approval is in force. A manager can approve."),
        _("Nobody was asked yet. Can approve: %(approvers)s."),
        (  # of the newest request, where it came to an end (gatekeeper.access.pieces)
            _("Approved by %(approved_by)s at %(approved_at)s. %(ending)s If it is still needed, ask again."),
            _("Approved by %(approved_by)s at %(approved_at)s; that is in force no more. Ask again."),
            _("Rejected by %(approver)s: %(denial)s. If something has changed, ask again."),
            _("The request of %(asked_at)s lapsed undecided at %(lapsed_at)s. If still needed, ask again."),
            _("The request was withdrawn at %(withdrawn_at)s. If it is still needed, ask again."),
        ),
    ),
    "approval_pending": Words(
        _("The request waits for a manager’s decision."),
        _("Requested at %(asked_at)s. Can approve: %(approvers)s. Expires at %(lapses_at)s."),
    ),
    "approval_denied": Words(
        _("The request was rejected. If something has changed, ask again."),
        _("Rejected by %(approver)s: %(denial)s. If something has changed, ask again."),
    ),
    "category_not_covered": Words(
        _("The approval does not cover this kind of data. A new request can name it."),
    ),
    "view_limit_reached": Words(_("The approved number of views is used up. A new request opens more.")),
    "daily_budget_reached": Words(
        _("Today’s limit on accounts or fields is reached. It starts again at midnight."),
        _(
            "Today’s limit on accounts or fields is reached. It starts again at midnight."
            " Can allow more: %(approvers)s."
        ),
    ),
    "grant_not_started": Words(
        _("Approved. The clock starts when you open the account."),
        _(
            "Approved for %(minutes)s min. The clock starts when you open the account,"
            " at the latest at %(open_before)s."
        ),
    ),
    "grant_start_lapsed": Words(
        _("The approved access was not opened in time. Ask again; the request is prefilled."),
        _("The access was to be opened by %(open_before)s. Ask again; the request is prefilled."),
    ),
    "grant_expired": Words(
        _("The approved time is over. If the ticket needs more, ask again."),
        _("The access expired at %(ended_at)s. If the ticket needs more, ask again."),
    ),
    "grant_revoked": Words(
        _("The access was revoked. Ask the person who did it, or send a new request."),
        _("%(ended_by)s revoked the access at %(ended_at)s. If it is still needed, ask again."),
    ),
    "grant_ended": Words(
        _("The access has ended. If the ticket needs more, ask again."),
        _("The access ended at %(ended_at)s. If the ticket needs more, ask again."),
    ),
    "consent_missing": Words(
        _(
            "The customer has not consented to this kind of data being seen."
            " Only the customer can consent, on the platform."
        )
    ),
    "consent_expired": Words(
        _("The customer’s consent has expired. Only the customer can renew it, on the platform."),
        _(
            "The customer’s consent ran until %(consent_ends)s."
            " Only the customer can renew it, on the platform."
        ),
    ),
    "account_unknown": Words(_("No such account is known here. Check the number.")),
    "account_erased": Words(_("The account was erased. Its data no longer exists.")),
    "account_restricted": Words(
        _("Processing is restricted (GDPR, Article 18). A privacy officer decides when it ends.")
    ),
    "record_failed": Words(
        _(
            "The log cannot be written, so the data stays hidden."
            " Try again in a minute; if it goes on, tell an administrator."
        )
    ),
    "check_failed": Words(
        _(
            "This could not be checked, and so it counts as not met."
            " Try again in a minute; if it goes on, tell an administrator."
        )
    ),
    "clock_behind": Words(
        _(
            "The database’s clock is behind its own records, so nothing opens."
            " An administrator has to set it right."
        )
    ),
}

#: Why an act was not done, where no condition of the gate is the cause (the functions' answers).
ACTS: Final[dict[str, Words]] = {
    "already_decided": Words(_("Nothing was done: this was decided meanwhile.")),
    "no_more_today": Words(
        _("As much was added to this day as a day allows. The count starts anew at midnight.")
    ),
    "deputy_unfit": Words(_("A deputy is another manager, and at work. Choose one of the list.")),
    "deputy_span": Words(
        _("A deputy is named beforehand, within a year, and only for some days."),
        _("A deputy is named beforehand, within a year, and for at most %(deputy_days)s days."),
    ),
    **{
        code: Words(STAFF_REASONS[code])
        for code in ("not_yourself", "second_person", "no_change", "member_unknown", "value_refused")
    },
}

_WORDS: Final = REASONS | ACTS

#: What a row says when it holds.
PASSED_WORDS: Final[dict[str, Words]] = {
    "member": Words(_("At work, with the role that this needs.")),
    "session": Words(_("Verified."), _("Second factor verified at %(verified_at)s.")),
    "nda": Words(_("In force."), _("Version %(nda_version)s, valid until %(nda_ends)s.")),
    "ticket": Words(_("Open and yours."), _("%(ticket)s is open and yours.")),
    "approval": Words(_("Approved."), _("Approved by %(approver)s: %(categories)s.")),
    "time": Words(_("Open."), _("Open until %(window_ends_at)s.")),
    "consent": Words(_("The customer consents."), _("The customer consents, %(consent)s.")),
    "account": Words(_("Known, not restricted.")),
}
NOT_REQUIRED_WORDS: Final[dict[str, Words]] = {
    "consent": Words(_("Only participants and what was told to support need the customer’s consent."))
}
CANNOT_START_WORDS: Final[dict[str, Words]] = {
    "time": Words(
        _("Starts when you open the account, once it is approved."),
        _("%(minutes)s min, starting when you open the account."),
    )
}

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
class Step:
    """What the viewer may do about a code: `kind` is the key of its address."""

    kind: str
    label: Promise
    method: Literal["get", "post"] = "get"


_SIGN_IN = Step("sign_in", _("Sign in"))
_VERIFY = Step("verify", _("Enter the code"))
_ASK = Step("request", _("Request access"))
_AGAIN = Step("request", _("Request access again"))
_SIGN = Step("sign", _("Sign the NDA"))
STEPS: Final[dict[str, Step]] = {
    "session_missing": _SIGN_IN,
    "session_expired": _SIGN_IN,
    "mfa_missing": _VERIFY,
    "mfa_stale": _VERIFY,
    "nda_missing": _SIGN,
    "nda_old_version": _SIGN,
    "nda_expired": _SIGN,
    "nda_withdrawn": _SIGN,
    "approval_missing": _ASK,
    "approval_denied": _AGAIN,
    "category_not_covered": Step("request", _("Request more data")),
    "view_limit_reached": _AGAIN,
    "daily_budget_reached": Step("more", _("Ask for more today"), "post"),
    "grant_not_started": Step("open", _("Open the account"), "post"),
    "grant_start_lapsed": _AGAIN,
    "grant_expired": _AGAIN,
    "grant_revoked": _AGAIN,
    "grant_ended": _AGAIN,
}


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
        return MARKS[self.state]

    @property
    def word(self) -> str:
        return _word_of(self.state, get_language())


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
        return sentence(self.reason) if self.reason in _WORDS else ""

    @property
    def news(self) -> str:
        """The row that the gate waits for: what it says changes where the count does not."""
        waiting = (one for one in self.rows if one.code == self.reason)
        return next((one.sentence for one in waiting), "")


_ADJUDGED: Final = frozenset(
    {catalogue.PASSED, catalogue.NOT_REQUIRED, catalogue.CANNOT_START, "cannot_start"}
)
_PLACEHOLDER: Final = re.compile(r"%\((\w+)\)s")


def row_state(code: str, *, can_fix: bool) -> RowState:
    """In: a row's code, and whether the viewer has a step for it. Out: the row's state."""
    if code == catalogue.PASSED:
        return "passed"
    if code == catalogue.NOT_REQUIRED:
        return "not_required"
    if code in _ADJUDGED:
        return "cannot_start"
    if code in _UNREACHABLE:
        return "unreachable"
    if code in _FINAL:
        return "final"
    return "your_turn" if can_fix and code in STEPS else "others_turn"


def title(condition: str) -> str:
    """In: a condition, or a code of `OTHER_REASONS`. Out: its name on the page."""
    return _title_of(condition, get_language())


@lru_cache(maxsize=64)
def _title_of(condition: str, _language: str | None) -> str:
    """Each page of a gate repeats the names of its rows."""
    return str(TITLES[condition])


@lru_cache(maxsize=64)
def _word_of(state: RowState, _language: str | None) -> str:
    return str(STATE_WORDS[state])


def sentence(code: str, facts: Facts | None = None, *, condition: str = "") -> str:
    """In: a code, what is known, and the row's condition. Out: one or two sentences.

    A fuller sentence is taken only when each fact it names is known, so that none reads 'None'.
    """
    known = facts or {}
    plain, fuller = _said(code, condition, get_language())
    for full, names in fuller:
        if all(known.get(name) for name in names):
            return full % {name: _as_words(name, known[name]) for name in names}
    return plain


@lru_cache(maxsize=1024)
def _said(code: str, condition: str, _language: str | None) -> tuple[str, list[tuple[str, list[str]]]]:
    """The plain sentence, and the fuller ones, each with the facts that it names."""
    words = _words(code, condition)
    if words is None:
        return "", []
    fuller = [str(one) for one in (*words.fuller, words.full) if one is not None]
    return str(words.plain), [(full, _PLACEHOLDER.findall(full)) for full in fuller]


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


def _words(code: str, condition: str) -> Words | None:
    if code == catalogue.PASSED:
        return PASSED_WORDS.get(condition)
    if code == catalogue.NOT_REQUIRED:
        return NOT_REQUIRED_WORDS.get(condition, Words(STATE_WORDS["not_required"]))
    if code in _ADJUDGED:
        return CANNOT_START_WORDS.get(condition, Words(_("Follows the rows before it.")))
    return _WORDS[code]


CATEGORY_WORDS: Final = dict(catalogue.CATEGORIES)
#: Facts whose moment is the end of a day.
ENDS_WITH_THE_DAY: Final = frozenset({"nda_ends", "consent_ends"})
_DENIAL_WORDS: Final = dict(catalogue.DENIALS)


def _as_words(name: str, value: object) -> str:
    """A fact in the words of a sentence: moments, lists of categories, chips."""
    if isinstance(value, datetime):
        return times.last_day(value) if name in ENDS_WITH_THE_DAY else times.moment(value)
    if isinstance(value, date):
        return times.day(value)
    if name == "denial":
        return lower_first(str(_DENIAL_WORDS.get(str(value), value)))
    if isinstance(value, (list, tuple, set, frozenset)):
        return ", ".join(str(CATEGORY_WORDS.get(str(one), one)) for one in value)
    return str(value)


def lower_first(text: str) -> str:
    """A chip within a sentence."""
    return text[:1].lower() + text[1:]
