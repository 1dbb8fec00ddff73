"""The typefaces of every paper: Source Sans, and Noto Sans for the letters that it lacks.

Noto covers Latin with every mark, Cyrillic, Greek, Georgian, Armenian, Hebrew and Arabic, in one upright
and regular cut for every style: a name stays a name in a heading.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import font_source_sans_pro
import manimgx_fonts
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

from staff.nda.documents.order import drawn_from_left, has_words_from_right
from staff.nda.documents.shaping import ShapedFont

REGULAR: Final = "SourceSansPro"
BOLD: Final = "SourceSansProBold"
ITALIC: Final = "SourceSansProIt"
BOLD_ITALIC: Final = "SourceSansProBoldIt"
#: Looked through in this order.
_OTHERS: Final = ("NotoSans", "NotoSansGeorgian", "NotoSansArmenian", "NotoSansHebrew", "NotoSansArabic")
#: How a letter that none of them has is written.
WRITTEN_OUT: Final = re.compile(r"\[U\+[0-9A-F]{4,6}\]")
#: A font's name, '' for the style's own, and what it draws.
Run = tuple[str, str]


@cache
def register() -> None:
    """Make the letters known to reportlab, once."""
    for name in (REGULAR, BOLD, ITALIC, BOLD_ITALIC):
        pdfmetrics.registerFont(TTFont(name, font_source_sans_pro.font_files_ttf[name]))
    pdfmetrics.registerFontFamily(REGULAR, normal=REGULAR, bold=BOLD, italic=ITALIC, boldItalic=BOLD_ITALIC)
    for name in _OTHERS:
        path = Path(manimgx_fonts.__file__).with_name(f"{name}[wght].ttf")
        pdfmetrics.registerFont(ShapedFont(name, str(path)))
        pdfmetrics.registerFontFamily(name, normal=name, bold=name, italic=name, boldItalic=name)


def runs(text: str, *, italic: bool = False) -> list[Run]:
    """The text as it is drawn from left to right, by fonts. Nothing goes silently: a letter that none of
    them has is written as its base with its code (`Ḁ` as `A[U+1E00]`), what cannot be seen as its code.

    `italic`: it will appear in italics, which have fewer letters.
    """
    shown = legible(text, italic=italic)
    pieces = drawn_from_left(shown) if has_words_from_right(shown) else ((False, shown),)
    found = (run for is_word, piece in pieces for run in _runs(piece, turned=is_word, italic=italic))
    return [
        (font, "".join(part for _font, part in parts)) for font, parts in groupby(found, key=lambda r: r[0])
    ]


def markup(text: str, *, italic: bool = False) -> str:
    """The same in reportlab's own small markup: whatever the text holds is text."""
    return "".join(
        f'<font name="{font}">{escape(part, quote=False)}</font>' if font else escape(part, quote=False)
        for font, part in runs(text, italic=italic)
    )


def legible(text: str, *, italic: bool = False) -> str:
    """The text with what the letters can show."""
    return "".join(
        cluster if _font_of(cluster, italic=italic) is not None else _written_out(cluster)
        for cluster in _clusters(unicodedata.normalize("NFC", text))
    )


def draw(canvas: Any, x: float, y: float, text: str, *, font: str, size: float, space: float = 0) -> None:
    """Draw one line on a canvas; all numbers are points (1/72 inch), `space` between two letters."""
    for other, part in runs(text):
        canvas.setFont(other or font, size)
        canvas.drawString(x, y, part, charSpace=space)
        x += pdfmetrics.stringWidth(part, other or font, size) + space * len(part)


def _clusters(text: str) -> Iterator[str]:
    """Each letter with the marks that are drawn over it."""
    cluster = ""
    for letter in text:
        if cluster and not unicodedata.combining(letter):
            yield cluster
            cluster = ""
        cluster += letter
    if cluster:
        yield cluster


def _runs(text: str, *, turned: bool, italic: bool) -> list[Run]:
    """By fonts; `turned`: a word from right to left, the last first."""
    parts = groupby(_clusters(text), key=lambda one: _font_of(one, italic=italic) or "")
    found = [(font, list(clusters)) for font, clusters in parts]
    return [_run(font, clusters, turned=turned) for font, clusters in (reversed(found) if turned else found)]


def _run(font: str, clusters: list[str], *, turned: bool) -> Run:
    text = "".join(clusters)
    if turned or (font and len(text) > len(clusters)):  # letters that join, or that bear marks
        return font, pdfmetrics.getFont(font).shaped(text) if font else text[::-1]
    return font, text


def _font_of(cluster: str, *, italic: bool) -> str | None:
    """The first font that has all of it, '' for the style's own; None when there is none."""
    register()
    if not all(letter.isprintable() or letter == "\u00a0" for letter in cluster):
        return None
    codes = set(map(ord, cluster))
    if codes <= _known(italic=italic) and len(cluster) == 1:
        return ""
    return next((name for name in _OTHERS if codes <= _letters(name)), None)


@cache
def _known(*, italic: bool) -> frozenset[int]:
    """The code points that both weights have."""
    names = (ITALIC, BOLD_ITALIC) if italic else (REGULAR, BOLD)
    return frozenset[int].intersection(*map(_letters, names))


@cache
def _letters(name: str) -> frozenset[int]:
    """As the font's file has them: asked before anything is shaped."""
    return frozenset(pdfmetrics.getFont(name).face.charToGlyph)


def _written_out(cluster: str) -> str:
    letter = cluster[0]
    if letter.isspace() and len(cluster) == 1:
        return " "
    base = unicodedata.normalize("NFD", letter)[0]
    shown = base if base != letter and ord(base) in _known(italic=True) else ""
    return shown + "".join(f"[U+{ord(one):04X}]" for one in cluster)
