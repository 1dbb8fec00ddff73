"""What a message is about, found without reading it as JSON.

For messages that are authentic and cannot be used: whatever they say of a thing, it is no longer
certain, so the thing is to be blocked. Its name is looked for in the bytes as they pass, whatever their
encoding (UTF-8, the code pages that contain ASCII, UTF-16, UTF-32), escaped as JSON allows, however
long the message is.
"""

from __future__ import annotations

import re
import zlib
from typing import Final

#: So many different names are kept; what names more is about nothing in particular.
MOST: Final = 100
#: What a compressed message may grow to.
UNPACKED: Final = 8 * 1024 * 1024
#: No name with its key takes more bytes than this, in any encoding, escaped letter by letter.
_OVERLAP: Final = 4 * 1024
_WINDOW: Final = 64 * 1024
# A letter or sign written as \u002d. Never a quote or a backslash: those keep a text inside a text apart.
_ESCAPED: Final = re.compile(rb"\\u00((?!22|5[cC])[2-7][0-9A-Fa-f])")
_GZIP: Final = b"\x1f\x8b"


class Mentions:
    """The names that follow a key: `"number": "ZD-1"`. Fed with chunks; `found` at the end."""

    def __init__(self, key: str, form: str) -> None:
        """`form`: a regular expression of the names, which are upper case."""
        pattern = rf'"{key}"\s{{0,64}}:\s{{0,64}}"\s{{0,16}}({form})\s{{0,16}}"'
        self._pattern = re.compile(pattern.encode(), re.IGNORECASE)
        self._tail = b""
        self._unpacker: zlib._Decompress | None = None
        self._unpacked = 0
        self._began = False
        self._found: set[str] = set()
        self.too_many = False

    @property
    def found(self) -> list[str]:
        """The names, in order."""
        return sorted(self._found)

    def take(self, chunk: bytes) -> None:
        """Look through the next bytes of the message."""
        if not self._began:
            self._began = True
            if chunk.startswith(_GZIP):
                self._unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        if self._unpacker:
            chunk = self._unpack(self._unpacker, chunk)
        for start in range(0, len(chunk), _WINDOW):
            self._search(chunk[start : start + _WINDOW])

    def _unpack(self, unpacker: zlib._Decompress, chunk: bytes) -> bytes:
        """What is unpacked of the chunk, within the bound."""
        room = UNPACKED - self._unpacked
        if room <= 0:
            return b""
        try:
            unpacked = unpacker.decompress(chunk, room)
        except zlib.error:
            self._unpacked = UNPACKED  # what follows is no more readable
            return b""
        self._unpacked += len(unpacked)
        return unpacked

    def _search(self, window: bytes) -> None:
        raw = self._tail + window
        self._tail = raw[-_OVERLAP:]
        # The letters of ASCII stand among zeros in UTF-16 and UTF-32.
        text = _ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode()), raw.replace(b"\0", b""))
        for found in self._pattern.finditer(text):
            if len(self._found) == MOST:
                self.too_many = True
                return
            self._found.add(found[1].decode(errors="replace").upper())  # cut bytes are a mention all the same


def mentioned(raw: bytes, key: str, form: str) -> list[str]:
    """The names that follow a key in a message that is all here."""
    mentions = Mentions(key, form)
    mentions.take(raw)
    return mentions.found
