"""How many connections the whole installation may open, by role: its bound, and what the server has room for.

Each thread of a web process keeps a connection for each link that it needs, and opens no second one; what
runs beside the web processes is counted by command. Nothing waits for a connection, so the sum has to fit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from gatekeeper.installation import roles

#: What a web process may serve, and which links each part needs.
NEEDS: Final = {
    "pages": ("WEB", "SIGNIN", "VAULT"),
    "api": ("WEB", "FEED"),
}
ALL: Final = tuple(NEEDS)

#: Beside the web processes: what always runs (tidy, send_mail, detect, stream_log, seal_log), what runs
#: daily, one command by hand and one page of checks. `check` and that page connect again to see who answers.
BESIDE: Final = {
    "WEB": 6,
    "SIGNIN": 1,
    "FEED": 2,
    "VAULT": 2,
    "WATCH": 3,
    "PEOPLE": 2,
    "SEALER": 3,
    "MIGRATOR": 2,
}


@dataclass(frozen=True)
class Process:
    """A web process: what it serves, by how many workers of how many threads."""

    serves: tuple[str, ...]
    workers: int
    threads: int

    def __str__(self) -> str:
        return f"{'+'.join(self.serves)}:{self.workers}x{self.threads}"


def read_serves(text: str) -> tuple[str, ...]:
    """Read what a process serves: `pages+api`, `pages` or `api`. Raises ValueError."""
    parts = text.split("+")
    if len(set(parts)) != len(parts) or not set(parts) <= set(NEEDS):
        raise ValueError(text)
    return tuple(part for part in NEEDS if part in parts)


def read(text: str) -> tuple[Process, ...]:
    """Read the processes of an installation: `pages:2x8, api:1x8`. Raises ValueError."""
    return tuple(_read(part.strip()) for part in text.split(","))


def _read(text: str) -> Process:
    found = re.fullmatch(r"([a-z+]+):([1-9][0-9]?)x([1-9][0-9]?)", text)
    if found is None:
        raise ValueError(text)
    return Process(read_serves(found[1]), int(found[2]), int(found[3]))


def links(serves: Iterable[str]) -> tuple[str, ...]:
    """Return the links that a process needs for what it serves, in the order of all links."""
    wanted = {link for part in serves for link in NEEDS[part]}
    return tuple(name for name in roles.LINKS if name in wanted)


def need(processes: Iterable[Process]) -> dict[str, int]:
    """Return how many connections each role has at most, by the role's name."""
    found = {roles.LINKS[name]: count for name, count in BESIDE.items()}
    for process in processes:
        for name in links(process.serves):
            found[roles.LINKS[name]] += process.workers * process.threads
        if "pages" in process.serves:  # a thread more for each worker sends mail, by one connection
            found[roles.WEB] += process.workers
    return found


def limits(processes: Iterable[Process]) -> dict[str, int]:
    """Return the CONNECTION LIMIT of each role: what it needs, and room for a worker that is replaced while
    the server still clears up after the one before. A role taken over cannot take the others' places."""
    processes = tuple(processes)
    room = max((process.threads for process in processes), default=0)
    serving = {roles.LINKS[name] for process in processes for name in links(process.serves)}
    return {role: count + (room if role in serving else 1) for role, count in need(processes).items()}


def wanted(processes: Iterable[Process], reserved: int) -> int:
    """Return how large the server's max_connections has to be: the need of all, while one role, whichever
    has most room, is at its limit, and the places that only superusers get."""
    processes = tuple(processes)
    needed, allowed = need(processes), limits(processes)
    return sum(needed.values()) + max(allowed[role] - needed[role] for role in needed) + reserved
