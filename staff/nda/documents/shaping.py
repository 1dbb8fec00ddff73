"""Letters that are drawn together: joined, from right to left, under marks; and found by who searches them.

HarfBuzz says which glyphs a word takes and where they stand. What is no plain letter of the font, as an
Arabic letter's middle form or a Hebrew one with its points, becomes one glyph more, made of the font's, with
a code of the private area inside this process; in the PDF the code stands for the letters that it shows.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise
from struct import pack, unpack_from
from threading import Lock
from typing import Any, Final

import uharfbuzz
from reportlab.pdfbase.ttfonts import TTFont, TTFontFace

_PRIVATE: Final = 0xE000
# Of a composite glyph's part: its place is two words; another part follows (OpenType, `glyf`).
_PLACED, _MORE = 0x0003, 0x0020


@dataclass
class _Cluster:
    """Letters that are drawn together, and their glyphs: each with its place."""

    letters: str
    glyphs: list[tuple[int, int, int]] = field(default_factory=list)
    width: int = 0

    @property
    def key(self) -> tuple[object, ...]:
        return self.letters, tuple(self.glyphs), self.width


class _Face(TTFontFace):  # type: ignore[misc]  # reportlab ships no types
    """A font's file with more glyphs behind its own."""

    def get_table(self, tag: str) -> Any:
        if tag != "glyf":
            return super().get_table(tag)
        return self._ttf_data[self.get_table_pos("glyf")[0] :]

    def add(self, code: int, cluster: _Cluster) -> None:
        """Draw a cluster by this code from now on."""
        self.charWidths[code] = self._pdfScale(cluster.width)
        self.charToGlyph[code] = self._glyph(cluster)

    def _glyph(self, cluster: _Cluster) -> int:
        if len(cluster.glyphs) == 1:
            [(glyph, x, y)] = cluster.glyphs
            if (x, y) == (0, 0) and self.hmetrics[glyph][0] == cluster.width:
                return int(glyph)
        made, left = self._composite(cluster)
        if self.glyphPos[-1] != self._end:  # the gap between the font's own glyphs and ours
            self.glyphPos.append(self._end)
        self._ttf_data += made
        self.glyphPos.append(self._end)
        number = len(self.glyphPos) - 2
        self.hmetrics.extend([(0, 0)] * (number - len(self.hmetrics)))
        self.hmetrics.append((cluster.width, left & 0xFFFF))
        return number

    @property
    def _end(self) -> int:
        return len(self._ttf_data) - int(self.get_table_pos("glyf")[0])

    def _composite(self, cluster: _Cluster) -> tuple[bytes, int]:
        """A glyph made of others, and where it begins from the left."""
        drawn = [one for one in cluster.glyphs if self.glyphPos[one[0] + 1] > self.glyphPos[one[0]]]
        if not drawn:
            return b"", 0
        boxes = [self._box(*one) for one in drawn]
        box = [
            *map(min, *[b[:2] for b in boxes], boxes[0][:2]),
            *map(max, *[b[2:] for b in boxes], boxes[0][2:]),
        ]
        parts = [
            pack(">HHhh", _PLACED | (_MORE if at < len(drawn) else 0), *one)
            for at, one in enumerate(drawn, 1)
        ]
        made = pack(">hhhhh", -1, *box) + b"".join(parts)
        return made + b"\0" * (-len(made) % 4), box[0]

    def _box(self, glyph: int, x: int, y: int) -> tuple[int, int, int, int]:
        at = self.get_table_pos("glyf")[0] + self.glyphPos[glyph]
        left, low, right, high = unpack_from(">hhhh", self._ttf_data, at + 2)
        return left + x, low + y, right + x, high + y


class ShapedFont(TTFont):  # type: ignore[misc]  # reportlab ships no types
    """A font that draws words as they are written by hand."""

    def __init__(self, name: str, path: str) -> None:
        super().__init__(name, path, asciiReadable=0)
        self.face = _Face(path)
        self._shapes = uharfbuzz.Face(uharfbuzz.Blob.from_file_path(path))
        self._lock = Lock()
        self._shown: dict[int, str] = {}
        self._codes: dict[tuple[object, ...], int] = {}

    def shaped(self, word: str) -> str:
        """A word as it is drawn from left to right, a code for each letter with its marks."""
        buffer = uharfbuzz.Buffer()
        buffer.add_str(word)
        buffer.guess_segment_properties()
        uharfbuzz.shape(uharfbuzz.Font(self._shapes), buffer, {"kern": False})
        starts = [*sorted({info.cluster for info in buffer.glyph_infos}), len(word)]
        found = {at: _Cluster(word[at:end]) for at, end in pairwise(starts)}
        for info, place in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
            cluster = found[info.cluster]
            cluster.glyphs.append((info.codepoint, cluster.width + place.x_offset, place.y_offset))
            cluster.width += place.x_advance
        order = dict.fromkeys(info.cluster for info in buffer.glyph_infos)
        from_right = buffer.direction == "rtl"
        return "".join(self._codes_of(found[at], from_right=from_right) for at in order)

    def _codes_of(self, cluster: _Cluster, *, from_right: bool) -> str:
        """A code; from right to left one for each letter, for readers turn the letters of a line one by
        one: what is drawn stands for the first, and before it, from the left, nothing for each other."""
        first, others = cluster.letters[0], cluster.letters[1:]
        if not from_right or not others:
            return self._code(cluster)
        nothing = [self._code(_Cluster(letter)) for letter in reversed(others)]
        return "".join(nothing) + self._code(replace(cluster, letters=first))

    def _code(self, cluster: _Cluster) -> str:
        with self._lock:
            code = self._codes.get(cluster.key)
            if code is None:
                code = self._codes[cluster.key] = _PRIVATE + len(self._codes)
                self._shown[code] = cluster.letters
                self.face.add(code, cluster)
            return chr(code)

    def addObjects(self, doc: Any) -> None:  # noqa: N802  # reportlab's name
        """The font's objects, as reportlab makes them; then each code's letters in place of the code."""
        subsets = [list(one) for one in self.state[doc].subsets]
        names = [self.getSubsetInternalName(number, doc)[1:] for number in range(len(subsets))]
        super().addObjects(doc)
        for subset, name in zip(subsets, names, strict=True):
            stream = doc.idToObject[doc.idToObject[name].ToUnicode.name]
            stream.content = _rewritten(stream.content, [self._shown.get(one, chr(one)) for one in subset])


def _rewritten(mapping: str, shown: list[str]) -> str:
    """A ToUnicode map (ISO 32000-1 §9.10.3) with these letters for its codes, in their order."""
    head, _begin, rest = mapping.partition("beginbfchar\n")
    tail = rest[rest.index("endbfchar") :]
    lines = [
        f"<{place:02X}> <{text.encode('utf-16-be').hex().upper()}>\n" for place, text in enumerate(shown)
    ]
    return f"{head}beginbfchar\n{''.join(lines)}{tail}"
