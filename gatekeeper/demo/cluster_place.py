"""Where a cluster lies: its home, its socket, and folders that are closed to all others."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from gatekeeper.demo.binaries import FOR_ROOT, Account, PostgresUnavailableError

LONGEST_SOCKET_PATH = 100  # the kernel allows 107 bytes


def home_of(data_dir: Path) -> Path:
    """Return where the cluster lies: `data_dir`, or under FOR_ROOT where its user cannot enter."""
    above = next(folder for folder in data_dir.parents if folder.exists())
    if Account.choose(data_dir / "cluster").reaches(above):
        return data_dir
    return FOR_ROOT / f"cluster-{_digest(data_dir)}"


def socket_folder(home: Path) -> Path:
    """Return a folder whose socket the kernel can name: a long path moves to a short one."""
    folder = home / "socket"
    if len(os.fsencode(folder / ".s.PGSQL.5432.lock")) < LONGEST_SOCKET_PATH:
        return folder
    return Path("/tmp") / f"gatekeeper-{_digest(home)}"  # noqa: S108 - 0700, owner checked


def make_folder(folder: Path, account: Account) -> None:
    """Make a folder of the server's own, closed to all others.

    Raises PostgresUnavailableError where it belongs to somebody else already.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid not in {os.geteuid(), account.uid}:
        raise PostgresUnavailableError(f"{folder} belongs to somebody else; remove it.")
    if not account.is_us:
        os.chown(folder, account.uid, account.gid)
    folder.chmod(0o700)


def _digest(path: Path) -> str:
    return hashlib.sha256(str(path).encode()).hexdigest()[:12]
