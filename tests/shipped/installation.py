"""An installation of production mode, made by README's own command block in a folder of its own.

What is the machine's stays the machine's: packages are looked for and not installed, PostgreSQL is a
throw-away cluster with Debian's own rules of who gets in, and what systemd would start from the
units is started here, as systemd would: with the environment files, the user and the command that stand in
the unit, and nothing else. The name is README's; ports are those that are free.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gatekeeper.embedded import Server, dies_with_us
from tests.shipped.certificate import write_certificate
from tests.shipped.units import Unit, read_environment_file
from tests.shipped.visitor import HOST, Visitor

if TYPE_CHECKING:
    from collections.abc import Mapping

PROJECT = Path(__file__).resolve().parents[2]
USER = "nobody"  # in place of the users that systemd makes up
PATIENCE = 90  # seconds that a start may take on a busy machine
# What a shell and a service have without us: nothing of the tests' own settings gets in.
BARE = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": "/"}

#: pg_hba.conf as Debian makes it.
DEBIANS = """\
local all postgres peer
local all all peer
host all all 127.0.0.1/32 scram-sha-256
host all all ::1/128 scram-sha-256
"""
#: The frame in which Debian's nginx includes the site.
FRAME = """\
user www-data;
daemon off;
pid {root}/nginx.pid;
error_log {root}/nginx.log;
events {{}}
http {{
    access_log {root}/requests.log;
    include {root}/site.conf;
}}
"""


class InstallationError(Exception):
    """README's block did not do what it says; the message has what was said."""


def readme() -> str:
    return (PROJECT / "README.md").read_text(encoding="utf-8")


def block() -> str:
    """README's commands, from the clone to the first sign-in."""
    found = re.search(r"<!-- installation -->\n```sh\n(.*?)```\n<!-- /installation -->", readme(), re.DOTALL)
    assert found, "README has no installation between its markers"
    return found[1]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Installation:
    """The folder, the cluster and the processes. `bind`: 'unix' or 'tcp'."""

    root: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="gatekeeper-installed-")))
    bind: str = "unix"
    said: str = ""
    verifier: str = ""
    http: int = field(default_factory=free_port)
    https: int = field(default_factory=free_port)
    _running: ExitStack = field(default_factory=ExitStack)
    _processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.root.chmod(0o755)
        self.server = Server(self.root / "postgres", fast=True)
        self.tcp = free_port()

    # Making it

    def make(self) -> None:
        """Do what README says. Raises InstallationError."""
        self._start_cluster()
        for name in ("systemd", "tls"):
            (self.root / name).mkdir()
        write_certificate(self.root / "tls", HOST)
        (self.root / "nginx.conf").write_text(FRAME.format(root=self.root))
        self.said = self.shell(self.script(), cwd=PROJECT)
        self.verifier = self.settings()["GATEKEEPER_LOG_VERIFIER"]

    def _start_cluster(self) -> None:
        """A cluster as the package postgresql leaves it: peers by socket, passwords by TCP."""
        self.server.start()
        for folder in {self.server.home, self.server.socket_dir}:
            folder.chmod(0o755)
        next(self.server.socket_dir.glob(".s.PGSQL.[0-9]*[0-9]")).chmod(0o777)
        (self.server.cluster / "pg_hba.conf").write_text(DEBIANS)
        (self.server.cluster / "pg_ident.conf").write_text("")
        postmaster = int((self.server.cluster / "postmaster.pid").read_text().split()[0])
        os.kill(postmaster, signal.SIGHUP)
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            if time.monotonic() > deadline:
                raise InstallationError(self.server.log.read_text()[-3000:])
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            return self.psql("SELECT 1") == "1"
        except subprocess.CalledProcessError:
            return False

    def psql(self, statement: str, database: str = "postgres") -> str:
        """As the superuser, by socket."""
        command = [
            "runuser",
            "-u",
            "postgres",
            "--",
            "psql",
            "-h",
            str(self.server.socket_dir),
            "-d",
            database,
        ]
        ended = subprocess.run([*command, "-Atqc", statement], capture_output=True, text=True, check=True)
        return ended.stdout.strip()

    def sql(self, statement: str) -> str:
        """What the database holds, past all rights; one value a line."""
        return self.psql(statement, database="gatekeeper")

    def script(self) -> str:
        """README's block with this installation's places; each must be there to be replaced."""
        text = block()
        listens = f"unix:{self.root}/run/web.sock" if self.bind == "unix" else f"127.0.0.1:{self.tcp}"
        company = '--company "Akovana LLC"'
        where = f"--database 'postgresql:///gatekeeper?host={self.server.socket_dir}' --bind {listens}"
        for readme, here in {
            "apt-get install --yes": "dpkg-query --show",
            company: f"{company} {where}",
            "psql ": f"psql -h {self.server.socket_dir} ",
            "/etc/postgresql/15/main": str(self.server.cluster),
            "/etc/systemd/system/": f"{self.root}/systemd/",
            "systemctl": ":",  # what it would start, `start` starts
            "nginx -t": f"nginx -q -t -c {self.root}/nginx.conf",
            "/etc/nginx/sites-enabled/gatekeeper": f"{self.root}/site.conf",
            "    listen [::]:80;\n": "",
            "    listen [::]:443 ssl http2;\n": "",
            "listen 80;": f"listen 127.0.0.1:{self.http};",
            "listen 443 ": f"listen 127.0.0.1:{self.https} ",
            "/etc/ssl/gatekeeper": f"{self.root}/tls",
            "proxy_pass http://unix:/run/gatekeeper/web.sock": self._passes(listens),
            **self._places(),
        }.items():
            assert readme in text, f"README's installation does not say {readme!r} any more"
            text = text.replace(readme, here)
        return text

    @staticmethod
    def _passes(listens: str) -> str:
        return f"proxy_pass http://{listens}"

    def _places(self) -> dict[str, str]:
        return {"/opt/gatekeeper": f"{self.root}/opt", "/etc/gatekeeper": f"{self.root}/etc"}

    def shell(self, script: str, cwd: Path | None = None) -> str:
        """Run a script as root would type it, stopping at the first failure; return what it said."""
        ended = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],  # noqa: S607 - the machine's own
            cwd=cwd or self.root / "opt",
            env=BARE | self._cached(),
            capture_output=True,
            text=True,
            check=False,
        )
        if ended.returncode:
            raise InstallationError(f"{ended.stdout[-3000:]}\n{ended.stderr[-3000:]}")
        return ended.stdout

    @staticmethod
    def _cached() -> dict[str, str]:
        """How this machine reaches its package registry."""
        return {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_"))}

    def manage(self, *arguments: str, file: str = "people.env") -> str:
        """A command, as README says to give one; `file`: that of its purpose."""
        found = re.search(r"^\(set -a; .*manage\.py\b(.*)\)$", readme(), re.M)
        assert found, "README does not say any more how a command is given"
        assert f"| `{file}` |" in readme()
        given = found[0].replace(found[1], f" {' '.join(arguments)}").replace("people.env", file)
        return self.shell(self._here(given))

    # What is set

    def settings(self, name: str = "web.env") -> dict[str, str]:
        return read_environment_file(self.root / "etc" / name)

    def change_settings(self, changes: Mapping[str, str | None], name: str = "web.env") -> None:
        """Set some in an environment file, as somebody with an editor would; None takes one away."""
        path = self.root / "etc" / name
        text = path.read_text(encoding="utf-8")
        for variable, value in changes.items():
            line = f'#{variable}=""' if value is None else f'{variable}="{value}"'
            pattern = re.compile(rf'^#?{variable}="(?:[^"\\]|\\.)*"$', re.M)
            assert pattern.search(text), f"{name} does not show {variable}"
            text = pattern.sub(lambda _, line=line: line, text)  # type: ignore[misc]  # mypy drops the default
        path.write_text(text, encoding="utf-8")

    def rebind(self, bind: str) -> None:
        """Listen by 'unix' or by 'tcp', as README says to change it."""
        self.bind = bind
        socket_, port = f"unix:{self.root}/run/web.sock", f"127.0.0.1:{self.tcp}"
        listens, other = (socket_, port) if bind == "unix" else (port, socket_)
        site = self.root / "site.conf"
        site.write_text(site.read_text().replace(self._passes(other), self._passes(listens)))
        trusted = "unix" if bind == "unix" else "127.0.0.1"
        self.change_settings(
            {"GUNICORN_CMD_ARGS": f"--bind {listens}", "GATEKEEPER_TRUSTED_PROXIES": trusted}
        )

    # Running it

    def enabled(self) -> list[str]:
        """The services that README starts for good."""
        found = re.findall(r"^systemctl enable --now (.+)$", block(), re.M)
        return [name for line in found for name in line.split() if not name.endswith(".timer")]

    def daily(self) -> list[str]:
        """The services that README has a timer for."""
        found = re.findall(r"^systemctl enable --now (.+)$", block(), re.M)
        return [n.removesuffix(".timer") for line in found for n in line.split() if n.endswith(".timer")]

    def start(self, until: int = 200) -> None:
        """Start what README starts, and nginx; return when the page of signing in answers so."""
        run = self.root / "run"
        run.mkdir(exist_ok=True)
        shutil.chown(run, USER, Unit.read(self._unit("gatekeeper-web")).group)
        run.chmod(0o750)
        for name in self.enabled():
            self._launch(name, *self._as_systemd(name))
        self._launch("nginx", ["nginx", "-c", f"{self.root}/nginx.conf"], BARE)
        self._wait_for(until)

    def run_once(self, name: str) -> None:
        """What a timer starts. Raises CalledProcessError."""
        command, variables = self._as_systemd(name)
        subprocess.run(command, env=variables, cwd=self.root / "opt", check=True, capture_output=True)

    def _unit(self, name: str) -> Path:
        return self.root / "systemd" / f"{name}.service"

    def _here(self, text: str) -> str:
        for readme, here in self._places().items():
            text = text.replace(readme, here)
        return text

    def _as_systemd(self, name: str) -> tuple[list[str], dict[str, str]]:
        """A unit's command and environment; what must succeed before it has."""
        unit = Unit.read(self._unit(name))
        variables = dict(BARE)
        for path in unit.environment_files:
            variables |= read_environment_file(Path(self._here(path)))
        who = ["setpriv", f"--reuid={USER}", f"--regid={unit.group}", "--clear-groups", "--no-new-privs"]
        who += ["--pdeathsig", "TERM"]
        for command in unit.before:
            ended = subprocess.run(
                [*who, *map(self._here, command)],
                env=variables,
                cwd=self.root / "opt",
                capture_output=True,
                text=True,
                check=False,
            )
            if ended.returncode:
                raise InstallationError(ended.stderr[-3000:])
        return [*who, *map(self._here, unit.command)], variables

    def _launch(self, name: str, command: list[str], variables: dict[str, str]) -> None:
        with (self.root / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                command,
                env=variables,
                cwd=self.root / "opt",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=dies_with_us(signal.SIGTERM),
            )
        self._processes[name] = process
        self._running.callback(_end, process)

    def log_of(self, name: str) -> str:
        return (self.root / f"{name}.log").read_text(errors="replace")

    def _wait_for(self, status: int) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            for name, process in self._processes.items():
                if process.poll() is not None:
                    raise InstallationError(f"{name} stopped: {self.log_of(name)[-3000:]}")
            try:
                if Visitor(self).get("/sign-in/").status == status:
                    return
            except OSError:
                pass
            time.sleep(0.1)
        raise InstallationError(f"No page after {PATIENCE} s: {self.log_of('gatekeeper-web')[-3000:]}")

    def running(self) -> set[str]:
        """Which processes run."""
        return {name for name, process in self._processes.items() if process.poll() is None}

    def stop(self) -> None:
        """End the processes; the database goes on."""
        self._running.close()
        self._processes.clear()

    def remove(self) -> None:
        self.stop()
        self.server.remove()
        shutil.rmtree(self.root, ignore_errors=True)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
