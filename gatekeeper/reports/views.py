"""The customer's report, by a privacy officer: on the page, as a sealed paper, as a table, with its proof.

No rule stands here: the database judges each making, and records it before anything is read.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from gatekeeper.reports import files, proof, words
from gatekeeper.reports.forms import ReportForm
from gatekeeper.reports.report import MOST, Report, TooLongError, read
from gatekeeper.reports.scope import record
from staff.frame.callers import Caller
from staff.frame.csv_file import CONTENT_TYPE
from staff.models import Role
from staff.nda.signing_key import SigningKeyError
from staff.session.decorators import refusal, role_required, shown_once
from staff.session.members import member_of

if TYPE_CHECKING:
    from django.http import HttpRequest

    from staff.models import Member

logger = logging.getLogger(__name__)

_TYPES = {"pdf": "application/pdf", "csv": CONTENT_TYPE, "zip": "application/zip"}


@require_http_methods(["GET", "HEAD", "POST"])
@shown_once("reports")
@role_required("privacy")
def reports(request: HttpRequest) -> HttpResponse:
    """The form; POST makes the report and records it: shown here, or as PDF, CSV, or all with the proof."""
    if request.method != "POST":
        return _page(request, ReportForm())
    form = ReportForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    scope, kind = form.scope(), form.cleaned_data["kind"] or "page"
    reason = record(Caller.of(request), scope, kind)
    if reason == "account_unknown":
        form.add_error("about", _("There is no such account here, and there never was."))
        return _page(request, form, status=422)
    if reason:
        return refusal(request, reason)
    try:
        report = read(scope, at=timezone.now())
    except TooLongError:
        form.add_error(None, _("There are more than %(n)d views: choose a shorter period.") % {"n": MOST})
        return _page(request, form, status=422)
    language = form.report_language()
    if kind == "page":
        return _shown(request, form, report, language)
    return _sent(request, report, kind, language)


def _page(request: HttpRequest, form: ReportForm, status: int = 200, **more: Any) -> HttpResponse:
    return render(request, "gatekeeper/reports/reports.html", {"form": form, **more}, status=status)


def _shown(request: HttpRequest, form: ReportForm, report: Report, language: str) -> HttpResponse:
    with translation.override(language):
        head = words.head(report.scope)
        said = {
            "title": words.title(report.scope),
            "sums": words.sums(report),
            "period": words.period(report.scope),
            "head": head,
            # On a narrow page each cell is under its column's name.
            "rows": [list(zip(head, row, strict=True)) for row in words.rows(report)],
            "notes": words.notes(report),
        }
    return _page(request, form, report=said, report_language=language)


def _sent(request: HttpRequest, report: Report, kind: str, language: str) -> HttpResponse:
    with translation.override(language):
        try:
            data = _made(report, kind, member_of(request))
        except SigningKeyError:
            logger.exception("a paper could not be sealed")
            return refusal(request, "seal_failed")
    disposition = f'attachment; filename="{files.name(report)}.{kind}"'
    return HttpResponse(data, content_type=_TYPES[kind], headers={"Content-Disposition": disposition})


def _made(report: Report, kind: str, member: Member) -> bytes:
    if kind == "csv":
        return files.csv(report)
    make = files.archive if kind == "zip" else files.pdf
    return make(report, proof.of(report), by=f"{Role.PRIVACY.label} · {member.number}")
