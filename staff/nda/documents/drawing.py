"""How every paper looks: A4, the company's name as its first line, black on white, one thin rule.

Drawn by reportlab, always alike for the same facts: no clock, no chance (but the seal's) comes in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from io import BytesIO
from typing import Any, Final

from django.conf import settings
from django.utils.translation import gettext as _
from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_LEFT
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, PageTemplate, Paragraph, Spacer, Table

import staff.nda.documents.fonts as fonts

INK: Final = HexColor("#1B1F24")
MUTED: Final = HexColor("#57606A")
RULE: Final = HexColor("#C9D1D9")
TINT: Final = HexColor("#F6F8FA")
MARGIN: Final = 25 * mm
TOP: Final = 34 * mm
BOTTOM: Final = 26 * mm


def _style(name: str, size: float, leading: float, **more: Any) -> ParagraphStyle:
    facts = {
        "fontName": fonts.REGULAR,
        "fontSize": size,
        "leading": leading,
        "textColor": INK,
        "alignment": TA_LEFT,
        "splitLongWords": 1,
    }
    return ParagraphStyle(name, **(facts | more))


BODY: Final = _style("body", 10.5, 15.5, spaceAfter=7)
ITEM: Final = _style("item", 10.5, 15.5, spaceAfter=3)
HEADINGS: Final = (
    _style("h1", 15, 20, fontName=fonts.BOLD, spaceBefore=10, spaceAfter=6, keepWithNext=1),
    _style("h2", 12.5, 17, fontName=fonts.BOLD, spaceBefore=9, spaceAfter=4, keepWithNext=1),
    _style("h3", 10.5, 15.5, fontName=fonts.BOLD, spaceBefore=7, spaceAfter=3, keepWithNext=1),
)
TITLE: Final = _style("title", 19, 25, spaceAfter=2)
SUBTITLE: Final = _style("subtitle", 10.5, 15, textColor=MUTED, spaceAfter=14)
NOTE: Final = _style("note", 9, 13, textColor=MUTED, spaceBefore=8)
LABEL: Final = _style("label", 8.5, 12, textColor=MUTED)
VALUE: Final = _style("value", 9, 12)
DIGITS: Final = _style("digits", 8, 12)  # a whole SHA-256 on one line
SMALL: Final = _style("small", 8, 11)
SMALL_BOLD: Final = _style("small bold", 8, 11, fontName=fonts.BOLD)


@dataclass(frozen=True)
class Sheet:
    """What a document is called, and what its foot says beside the number of the page."""

    title: str
    foot: str
    language: str
    at: datetime
    wide: bool = False

    @property
    def size(self) -> tuple[float, float]:
        """Of the page, in points."""
        size: tuple[float, float] = landscape(A4) if self.wide else A4
        return size

    @property
    def width(self) -> float:
        """Of what stands between the margins."""
        return float(self.size[0] - 2 * MARGIN)


def words(text: object, style: ParagraphStyle = VALUE) -> Paragraph:
    """A paragraph of plain text: whatever it holds is text, never markup."""
    if isinstance(text, Paragraph):
        return text
    return Paragraph(fonts.markup(str(text)), style)


def heading(title: str, subtitle: str) -> list[Flowable]:
    """A paper's title, and one line under it."""
    return [words(title, TITLE), words(subtitle, SUBTITLE)]


def gap(millimetres: float = 4) -> Flowable:
    """An empty strip."""
    return Spacer(1, millimetres * mm)


def facts(rows: Sequence[tuple[str, object]], *, width: float, label: float = 44 * mm) -> Table:
    """Labels and values beside each other, on a light ground, between two rules; widths in points."""
    cells = [[words(name, LABEL), words(value, VALUE)] for name, value in rows]
    style = [
        ("FONTNAME", (0, 0), (-1, -1), fonts.REGULAR),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("BACKGROUND", (0, 0), (-1, -1), TINT),
        ("LINEABOVE", (0, 0), (-1, 0), 0.8, INK),
        ("LINEBELOW", (0, 0), (-1, -2), 0.4, RULE),
        ("LINEBELOW", (0, -1), (-1, -1), 0.8, INK),
        ("LEFTPADDING", (0, 0), (-1, -1), 6),
        ("RIGHTPADDING", (0, 0), (-1, -1), 6),
        ("TOPPADDING", (0, 0), (-1, -1), 3.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 4.5),
    ]
    return Table(cells, colWidths=[label, width - label], style=style, hAlign="LEFT")


def table(head: Sequence[str], rows: Sequence[Sequence[object]], *, widths: Sequence[float]) -> Table:
    """A table with one line per row, its head again on each page."""
    cells = [[words(name, SMALL_BOLD) for name in head]]
    cells += [[words(value, SMALL) for value in row] for row in rows]
    style = [
        ("FONTNAME", (0, 0), (-1, -1), fonts.REGULAR),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("BACKGROUND", (0, 0), (-1, 0), TINT),
        ("LINEABOVE", (0, 0), (-1, 0), 0.8, INK),
        ("LINEBELOW", (0, 0), (-1, 0), 0.8, INK),
        ("LINEBELOW", (0, 1), (-1, -1), 0.4, RULE),
        ("LEFTPADDING", (0, 0), (-1, -1), 4),
        ("RIGHTPADDING", (0, 0), (-1, -1), 4),
        ("TOPPADDING", (0, 0), (-1, -1), 3),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 4),
    ]
    return Table(cells, colWidths=list(widths), style=style, repeatRows=1, hAlign="LEFT")


class _Moment:
    """The document's own time, where reportlab would take the clock's, and the server's zone."""

    dhh = dmm = 0

    def __init__(self, at: datetime) -> None:
        self.YMDhms = tuple(at.astimezone(UTC).timetuple())[:6]


class _Pages(Canvas):  # type: ignore[misc]  # reportlab ships no types
    """A canvas that knows at the end how many pages there are, and then writes their frames."""

    def __init__(self, *args: Any, sheet: Sheet, **kwargs: Any) -> None:
        super().__init__(*args, **(kwargs | {"initialFontName": fonts.REGULAR}))
        self._sheet = sheet
        self._kept: list[dict[str, Any]] = []
        self._doc._timeStamp = _Moment(sheet.at)

    def showPage(self) -> None:  # noqa: N802  # reportlab's name
        self._kept.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        for state in self._kept:
            self.__dict__.update(state)
            self._frame(len(self._kept))
            super().showPage()
        super().save()

    def _frame(self, pages: int) -> None:
        sheet = self._sheet
        right, head = sheet.size[0] - MARGIN, sheet.size[1] - 18 * mm
        self.setFillColor(INK)
        fonts.draw(self, MARGIN, head, settings.COMPANY, font=fonts.BOLD, size=9.5, space=0.4)
        self.setStrokeColor(RULE)
        self.setLineWidth(0.6)
        self.line(MARGIN, head - 6, right, head - 6)
        self.line(MARGIN, 18 * mm, right, 18 * mm)
        self.setFillColor(MUTED)
        fonts.draw(self, MARGIN, 13.5 * mm, sheet.foot, font=fonts.REGULAR, size=8)
        self.setFont(fonts.REGULAR, 8)
        number = _("page %(page)d of %(pages)d") % {"page": self._pageNumber, "pages": pages}
        self.drawRightString(right, 13.5 * mm, number)


def _explained(story: Iterable[object]) -> list[Flowable]:
    """What a code in the document means, where one appears in it for a letter."""
    if not any(fonts.WRITTEN_OUT.search(text) for text in _texts(story)):
        return []
    said = _("[U+…] is a letter that the fonts of this document do not have, by its number in Unicode.")
    return [words(said, NOTE)]


def _texts(parts: Iterable[object]) -> Iterator[str]:
    for part in parts:
        if isinstance(part, Paragraph):
            yield "".join(getattr(one, "text", "") for one in part.frags)
        for name in ("_cellvalues", "_content", "_flowables"):
            yield from _texts(getattr(part, name, None) or ())
        if isinstance(part, (list, tuple)):
            yield from _texts(part)


def draw(sheet: Sheet, story: Sequence[Flowable]) -> bytes:
    """Draw a document. The document's own facts are its title, the company and the moment, no more."""
    fonts.register()
    out = BytesIO()
    document = BaseDocTemplate(
        out,
        pagesize=sheet.size,
        title=sheet.title,
        author=settings.COMPANY,
        subject="",
        creator="Gatekeeper",
        producer="Gatekeeper",
        lang=sheet.language,
        invariant=1,
    )
    document.addPageTemplates([PageTemplate("page", [_frame(sheet)])])
    document.build([*story, *_explained(story)], canvasmaker=partial(_Pages, sheet=sheet))
    return out.getvalue()


def _frame(sheet: Sheet) -> Frame:
    width, height = sheet.size
    return Frame(
        MARGIN, BOTTOM, width - 2 * MARGIN, height - TOP - BOTTOM + 8 * mm,
        leftPadding=0, rightPadding=0, topPadding=0, bottomPadding=0,
    )  # fmt: skip
