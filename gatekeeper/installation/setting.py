"""What a row of the table of settings says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

PREFIX = "GATEKEEPER_"

Kind = Literal["text", "list", "limit", "yes/no", "address", "database", "keys", "webhook", "seal", "key"]


@dataclass(frozen=True)
class Setting:
    """One row of the table. `default` None: it must be given. `secret`: has a `_FILE` twin. `formerly`: the
    name that it had before, and answers to for one release."""

    name: str
    help: str
    kind: Kind = "text"
    default: str | None = None
    secret: bool = False
    formerly: str = ""

    @property
    def variable(self) -> str:
        """Return the name in the environment."""
        return PREFIX + self.name

    @property
    def range(self) -> str:
        """Return the unit of a value and its bounds, '' where it has none."""
        return ""


@dataclass(frozen=True)
class Limit(Setting):
    """A whole number of `unit`, from `least` to `most`. `in_database`: SQL decides by it, under `key`."""

    kind: Kind = "limit"
    unit: str = ""
    least: int = 1
    most: int = 0
    in_database: bool = True

    @property
    def key(self) -> str:
        """Return the name in `settings.LIMITS` and in the database."""
        return self.name.lower()

    @property
    def range(self) -> str:
        """Return the unit of a value and its bounds."""
        return f"{self.unit}, {self.least} to {self.most}"
