"""The standard streams of a command: one that is closed, full or read by nobody is an error to be told."""

from __future__ import annotations

import io
import os
import sys
from typing import Final

STDIN, STDOUT, STDERR = range(3)
#: How each is opened where it is closed: reading the first and writing the second fails, as it did.
_CLOSED: Final = {STDIN: os.O_WRONLY, STDOUT: os.O_RDONLY, STDERR: os.O_WRONLY}


class OutputError(OSError):
    """Standard output takes nothing more."""


class Output(io.TextIOWrapper):
    """Standard output, line by line; what its encoding lacks becomes a question mark."""

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
    sys.stdout = Output(io.BufferedWriter(raw), encoding, "replace", line_buffering=True)


def give_up_output() -> None:
    """Drop what waits for standard output: the interpreter tries once more when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), STDOUT)
