"""The files of attacks: their head, their statements, and the names in them that stand for facts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).resolve().parent / "sql"
HEAD: Final = ("As", "Wants", "Verdict")
KINDS: Final = ("refused", "nothing", "seen")

_LINE: Final = re.compile(r"^-- (\w+): (.+)$")
#: `:account`, but neither `::text` nor the middle of a word or a time.
_NAME: Final = re.compile(r"(?<![:\w]):([a-z_]+)\b")


@dataclass(frozen=True)
class Attack:
    """One file. `kind` and `words` are the two parts of its verdict; `words` may be empty."""

    role: str
    wants: str
    kind: str
    words: str
    statements: tuple[str, ...]


def every() -> list[Path]:
    """All files, by role and name."""
    return sorted(FOLDER.glob("*/*.sql"))


def read(path: Path) -> Attack:
    """Read one. Raises ValueError where its head or its statements are not as README.md beside this says."""
    head: dict[str, str] = {}
    lines = path.read_text().splitlines()
    while len(head) < len(HEAD):
        found = _LINE.match(lines.pop(0)) if lines else None
        if not found or found[1] != HEAD[len(head)]:
            raise ValueError(f"{path.name}: its head lacks '-- {HEAD[len(head)]}: …'")
        head[found[1]] = found[2].strip()
    kind, _, words = (part.strip() for part in head["Verdict"].partition(":"))
    statements = tuple(_statements(lines))
    if kind not in KINDS or (kind == "seen" and not words):
        raise ValueError(f"{path.name}: there is no verdict '{head['Verdict']}'")
    if not statements:
        raise ValueError(f"{path.name}: there is nothing to try in it")
    return Attack(head["As"], head["Wants"], kind, words, statements)


def _statements(lines: list[str]) -> list[str]:
    """Each ends with the line that ends with a semicolon outside of a $$-quoted body."""
    found: list[str] = []
    open_lines: list[str] = []
    for line in lines:
        if line.strip() and not line.startswith("--"):
            open_lines.append(line)
        text = "\n".join(open_lines)
        if text.endswith(";") and text.count("$$") % 2 == 0:
            found.append(text)
            open_lines = []
    return [*found, *(["\n".join(open_lines)] if open_lines else [])]


def bound(statement: str) -> str:
    """The same with psycopg's placeholders."""
    return _NAME.sub(r"%(\1)s", statement.replace("%", "%%"))
