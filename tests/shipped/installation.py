"""An installation of production mode, made by README's own command block in a folder of its own. README is
gatekeeper/installation/README.md here.

What is the machine's stays the machine's: packages are looked for and not installed, PostgreSQL is a
throw-away cluster with Debian's own rules of who gets in, and what systemd would start from the
units is started here, as systemd would: with the environment files, the user and the command that stand in
the unit, and nothing else. For the users that README adds stand such as every Debian has, so that
PostgreSQL knows each process by its own. The name is README's; ports are those that are free.
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
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gatekeeper.demo.postgres import Server
from tests.shipped.certificate import write_certificate
from tests.shipped.processes import BARE, STAND_INS, InstallationError, Processes, as_user
from tests.shipped.units import read_environment_file
from tests.shipped.visitor import HOST, Visitor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

PROJECT = Path(__file__).resolve().parents[2]
PATIENCE = 90  # seconds that a start may take on a busy machine
#: pg_hba.conf as Debian makes it.
DEBIANS = """\
local all postgres peer
local all all peer
host all all 127.0.0.1/32 scram-sha-256
host all all ::1/128 scram-sha-256
"""
#: Says as which roles it gets in.
TRIES = """
import sys, psycopg
host, port, password, *roles = sys.argv[1:]
for role in roles:
    try:
        psycopg.connect(host=host, port=port, dbname="gatekeeper", user=role, password=password).close()
    except psycopg.OperationalError:
        continue
    print(role)
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


def readme() -> str:
    return (PROJECT / "gatekeeper/installation/README.md").read_text(encoding="utf-8")


def block(name: str = "installation") -> str:
    """README's commands between its markers; by default from the clone to the first sign-in."""
    found = re.search(rf"<!-- {name} -->\n```sh\n(.*?)```\n<!-- /{name} -->", readme(), re.DOTALL)
    assert found, f"README has no {name} between its markers"
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

    def __post_init__(self) -> None:
        self.root.chmod(0o755)
        self.processes = Processes(self.root)
        self.port = free_port()
        listens = {"listen_addresses": "127.0.0.1", "port": str(self.port)}  # as Debian's does
        self.server = Server(self.root / "postgres", fast=True, settings=listens)
        self.tcp = free_port()

    # Making it

    def make(self) -> None:
        """Do what README says. Raises InstallationError."""
        self._start_cluster()
        for name in ("systemd", "tls", "users/etc"):
            (self.root / name).mkdir(parents=True)
        for name in ("passwd", "group", "shadow", "gshadow"):
            (self.root / "users" / "etc" / name).touch()
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
        self.until(self._answers)

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait for what has to come. Raises InstallationError where it does not."""
        deadline = time.monotonic() + PATIENCE
        while not holds():
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
            "-p",
            str(self.port),
            "-d",
            database,
        ]
        ended = subprocess.run([*command, "-Atqc", statement], capture_output=True, text=True, check=True)
        return ended.stdout.strip()

    def sql(self, statement: str) -> str:
        """What the database holds, past all rights; one value a line."""
        return self.psql(statement, database="gatekeeper")

    def welcome(self, user: str, tried: Iterable[str], *, host: str = "", password: str = "") -> set[str]:
        """As which of the roles PostgreSQL lets a user of the system in; by socket, or at another host."""
        given = [host or str(self.server.socket_dir), str(self.port), password, *tried]
        ended = subprocess.run(
            [*as_user(user), self.root / "opt/.venv/bin/python", "-c", TRIES, *given],
            env=BARE,
            cwd=self.root,
            capture_output=True,
            text=True,
            check=True,
        )
        return set(ended.stdout.split())

    def script(self) -> str:
        """README's block with this installation's places; each must be there to be replaced."""
        listens = self._listens(self.bind)
        company = '--company "Akovana LLC"'
        database = f"postgresql:///gatekeeper?host={self.server.socket_dir}&port={self.port}"
        standing_in = ";".join(f"s/^(gatekeeper) {own} /\\1 {other} /" for own, other in STAND_INS.items())
        replaced = {
            "apt-get install --yes": "dpkg-query --show",
            "useradd ": f"useradd --prefix {self.root}/users ",
            "cat /etc/gatekeeper/pg_ident.conf": f"sed -E '{standing_in}' {self.root}/etc/pg_ident.conf",
            company: f"{company} --database '{database}' --bind {listens}",
            "nginx -t": f"nginx -q -t -c {self.root}/nginx.conf",
            "    listen [::]:80;\n": "",
            "    listen [::]:443 ssl http2;\n": "",
            "listen 80;": f"listen 127.0.0.1:{self.http};",
            "listen 443 ": f"listen 127.0.0.1:{self.https} ",
            "/etc/ssl/gatekeeper": f"{self.root}/tls",
            "proxy_pass http://unix:/run/gatekeeper/web.sock": self._passes(listens),
        }
        return self._replaced(block(), replaced | self._machines() | self.processes.places())

    def apart(self) -> None:
        """Let messages be taken by a process of their own, as README says."""
        self.processes.stop()
        line = "gatekeeper {} gatekeeper_feed"
        standing_in = {line.format("gatekeeper"): line.format(STAND_INS["gatekeeper"])}
        text = self._replaced(block("apart"), standing_in | self._machines())
        self.shell(self.processes.here(text))

    def _machines(self) -> dict[str, str]:
        """What README's blocks do with the machine, and what is done here instead."""
        return {
            "psql ": f"psql -h {self.server.socket_dir} -p {self.port} ",
            "/etc/postgresql/15/main": str(self.server.cluster),
            "/etc/systemd/system/": f"{self.root}/systemd/",
            "systemctl": ":",  # what it would start, `start` starts
            "/etc/nginx/sites-enabled/gatekeeper": f"{self.root}/site.conf",
        }

    @staticmethod
    def _replaced(text: str, by: Mapping[str, str]) -> str:
        for readme, here in by.items():
            assert readme in text, f"README does not say {readme!r} any more"
            text = text.replace(readme, here)
        return text

    @staticmethod
    def _passes(listens: str) -> str:
        return f"proxy_pass http://{listens}"

    def _listens(self, bind: str) -> str:
        return f"unix:{self.root}/run/gatekeeper/web.sock" if bind == "unix" else f"127.0.0.1:{self.tcp}"

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
        return self.shell(self.processes.here(given))

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
        listens, other = self._listens(bind), self._listens("tcp" if bind == "unix" else "unix")
        site = self.root / "site.conf"
        site.write_text(site.read_text().replace(self._passes(other), self._passes(listens)))
        trusted = "unix" if bind == "unix" else "127.0.0.1"
        self.change_settings(
            {"GUNICORN_CMD_ARGS": f"--bind {listens}", "GATEKEEPER_TRUSTED_PROXIES": trusted}
        )

    # Running it

    def enabled(self, *blocks: str) -> list[str]:
        """The services that README starts for good, by its installation or by more."""
        said = "".join(map(block, ("installation", *blocks)))
        found = re.findall(r"^systemctl enable --now (.+)$", said, re.M)
        return [name for line in found for name in line.split() if not name.endswith(".timer")]

    def daily(self) -> list[str]:
        """The services that README has a timer for."""
        found = re.findall(r"^systemctl enable --now (.+)$", block(), re.M)
        return [n.removesuffix(".timer") for line in found for n in line.split() if n.endswith(".timer")]

    def start(self, *blocks: str, until: int = 200) -> None:
        """Start what README starts, and nginx; return when the page of signing in answers so."""
        for name in self.enabled(*blocks):
            self.processes.start(name)
        self.processes.launch("nginx", ["nginx", "-c", f"{self.root}/nginx.conf"])
        self._wait_for(until)

    def _wait_for(self, status: int) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            self.processes.judge()
            try:
                if Visitor(self).get("/sign-in/").status == status:
                    return
            except OSError:
                pass
            time.sleep(0.1)
        raise InstallationError(
            f"No page after {PATIENCE} s: {self.processes.log_of('gatekeeper-web')[-3000:]}"
        )

    def remove(self) -> None:
        self.processes.stop()
        self.server.remove()
        shutil.rmtree(self.root, ignore_errors=True)
