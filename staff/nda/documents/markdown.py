"""The text of an agreement: Markdown of few means, for the page and for the document alike.

Headings, paragraphs, lists, bold and emphasis. Everything else stays what was typed: raw HTML,
links, images and code are text. Page and paper come from the same tokens, so that nobody signs
another text than they read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils.safestring import SafeString
from markdown_it import MarkdownIt
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, ListFlowable, ListItem, Paragraph

import staff.nda.documents.fonts as fonts
from staff.nda.documents.drawing import BODY, HEADINGS, ITEM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it.token import Token

_MEANS: Final = ("heading", "lheading", "list", "emphasis", "newline", "escape", "entity")
#: Levels of lists and marks in one another. Deeper text the reader would leave out: see `can_be_shown`.
_DEEPEST: Final = 12
_MARKS: Final = {"strong": "b", "em": "i"}


def _reader(deepest: int) -> MarkdownIt:
    reader = MarkdownIt("zero", {"html": False, "linkify": False, "maxNesting": deepest})
    reader.enable(list(_MEANS))
    # Emphasis is found in two steps, the second of which has rules of its own.
    reader.inline.ruler2.enable(["balance_pairs", "emphasis", "fragments_join"], ignoreInvalid=True)
    return reader


_READER: Final = _reader(_DEEPEST)
#: Sees one level more, so that it notices what the other leaves out.
_DEEPER_READER: Final = _reader(_DEEPEST + 2)


def can_be_shown(text: str) -> bool:
    """Whether every word of the text is shown: lists too deep in one another would be left out."""
    return bool(_READER.render(text) == _DEEPER_READER.render(text))


def to_html(text: str) -> SafeString:
    """The text for a page: elements of the safe subset, everything else escaped."""
    return SafeString(_READER.render(text))  # `html` is off: the reader escapes what it was given


def to_flowables(text: str) -> list[Flowable]:
    """The text for a document."""
    return list(_blocks(iter(_READER.parse(text))))


def _blocks(tokens: Iterator[Token], until: str = "", style: ParagraphStyle = BODY) -> Iterator[Flowable]:
    for token in tokens:
        if token.type == until:
            return
        if token.type == "heading_open":
            level = min(int(token.tag[1:]), len(HEADINGS))
            yield Paragraph(_inline(next(tokens)), HEADINGS[level - 1])
        elif token.type == "paragraph_open":
            yield Paragraph(_inline(next(tokens)), style)
        elif token.type in ("bullet_list_open", "ordered_list_open"):
            yield _list(token, tokens)


def _list(opening: Token, tokens: Iterator[Token]) -> Flowable:
    ordered = opening.type == "ordered_list_open"
    items: list[Flowable] = []
    for token in tokens:
        if token.type == "list_item_open":
            items.append(ListItem(list(_blocks(tokens, "list_item_close", ITEM)) or [Paragraph("", ITEM)]))
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            break
    return ListFlowable(
        items,
        bulletType="1" if ordered else "bullet",
        start=int(opening.attrs.get("start", 1)) if ordered else "•",
        bulletFontName=fonts.REGULAR,
        bulletFontSize=BODY.fontSize,
        bulletFormat="%s." if ordered else None,
        spaceAfter=5,
        leftIndent=7 * mm,
        bulletDedent=6 * mm if ordered else 5 * mm,
    )


def _inline(token: Token) -> str:
    """Reportlab's own small markup, of which nothing typed can be a part."""
    written = []
    italic = 0
    for part in token.children or []:
        mark = _MARKS.get(part.tag)
        italic += part.nesting if mark == "i" else 0
        if part.type in ("softbreak", "hardbreak"):
            written.append("<br/>" if part.type == "hardbreak" else " ")
        elif mark:
            written.append(f"<{mark}>" if part.nesting == 1 else f"</{mark}>")
        else:
            written.append(fonts.markup(part.content, italic=italic > 0))
    return "".join(written)
