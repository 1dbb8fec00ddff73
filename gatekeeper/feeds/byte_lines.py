"""The lines of a stream as bytes of UTF-8, in constant memory, whatever the file was written in."""

from __future__ import annotations

import codecs
import io
from typing import Any, BinaryIO, Final, Protocol

LONGEST_LINE: Final = 256 * 1024  # bytes; bounds the memory that a line can take


class UnreadableError(Exception):
    """The stream stopped being readable; the text says why, in the system's words."""


def _read(stream: BinaryIO, size: int) -> bytes:
    try:
        return stream.read(size)
    except OSError as error:
        raise UnreadableError(error.strerror or type(error).__name__) from None


class _Lines(Protocol):
    def readline(self, size: int, /) -> bytes: ...


class _Whole(io.RawIOBase):
    """A stream whose first bytes have been read already."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head, self._rest = head, rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        part = memoryview(buffer)
        data = self._head[: len(part)] or _read(self._rest, len(part))
        self._head = self._head[len(part) :]
        part[: len(data)] = data
        return len(data)


class _Recoded:
    """The lines of a file in UTF-16, in UTF-8. What is no character there becomes U+FFFD."""

    def __init__(self, stream: io.BufferedReader[_Whole]) -> None:
        self._text = io.TextIOWrapper(stream, "utf-16", errors="replace", newline="\n")

    def readline(self, size: int, /) -> bytes:
        return self._text.readline(size).encode()


def in_utf8(stream: BinaryIO) -> _Lines:
    """The stream; where it is UTF-16, as PowerShell and Excel write it, in UTF-8."""
    head = _read(stream, 3)
    whole = io.BufferedReader(_Whole(head, stream), LONGEST_LINE)
    return _Recoded(whole) if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else whole


def skip_rest(stream: _Lines) -> int:
    """Read on to the end of a line that is too long; return how many bytes that were."""
    skipped = 0
    while part := stream.readline(LONGEST_LINE):
        skipped += len(part)
        if part.endswith(b"\n"):
            break
    return skipped
