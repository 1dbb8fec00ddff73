"""Lato, for every paper: reportlab's own letters lack the Polish ones."""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import Final

import font_lato
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

REGULAR: Final = "Lato"
BOLD: Final = "LatoBold"
ITALIC: Final = "LatoItalic"
BOLD_ITALIC: Final = "LatoBoldItalic"
_FAMILY: Final = (REGULAR, BOLD, ITALIC, BOLD_ITALIC)


@cache
def register() -> frozenset[int]:
    """Make the letters known to reportlab, once; return the code points that all of them have."""
    fonts = [TTFont(name, font_lato.font_files[name]) for name in _FAMILY]
    for font in fonts:
        pdfmetrics.registerFont(font)
    pdfmetrics.registerFontFamily(REGULAR, normal=REGULAR, bold=BOLD, italic=ITALIC, boldItalic=BOLD_ITALIC)
    return frozenset[int].intersection(*(frozenset(font.face.charToGlyph) for font in fonts))


def legible(text: str) -> str:
    """The text with what the letters can show. Nothing goes silently: a letter that they lack is
    written as its base with its code (`ū` as `u[U+016B]`), what cannot be seen as its code alone."""
    known = register()
    return "".join(
        letter if ord(letter) in known and letter.isprintable() else _written_out(letter, known)
        for letter in unicodedata.normalize("NFC", text)
    )


def _written_out(letter: str, known: frozenset[int]) -> str:
    if letter.isspace():
        return " "
    base = unicodedata.normalize("NFD", letter)[0]
    shown = base if base != letter and ord(base) in known else ""
    return f"{shown}[U+{ord(letter):04X}]"
