"""An installation's processes, started from its units as systemd would, by users that stand for theirs."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gatekeeper.demo.parent import die_with_parent
from tests.shipped.units import Unit, read_environment_file

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Who stands for the users that README adds: Debian's own, who have nothing to do.
STAND_INS: Final = {
    "gatekeeper": "nobody",
    "gatekeeper-api": "games",
    "gatekeeper-watch": "news",
    "gatekeeper-sealer": "list",
}
# What a shell and a service have without us: nothing of the tests' own settings gets in.
BARE: Final = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": "/"}


class InstallationError(Exception):
    """README's block did not do what it says; the message has what was said."""


def as_user(user: str, group: str = "") -> list[str]:
    """How a command is given as the stand-in of a user, in a group or in its own."""
    name = STAND_INS.get(user, user)
    of = group if group and group not in STAND_INS else str(pwd.getpwnam(name).pw_gid)
    return ["setpriv", f"--reuid={name}", f"--regid={of}", "--clear-groups"]


@dataclass
class Processes:
    """What runs in an installation's folder."""

    root: Path
    _ends: ExitStack = field(default_factory=ExitStack)
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    # Where things lie

    def places(self) -> dict[str, str]:
        """The folders that README names, and where they are here."""
        return {"/opt/gatekeeper": f"{self.root}/opt", "/etc/gatekeeper": f"{self.root}/etc"}

    def here(self, text: str) -> str:
        for readme, here in {**self.places(), "/run/gatekeeper": f"{self.root}/run/gatekeeper"}.items():
            text = text.replace(readme, here)
        return text

    def unit(self, name: str) -> Unit:
        return Unit.read(self.root / "systemd" / f"{name}.service")

    # Starting

    def start(self, name: str) -> None:
        """Start a unit. Raises InstallationError where what must succeed before it does not."""
        unit, variables = self.unit(name), self._variables(name)
        self._make_run(unit)
        for command in unit.before:
            ended = self._run(unit, command, variables)
            if ended.returncode:
                raise InstallationError(ended.stderr[-3000:])
        self.launch(name, self._as_user(unit, unit.command), variables)

    def run_once(self, name: str) -> None:
        """What a timer starts. Raises CalledProcessError."""
        unit = self.unit(name)
        self._run(unit, unit.command, self._variables(name)).check_returncode()

    def _run(
        self, unit: Unit, command: list[str], variables: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._as_user(unit, command),
            env=variables,
            cwd=self.root / "opt",
            capture_output=True,
            text=True,
            check=False,
        )

    def _variables(self, name: str) -> dict[str, str]:
        """A unit's environment: its files, then what it says itself, without what it takes away."""
        unit, found = self.unit(name), dict(BARE)
        for path in unit.environment_files:
            found |= read_environment_file(Path(self.here(path)))
        found |= unit.environment
        return {name: value for name, value in found.items() if name not in unit.unset}

    def _as_user(self, unit: Unit, command: list[str]) -> list[str]:
        who = [*as_user(unit.user, unit.group), "--no-new-privs", "--pdeathsig", "TERM"]
        return [*who, *map(self.here, command)]

    def _make_run(self, unit: Unit) -> None:
        """The unit's folder under /run, as systemd makes it."""
        if unit.folder:
            folder = self.root / "run" / unit.folder
            folder.mkdir(parents=True, exist_ok=True)
            shutil.chown(folder, STAND_INS[unit.user], unit.group)
            folder.chmod(0o750)

    def launch(self, name: str, command: list[str], variables: Mapping[str, str] = BARE) -> None:
        with (self.root / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                command,
                env=variables,
                cwd=self.root / "opt",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGTERM),
            )
        self._running[name] = process
        self._ends.callback(_end, process)

    # What runs

    def log_of(self, name: str) -> str:
        return (self.root / f"{name}.log").read_text(errors="replace")

    def judge(self) -> None:
        """Raise InstallationError where one has stopped."""
        for name, process in self._running.items():
            if process.poll() is not None:
                raise InstallationError(f"{name} stopped: {self.log_of(name)[-3000:]}")

    def running(self) -> set[str]:
        """Which processes run."""
        return {name for name, process in self._running.items() if process.poll() is None}

    def stop(self) -> None:
        """End them; the database goes on."""
        self._ends.close()
        self._running.clear()


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
