"""Where copies of checkpoints go: out of the database's reach, by one small interface.

A copy proves something because whoever rewrites the database cannot rewrite the copy as well: give the
directory to another machine or an append-only medium, and standard output to a log shipper.
"""

from __future__ import annotations

import hashlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from audit.verify_bundle import ProofError, read_head

if TYPE_CHECKING:
    from datetime import datetime


class AnchorError(Exception):
    """No such anchor can be had; the message says why."""


class Anchor(Protocol):
    """A place outside. `copy` raises OSError where it failed; the same copy may come again."""

    def copy(self, note: str, size: int, at: datetime) -> None:
        """Take one checkpoint, sealed at that moment."""

    def newest(self, origin: str) -> str | None:
        """The largest checkpoint of that log that is here; None where none is, or none can be read back."""


@dataclass(frozen=True)
class Directory:
    """A file a checkpoint, in a folder a day, never overwritten."""

    path: Path

    def copy(self, note: str, size: int, at: datetime) -> None:
        """Write a checkpoint of so many leaves into the folder of its day, UTC. Raises OSError."""
        folder = self.path / at.strftime("%Y-%m-%d")
        folder.mkdir(exist_ok=True)  # its parent must be there: an unmounted disk is a failure
        # By size, and by the log: another one may use the same folder.
        log = hashlib.sha256(note.partition("\n")[0].encode()).hexdigest()[:8]
        file = folder / f"{size:012d}-{log}"
        unfinished = folder / f".{file.name}.{os.getpid()}"
        with unfinished.open("w", encoding="utf-8") as opened:
            opened.write(note)
            opened.flush()
            os.fsync(opened.fileno())
        try:
            os.link(unfinished, file)  # not a rename, which would replace what another log left here
        except FileExistsError:
            if file.read_text(encoding="utf-8") != note:
                raise
        finally:
            unfinished.unlink()

    def newest(self, origin: str) -> str | None:
        """The largest checkpoint of that log in the folders; None where none is. Raises OSError."""
        folders = sorted((f for f in self.path.iterdir() if f.is_dir()), reverse=True)
        for folder in folders:
            for file in sorted((f for f in folder.iterdir() if f.name[0] != "."), reverse=True):
                note = file.read_text(encoding="utf-8")
                if _is_of(note, origin):
                    return note
        return None


class StandardOutput:
    """For whoever collects what the sealer says: one checkpoint after the other."""

    def copy(self, note: str, size: int, at: datetime) -> None:
        """Print a checkpoint of so many leaves."""
        sys.stdout.write(note + "\n")
        sys.stdout.flush()

    def newest(self, origin: str) -> str | None:
        """None: what was printed cannot be read back."""
        return None


def _is_of(note: str, origin: str) -> bool:
    try:
        return read_head(note).origin == origin
    except ProofError:
        return False


def anchor(name: str) -> Anchor:
    """The anchor that a setting names: `directory:/path` or `stdout`. Raises AnchorError."""
    kind, _, where = name.partition(":")
    if kind == "stdout" and not where:
        return StandardOutput()
    if kind == "directory" and where.startswith("/"):
        return Directory(Path(where))
    raise AnchorError("each is 'directory:/path' or 'stdout'")
