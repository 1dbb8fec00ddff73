"""A report as files: the sealed paper, the table, and all of it together with the proof."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from django.utils.translation import get_language, gettext, pgettext
from reportlab.lib.units import mm

from audit import verify_bundle
from gatekeeper.reports import words
from staff.frame.csv_file import csv_of
from staff.nda.documents import drawing, pdf_signing

if TYPE_CHECKING:
    from reportlab.platypus import Flowable

    from gatekeeper.reports.proof import Proof
    from gatekeeper.reports.report import Report

#: Widths of a landscape page's columns, without and with the one that names the account.
_WIDTHS: Final = tuple(part * mm for part in (44, 60, 67, 52, 24))
_WIDTHS_SEVERAL: Final = tuple(part * mm for part in (44, 26, 54, 56, 45, 22))
#: The one file that checks a bundle on a machine without us.
VERIFIER: Final = Path(verify_bundle.__file__)


def pdf(report: Report, proof: Proof, *, by: str) -> bytes:
    """The document, sealed, with the proof attached, in the language of now. `by`: role and number of whoever
    makes it. Raises SigningKeyError."""
    scope = report.scope
    title = words.title(scope)
    sheet = drawing.Sheet(
        title=title, foot=scope.about[:80], language=get_language() or "en", at=report.at, wide=True
    )
    return pdf_signing.sign(
        drawing.draw(sheet, _story(report, proof, sheet, by)),
        at=report.at,
        reason=f"report {scope.about}"[:120],
        facts=_sealed_facts(report),
        files=proof.files,
    )


def _story(report: Report, proof: Proof, sheet: drawing.Sheet, by: str) -> list[Flowable]:
    scope = report.scope
    story: list[Flowable] = [
        *drawing.heading(sheet.title, words.sums(report)),
        drawing.facts(_facts(report, by), width=sheet.width),
        drawing.gap(5),
    ]
    if report.lines:
        widths = _WIDTHS_SEVERAL if len(scope.accounts) > 1 else _WIDTHS
        story.append(drawing.table(words.head(scope), words.rows(report), widths=widths))
    said = [*words.notes(report), *words.proof(proof)]
    return [*story, *(drawing.words(note, drawing.NOTE) for note in said)]


def _facts(report: Report, by: str) -> list[tuple[str, object]]:
    scope = report.scope
    return [
        (gettext("About"), scope.about),
        (gettext("Period"), words.period(scope)),
        (pgettext("report", "Made"), f"{words.moment(report.at, scope.zone)} ({scope.zone.key})"),
        (pgettext("report", "Made by"), by),
    ]


def _sealed_facts(report: Report) -> dict[str, object]:
    """What the seal says of the document, for a machine."""
    scope = report.scope
    return {
        "about": scope.about,
        "since": scope.since.isoformat(),
        "until": scope.until.isoformat(),
        "at": report.at.isoformat(),
        "entries": [line.number for line in report.lines],
    }


def csv(report: Report) -> bytes:
    """The table, every time with its distance from UTC."""
    scope = report.scope
    return csv_of(
        (*words.head(scope), "ISO 8601"),
        [
            (*row, line.at.astimezone(scope.zone).isoformat())
            for row, line in zip(words.rows(report), report.lines, strict=True)
        ],
    )


def archive(report: Report, proof: Proof, *, by: str) -> bytes:
    """PDF, table, proof, and the file that checks the proof. Raises SigningKeyError."""
    stem = name(report)
    held = {
        f"{stem}.pdf": pdf(report, proof, by=by),
        f"{stem}.csv": csv(report),
        **proof.files,
        VERIFIER.name: VERIFIER.read_bytes(),
    }
    out = BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as opened:
        for file, data in held.items():
            info = ZipInfo(file, report.at.astimezone(report.scope.zone).timetuple()[:6])
            info.compress_type = ZIP_DEFLATED
            opened.writestr(info, data)
    return out.getvalue()


def name(report: Report) -> str:
    """What the files are called, without their endings."""
    scope = report.scope
    more = "" if len(scope.accounts) == 1 else f"+{len(scope.accounts) - 1}"
    number = "" if scope.participant is None else f"-P{scope.participant}"
    return f"report-{scope.accounts[0]}{more}{number}-{scope.since.astimezone(scope.zone):%Y-%m-%d}"
