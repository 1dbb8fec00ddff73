"""The typeface of every paper, Source Sans: reportlab's own lacks Polish and Lithuanian letters."""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import Final

import font_source_sans_pro
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

REGULAR: Final = "SourceSansPro"
BOLD: Final = "SourceSansProBold"
ITALIC: Final = "SourceSansProIt"
BOLD_ITALIC: Final = "SourceSansProBoldIt"


@cache
def register() -> None:
    """Make the letters known to reportlab, once."""
    for name in (REGULAR, BOLD, ITALIC, BOLD_ITALIC):
        pdfmetrics.registerFont(TTFont(name, font_source_sans_pro.font_files_ttf[name]))
    pdfmetrics.registerFontFamily(REGULAR, normal=REGULAR, bold=BOLD, italic=ITALIC, boldItalic=BOLD_ITALIC)


def legible(text: str, *, italic: bool = False) -> str:
    """The text with what the letters can show. Nothing goes silently: a letter that they lack is
    written as its base with its code (`Ḁ` as `A[U+1E00]`), what cannot be seen as its code alone.

    `italic`: it will stand in italics, which have neither Cyrillic nor Greek letters.
    """
    known = _known(italic=italic)
    return "".join(
        letter if ord(letter) in known and letter.isprintable() else _written_out(letter, known)
        for letter in unicodedata.normalize("NFC", text)
    )


@cache
def _known(*, italic: bool) -> frozenset[int]:
    """The code points that both weights have."""
    register()
    names = (ITALIC, BOLD_ITALIC) if italic else (REGULAR, BOLD)
    return frozenset[int].intersection(*(frozenset(pdfmetrics.getFont(n).face.charToGlyph) for n in names))


def _written_out(letter: str, known: frozenset[int]) -> str:
    if letter.isspace():
        return " "
    base = unicodedata.normalize("NFD", letter)[0]
    shown = base if base != letter and ord(base) in known else ""
    return f"{shown}[U+{ord(letter):04X}]"
