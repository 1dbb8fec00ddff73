"""What the files of a PostgreSQL cluster say: its version, its server, and who works in it."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

from gatekeeper.demo.binaries import PostgresUnavailableError
from gatekeeper.demo.saying import damage


def major(cluster: Path) -> int | None:
    """Return the version that made the cluster; None where there is none yet.

    Raises PostgresUnavailableError where the cluster does not say.
    """
    if not cluster.exists():
        return None
    version = cluster / "PG_VERSION"
    try:
        return int(version.read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):
        raise PostgresUnavailableError(damage(version, "it names no version of PostgreSQL")) from None


def status(cluster: Path) -> str:
    """Return what the running server says of itself, '' where none does."""
    lines = _postmaster_file(cluster)
    return lines[7].strip() if len(lines) > 7 else ""


def is_served(cluster: Path) -> bool:
    """Tell whether a server serves the cluster, whoever started it."""
    return _postmaster(cluster) in occupants(cluster)


def occupants(cluster: Path) -> set[int]:
    """Return the processes that work in the cluster: each of the server's has it as its cwd."""
    found = set()
    for link in Path("/proc").glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):
            if link.readlink() == cluster:
                found.add(int(link.parent.name))
    return found


def clear_remains(cluster: Path, socket_dir: Path, *, seconds: float) -> None:
    """See a killed process' server out, then remove what would keep a new one from starting.

    PostgreSQL itself trusts a stale postmaster.pid as soon as the number is in use again.
    Raises PostgresUnavailableError where the earlier server does not stop within these seconds.
    """
    deadline = time.monotonic() + seconds
    while occupants(cluster):
        if time.monotonic() > deadline:
            raise PostgresUnavailableError(f"An earlier server still works in {cluster} and does not stop.")
        with contextlib.suppress(ProcessLookupError):
            if is_served(cluster):
                os.kill(_postmaster(cluster), signal.SIGINT)
        time.sleep(0.05)
    (cluster / "postmaster.pid").unlink(missing_ok=True)
    if socket_dir.exists():
        for left in socket_dir.glob(".s.PGSQL.*"):
            left.unlink(missing_ok=True)


def _postmaster(cluster: Path) -> int:
    """Return the number in postmaster.pid, 0 where there is none."""
    with contextlib.suppress(ValueError, IndexError):
        return int(_postmaster_file(cluster)[0])
    return 0


def _postmaster_file(cluster: Path) -> list[str]:
    try:
        return (cluster / "postmaster.pid").read_text(errors="replace").split("\n")
    except OSError:
        return []
