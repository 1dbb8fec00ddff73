"""A file that says 'this is all': what it does not name is shown first, and closed after a confirmation.

A file that is empty, or was cut short, would close everything. So one that names nothing, or far less
than is held, is trusted only with the very number of what it closes, and one that ends in the middle
of a line not at all.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection
from typing import Final

from django.core.management.base import CommandError, CommandParser

#: So many names are shown.
SHOWN: Final = 50
#: From this number on, and from this share of what is held, so much is missing only by mistake.
MANY: Final = 10
SHARE: Final = 4


def add_arguments(parser: CommandParser, *, what: str) -> None:
    """The options of a complete import of `what`."""
    parser.add_argument(
        "--complete", action="store_true", help=f"these are all: close {what} that are not in it"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="with --complete: only say what would be closed"
    )
    parser.add_argument("--yes", action="store_true", help="with --complete: close without asking")
    parser.add_argument(
        "--closes",
        type=int,
        metavar="N",
        help="with --complete: close exactly so many; needed where the file names nothing, or far too few",
    )


def shown(names: Collection[str]) -> str:
    """The names in order, as many as a screen holds."""
    found = sorted(names, key=lambda name: (len(name), name))
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return ", ".join(found[:SHOWN]) + more


def is_implausible(*, missing: int, held: int, is_empty: bool) -> bool:
    """Whether so much is missing that the file is hardly all."""
    return is_empty or (missing > MANY and missing * SHARE > held)


def confirm(
    missing: int, held: int, *, is_empty: bool, yes: bool, closes: int | None, say: Callable[[str], object]
) -> None:
    """Return where `missing` of those `held` may be closed. Raises CommandError, with the way on."""
    suspicious = is_implausible(missing=missing, held=held, is_empty=is_empty)
    if closes is not None:
        if closes != missing:
            raise CommandError(f"Nothing was closed: {missing} are missing, not {closes}.")
        return
    if suspicious:
        say(f"{missing} of {held} are missing: the file looks empty or cut short.")
    if yes:
        if suspicious:
            raise CommandError(
                f"Nothing was closed. If the file is right, run it again with --closes {missing}."
            )
        return
    if not sys.stdin.isatty():
        raise CommandError("Nothing was closed: nobody can be asked. Run it again with --yes.")
    wanted = str(missing) if suspicious else "yes"
    sys.stderr.write(f"Close them? Type {wanted} to confirm: ")
    sys.stderr.flush()
    if sys.stdin.readline().strip() != wanted:
        raise CommandError("Nothing was closed.")
