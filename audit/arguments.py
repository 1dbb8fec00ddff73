"""Arguments of a command line, as the database can take them."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from django.core.management.base import CommandError

#: More than any checkpoint has, with the signatures of any number of witnesses.
_LONGEST: Final = 64 * 1024
_NEWEST: Final = 2**63 - 1


def text(argument: str) -> str:
    """An argument whose bytes may be no UTF-8: these become U+FFFD, which nothing here is named by."""
    return argument.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def entry_number(argument: str) -> int:
    """The number of an entry. Raises ArgumentTypeError."""
    try:
        found = int(argument)
    except ValueError:
        found = 0
    if not 1 <= found <= _NEWEST:
        raise ArgumentTypeError("an entry's number, 1 or more")
    return found


def checkpoints(paths: Sequence[Path]) -> list[str]:
    """What stands in files of one checkpoint each. Raises CommandError."""
    return [_checkpoint(path) for path in paths]


def _checkpoint(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as stream:
            found = stream.read(_LONGEST + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"A checkpoint cannot be read: {error}") from None
    if len(found) > _LONGEST:
        raise CommandError(f"A checkpoint cannot be read: {path} is longer than any.")
    return found
