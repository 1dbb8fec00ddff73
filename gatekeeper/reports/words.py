"""A report's lines in words, in the language of now: of the page, the document and the table alike."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from gatekeeper import catalogue
from staff.frame import times
from staff.models import Role

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from gatekeeper.reports.proof import Proof
    from gatekeeper.reports.report import Line, Report
    from gatekeeper.reports.scope import Scope

_PURPOSES: Final = dict(catalogue.PURPOSES)
_CATEGORIES: Final = dict(catalogue.CATEGORIES)
_ROLES: Final = dict(Role.choices)


def title(scope: Scope) -> str:
    """What the report is called."""
    if scope.participant is not None:
        return _("Who viewed the data of participant %(reference)s") % {"reference": scope.about}
    if len(scope.accounts) > 1:
        return _("Who viewed the data of these accounts")
    return _("Who viewed the data of account %(reference)s") % {"reference": scope.about}


def period(scope: Scope) -> str:
    """From the first day to the last, in the zone chosen; where the last is not over, to the moment."""
    first, until = (at.astimezone(scope.zone) for at in (scope.since, scope.until))
    whole = until.time() == time()
    last = times.day((until - timedelta(days=1)).date()) if whole else moment(until, scope.zone)
    return f"{times.day(first.date())} – {last} ({scope.zone.key})"


def moment(at: datetime, zone: ZoneInfo) -> str:
    """Day and time to the second, in a zone."""
    local = at.astimezone(zone)
    return f"{times.day(local.date())} {local:%H:%M:%S}"


def sums(report: Report) -> str:
    """How often, for how many tickets, of how many a later release was refused; never is an answer too."""
    count = len(report.lines)
    if not count:
        return _("Nobody on the staff viewed these data in this period.")
    views = ngettext("%(n)d view", "%(n)d views", count) % {"n": count}
    tickets = ngettext("%(n)d ticket", "%(n)d tickets", report.tickets) % {"n": report.tickets}
    if not report.refused:
        return f"{views} · {tickets}"
    refused = ngettext(
        "%(n)d with a later release refused", "%(n)d with a later release refused", report.refused
    ) % {"n": report.refused}
    return f"{views} · {tickets} · {refused}"


def why(line: Line) -> str:
    """The ticket and the purpose."""
    ticket = _("ticket %(number)s") % {"number": line.ticket}
    return f"{ticket} · {_word(_PURPOSES, line.purpose)}"


def what(line: Line) -> str:
    """Which kinds of data; of participants also how many."""
    words = ", ".join(_word(_CATEGORIES, code) for code in line.categories)
    if line.participants is None:
        return words
    return f"{words}: " + ngettext("%(n)d record", "%(n)d records", line.participants) % {
        "n": line.participants
    }


def refusal_note(line: Line, zone: ZoneInfo) -> str:
    """That a later release under the same record was refused, and when first; '' where none was."""
    if not line.refusals:
        return ""
    return _("a later release was refused at %(time)s") % {"time": moment(line.refusals[0].at, zone)}


def who(line: Line) -> str:
    """The role and the number, never the name (C-579/21)."""
    return f"{', '.join(_word(_ROLES, code) for code in line.roles)} · {line.member}"


def head(scope: Scope) -> tuple[str, ...]:
    """What the columns are called."""
    account = (_("Account"),) if len(scope.accounts) > 1 else ()
    when = f"{pgettext('column', 'Time')} ({scope.zone.key})"
    return (
        when,
        *account,
        pgettext("report", "Why"),
        pgettext("report", "Which data"),
        pgettext("report", "By whom"),
        pgettext("report", "Entry"),
    )


def rows(report: Report) -> list[tuple[str, ...]]:
    """The lines under these columns."""
    several = len(report.scope.accounts) > 1
    return [
        (
            moment(line.at, report.scope.zone),
            *((line.account,) if several else ()),
            why(line),
            "; ".join(filter(None, (what(line), refusal_note(line, report.scope.zone)))),
            who(line),
            str(line.number),
        )
        for line in report.lines
    ]


def notes(report: Report) -> list[str]:
    """What has to be said beside the lines: what is counted, and what can no longer be told."""
    found = [_erased(reference, at, report) for reference, at in report.erased]
    if report.shortened:
        found.append(
            _("The log is kept for a limited time. Entries of the beginning of this period may be removed.")
        )
    found.append(
        _(
            "Each line is a view that was recorded before data were released to a member of the staff. What"
            " was refused from the start is not listed. Members are named by role and number."
        )
    )
    return [*found, _refusals_note()] if report.refused else found


def _erased(reference: str, at: datetime, report: Report) -> str:
    words = _(
        "%(reference)s was erased on %(day)s. The log lost every reference to it, so views"
        " before that day can no longer be listed. None of its data is left."
    )
    return words % {"reference": reference, "day": times.day(at.astimezone(report.scope.zone).date())}


def _refusals_note() -> str:
    return _(
        "A later release that was refused takes nothing back: the log does not show whether"
        " data were shown before it."
    )


def proof(made: Proof) -> Iterable[str]:
    """What the report says of its proof."""
    if made.files and made.unconfirmed:
        yield _(
            "The proof attached shows that these entries are consistent with this server’s key. It can be"
            " checked without us: it says how. Compare the key with the one that was published: %(key)s"
        ) % {"key": made.unconfirmed}
    elif made.files:
        yield _(
            "The attached proof shows that these entries are in the log, unaltered. It can be"
            " checked without us, and says how."
        )
    if made.waiting:
        yield ngettext(
            "%(n)d entry is not sealed yet, so it is not proved: a report made in a minute will include it.",
            "%(n)d entries are not sealed yet, so they are not proved: a report made in a minute"
            " will include them.",
            made.waiting,
        ) % {"n": made.waiting}
    if made.problem:
        yield _("There is no proof with this report: %(problem)s.") % {"problem": made.problem}
    if made.differs:
        yield _(
            "The log is signed with another key than the one that this server expects. Ask the company why."
        )


def _word(words: dict[Any, Any], code: str) -> str:
    return str(words.get(code, code))
