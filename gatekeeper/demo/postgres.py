"""A PostgreSQL of our own launching, for the demo, for tests and for development.

The server listens on a private Unix socket alone, asks for a password, keeps no statement and no
parameter in its log, and does not outlive the process that started it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import IO
from urllib.parse import quote

from gatekeeper.demo import cluster_files
from gatekeeper.demo.binaries import (
    Account,
    Binaries,
    PostgresUnavailableError,
    bare_environment,
    find_binaries,
    readable,
)
from gatekeeper.demo.cluster_place import home_of, make_folder, socket_folder
from gatekeeper.demo.parent import die_with_parent
from gatekeeper.demo.saying import AFRESH, damage
from gatekeeper.demo.server_settings import FAST, SETTINGS

SUPERUSER = "postgres"
START_SECONDS = 60
STOP_SECONDS = 30


class Server:
    """One cluster in `data_dir`, which belongs to it alone, started and stopped by us.

    `fast=True` gives up durability, for clusters that are thrown away; tests that kill use the
    default. `settings` adds to the server's settings, or overrides them. `home` says where the
    files really lie (see `home_of`).
    """

    def __init__(self, data_dir: Path, *, fast: bool = False, settings: dict[str, str] | None = None) -> None:
        self.home = home_of(data_dir.absolute())
        self.cluster = self.home / "cluster"
        self.log = self.home / "server.log"
        self.socket_dir = socket_folder(self.home)
        self._account = Account.choose(self.cluster)
        self._fast = fast
        self._settings = SETTINGS | (FAST if fast else {}) | (settings or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: IO[str] | None = None

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # Where it is

    def url(self, role: str, password: str, database: str) -> str:
        """Return the address of a database for a role; works whether or not we started it."""
        login = f"{quote(role, safe='')}:{quote(password, safe='')}"
        return f"postgresql://{login}@/{quote(database, safe='')}?host={quote(str(self.socket_dir))}"

    def setup_url(self, database: str = "postgres") -> str:
        """Return the superuser's address: for setting up and for tests, never for the app.

        Raises PostgresUnavailableError where their password cannot be read.
        """
        try:
            password = self._password_file.read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            password = ""
        if not password:
            raise PostgresUnavailableError(damage(self._password_file, "no password can be read in it"))
        return self.url(SUPERUSER, password, database)

    @property
    def _password_file(self) -> Path:
        return self.home / "superuser.password"

    @property
    def is_running(self) -> bool:
        """Tell whether a server serves this cluster, whoever started it."""
        return cluster_files.is_served(self.cluster)

    # Start

    def start(self) -> None:
        """Make the cluster if there is none, start the server and wait until it answers.

        Raises PostgresUnavailableError where there are no binaries, where another process serves
        this cluster, where one of its files is damaged, or where the server does not start.
        """
        if self._process is not None:
            return
        try:
            self._start()
        except (FileExistsError, NotADirectoryError, IsADirectoryError, PermissionError) as error:
            path, why = Path(error.filename or self.home), error.strerror or "it cannot be used"
            raise PostgresUnavailableError(damage(path, why)) from None

    def _start(self) -> None:
        make_folder(self.home, self._account)
        self._take_lock()
        try:
            cluster_files.clear_remains(self.cluster, self.socket_dir, seconds=STOP_SECONDS)
            binaries = readable(find_binaries(major=cluster_files.major(self.cluster)), self._account)
            make_folder(self.socket_dir, self._account)
            if not self.cluster.exists():
                self._initialise(binaries)
            self._launch(binaries)
        except BaseException:
            self.stop()
            raise

    def _take_lock(self) -> None:
        """Hold the cluster for as long as we live; a killed holder lets go by itself."""
        self._lock = (self.home / "lock").open("a")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            self._lock = None
            raise PostgresUnavailableError(
                f"Another process is running the database in {self.home}; stop it first."
            ) from None

    def _initialise(self, binaries: Binaries) -> None:
        """Make the cluster beside its place and move it there whole: a kill leaves no half."""
        fresh = self.home / "cluster.new"
        shutil.rmtree(fresh, ignore_errors=True)
        self._password_file.unlink(missing_ok=True)
        self._password_file.touch(mode=0o600)
        self._password_file.write_text(secrets.token_urlsafe(24) + "\n")
        if not self._account.is_us:
            os.chown(self._password_file, self._account.uid, self._account.gid)
        command: list[str | Path] = [
            binaries.folder / "initdb",
            f"--pgdata={fresh}",
            f"--username={SUPERUSER}",
            f"--pwfile={self._password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--data-checksums",
            *(["--no-sync"] if self._fast else []),
        ]
        try:
            self._account.run(command, cwd=self.home)
        except subprocess.CalledProcessError as error:
            raise PostgresUnavailableError(f"initdb failed: {error.stderr.strip()}") from None
        fresh.rename(self.cluster)

    def _launch(self, binaries: Binaries) -> None:
        options = self._settings | {"unix_socket_directories": str(self.socket_dir)}
        command: list[str | Path] = [binaries.folder / "postgres", "-D", self.cluster]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        with self.log.open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 - our own arguments, no shell
                command,
                cwd=self.home,
                env=bare_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C on the terminal is ours to handle, in our order
                preexec_fn=die_with_parent(signal.SIGINT),  # the fast shutdown
                **self._account.switch(),
            )
        self._process = process
        self._wait_until_ready(process)

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            if cluster_files.status(self.cluster) == "ready":
                return
            time.sleep(0.02)
        raise PostgresUnavailableError(
            f"PostgreSQL did not start; its log says:\n{self._tail()}\n"
            f"If its files in {self.cluster} are damaged: {AFRESH}"
        )

    def _tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-8:])

    # Stop

    def stop(self) -> None:
        """End all connections, write everything out and stop; harmless when nothing runs."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.send_signal(signal.SIGQUIT)
                self._process.wait()
        self._let_go()

    def kill(self) -> None:
        """Kill the whole server at once, as a power cut would; `start()` recovers."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        while occupants := cluster_files.occupants(self.cluster):
            for number in occupants:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(number, signal.SIGKILL)
        self._let_go()

    def remove(self) -> None:
        """Stop, and delete the cluster with all that it holds."""
        self.stop()
        if self.socket_dir.parent != self.home:
            shutil.rmtree(self.socket_dir, ignore_errors=True)
        shutil.rmtree(self.home, ignore_errors=True)

    def _let_go(self) -> None:
        self._process = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None
