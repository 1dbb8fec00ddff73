"""The print of one grant with all its facts: whose, by whom, on what it rested, what was viewed under it.

Of the customer it holds the reference alone: names of fields and numbers of records, never a value, and
no typed reason.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Final

from django.utils.translation import get_language, ngettext, pgettext
from django.utils.translation import gettext as _
from reportlab.lib.units import mm

from audit import evidence
from audit.database import call
from audit.models import VIEWS, Entry, Event, Outcome
from gatekeeper import catalogue
from gatekeeper.log import under
from gatekeeper.models import Grant
from staff.nda.documents import drawing, pdf_signing

if TYPE_CHECKING:
    from reportlab.platypus import Flowable

    from staff.frame.callers import Caller
    from staff.models import Member

#: More lines than any grant's views can make; refusals, which nobody counts, could be more.
MOST: Final = 2000
_WIDTHS: Final = (32 * mm, 22 * mm, 62 * mm, 44 * mm)
#: What happened under a grant. Prints of it, and reading about it, are another matter.
EVENTS: Final = (Event.START, *VIEWS, Event.SEARCH, Event.END, Event.REVOKE)


def record_print(caller: Caller, grant: int) -> str:
    """Judge and record that a grant's print is exported. Returns the reason; '' when it may be."""
    return str(call("gatekeeper.print_grant", caller, grant=grant))


def grant_print(number: int, *, at: datetime) -> bytes:
    """Return the signed PDF of a grant as of `at` (with a zone), in the current language.

    Raises SigningKeyError and Grant.DoesNotExist.
    """
    grant = Grant.objects.select_related(
        "request__member", "account", "ticket", "member", "approver", "signature__version", "ended_by"
    ).get(pk=number)
    title = _("Grant %(number)d") % {"number": number}
    sheet = drawing.Sheet(
        title=title,
        foot=f"{title} · {grant.account.reference}",
        language=get_language() or "en",
        at=at,
    )
    entries = evidence.at_most(under.under(grant).filter(event__in=EVENTS), MOST + 1)
    pdf = drawing.draw(sheet, _story(grant, entries, sheet, at))
    return pdf_signing.sign(
        pdf,
        at=at,
        reason=f"grant {number}",
        facts={"grant": number, "entries": [one.pk for one in entries[:MOST]], "at": at.isoformat()},
    )


def _story(grant: Grant, entries: list[Entry], sheet: drawing.Sheet, at: datetime) -> list[Flowable]:
    def part(title: str, rows: list[tuple[str, object]]) -> list[Flowable]:
        return [drawing.words(title, drawing.HEADINGS[1]), drawing.facts(rows, width=sheet.width)]

    as_of = _("as of %(time)s") % {"time": _moment(at)}
    story = [
        *drawing.heading(sheet.title, f"{grant.account.reference} · {grant.ticket.number} · {as_of}"),
        *part(_("Request"), _request(grant)),
        *part(_("Approval"), _approval(grant)),
        *part(_("Agreement of the holder"), _agreement(grant)),
        drawing.words(_("What happened under it"), drawing.HEADINGS[1]),
    ]
    if entries:
        head = (_("Time (UTC)"), _("Event"), _("What"), _("Outcome"))
        story.append(drawing.table(head, [_line(one) for one in entries[:MOST]], widths=_WIDTHS))
    else:
        story.append(drawing.words(_("Nothing: it was not opened."), drawing.BODY))
    if len(entries) > MOST:
        story.append(drawing.words(_("There are more entries; the log has them all."), drawing.NOTE))
    return [
        *story,
        *part(pgettext("grant", "End"), _end(grant)),
        drawing.words(
            _("Of the customer’s data this document holds only the account’s reference."), drawing.NOTE
        ),
        drawing.words(_("What ends is the right to access. The duty of secrecy goes on."), drawing.NOTE),
    ]


def _request(grant: Grant) -> list[tuple[str, object]]:
    access_request = grant.request
    ticket = f"{grant.ticket.number} · {grant.ticket.kind} · {grant.ticket.state}"
    return [
        (_("Request"), access_request.pk),
        (_("Asked by"), _named(access_request.member)),
        (_("Time"), _moment(access_request.requested_at)),
        (_("Account"), grant.account.reference),
        (_("Ticket"), ticket),
        (_("Purpose"), _word(catalogue.PURPOSES, access_request.purpose)),
        (_("Reason"), _word(catalogue.REASONS, access_request.reason)),
        (_("Categories"), _categories(access_request.categories)),
        (_("Window"), _window(access_request.minutes, while_open=access_request.while_open)),
    ]


def _approval(grant: Grant) -> list[tuple[str, object]]:
    return [
        (_("Approved by"), _named(grant.approver)),
        (_("Time"), _moment(grant.approved_at)),
        (_("Categories"), _categories(grant.categories)),
        (_("Window"), _window(grant.minutes, while_open=grant.while_open)),
        (_("To be opened before"), _moment(grant.open_before)),
    ]


def _agreement(grant: Grant) -> list[tuple[str, object]]:
    signed = grant.signature
    version = str(signed.version.number) if signed.version else "–"
    return [
        (_("Signature"), signed.pk),
        (_("Version"), version),
        (_("Form"), signed.get_form_display()),
        (_("Signed"), _moment(signed.signed_at)),
        (_("Valid until"), _moment(signed.valid_until)),
    ]


def _end(grant: Grant) -> list[tuple[str, object]]:
    rows: list[tuple[str, object]] = [
        (_("Openings"), grant.openings),
        (_("Views"), grant.views),
        (_("Last window’s end"), _moment(grant.window_ends_at)),
        (_("Ended"), _moment(grant.ended_at)),
    ]
    if grant.ended_at:
        rows += [
            (_("Why"), grant.end_reason),
            (_("By"), _named(grant.ended_by) if grant.ended_by else "Gatekeeper"),
        ]
    return rows


def _line(entry: Entry) -> tuple[object, ...]:
    outcome = entry.get_outcome_display()
    if entry.outcome != Outcome.ALLOWED and entry.reason:
        outcome = f"{outcome}: {entry.reason}"
    return f"{entry.timestamp:%Y-%m-%d %H:%M:%S}", entry.get_event_display(), _what(entry), outcome


def _what(entry: Entry) -> str:
    details = entry.details or {}
    if entry.event == Event.START:
        ends = str(details.get("ends", ""))[:19].replace("T", " ")
        return _("window until %(time)s") % {"time": ends} if ends else ""
    if entry.event in (Event.END, Event.REVOKE):
        return str(details.get("why", ""))
    names = ", ".join(str(catalogue.FIELDS.get(name, name)) for name in entry.fields or ())
    if entry.records is None:
        return names
    count = len(entry.records)
    return f"{names}: " + ngettext("%(n)d record", "%(n)d records", count) % {"n": count}


def _named(member: Member) -> str:
    return f"{member.name} · {member.number}"


def _moment(value: datetime | None) -> str:
    return f"{value:%Y-%m-%d %H:%M:%S} UTC" if value else "–"


def _word(choices: catalogue.Choices, code: str) -> str:
    return str(dict(choices).get(code, code))


def _categories(codes: Iterable[str]) -> str:
    return ", ".join(_word(catalogue.CATEGORIES, code) for code in codes)


def _window(minutes: int, *, while_open: bool) -> str:
    window = ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes}
    how = _("while the ticket is open") if while_open else pgettext("window", "once")
    return f"{window}, {how}"
