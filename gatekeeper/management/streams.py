"""The standard streams of a command: one that is closed, full or read by nobody is an error to be told."""

from __future__ import annotations

import io
import os
import sys
from typing import Final

UNWRITABLE: Final = "Standard output takes nothing more, and so the command ended there: "
STDIN, STDOUT, STDERR = range(3)
#: How each is opened where it is closed: reading the first and writing the second fails, as it did.
_CLOSED: Final = {STDIN: os.O_WRONLY, STDOUT: os.O_RDONLY, STDERR: os.O_WRONLY}


class OutputError(OSError):
    """Standard output takes nothing more."""


class Output(io.TextIOWrapper):
    """Standard output, line by line; a letter that its encoding lacks is shown by its number."""

    def write(self, text: str) -> int:
        """Write. Raises OutputError."""
        try:
            return super().write(text)
        except OSError as error:
            raise OutputError(*error.args) from None

    def flush(self) -> None:
        """Hand over what waits. Raises OutputError."""
        try:
            super().flush()
        except OSError as error:
            raise OutputError(*error.args) from None


def prepare() -> None:
    """Give the process three standard streams. Without it the first file or connection that is opened gets a
    closed one's number, and what is meant for a terminal is written there."""
    for number, mode in _CLOSED.items():
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, mode)  # gets the lowest number that is free: this one
    sys.stdin = sys.stdin or open(STDIN, closefd=False)  # noqa: SIM115 - open as long as the process
    sys.stderr = sys.stderr or open(STDERR, "w", closefd=False)  # noqa: SIM115
    encoding = sys.stdout.encoding if sys.stdout else None
    raw = io.FileIO(STDOUT, "w", closefd=False)
    sys.stdout = Output(io.BufferedWriter(raw), encoding, "backslashreplace", line_buffering=True)


def given_up(error: OutputError) -> str:
    """Drop what waits for standard output, which is tried once more at the end; return what is to be said."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), STDOUT)
    return f"{UNWRITABLE}{error.strerror}."
