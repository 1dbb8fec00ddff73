"""What one row of the page of checks says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Health:
    """One row of the page of checks. `state`: ok, off (not configured, and not needed), to_fix or unknown.

    `try_it`: the name of the address that tries the thing out, by POST; '' where there is none.
    """

    id: str
    title: str
    state: str
    sentence: str
    cause: str = ""
    next_step: str = ""
    command: str = ""
    try_it: str = ""
