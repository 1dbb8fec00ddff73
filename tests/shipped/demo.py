"""The demo as `make demo` starts it: its own process, its own folder, no setting of the tests' own."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from gatekeeper.demo.parent import die_with_parent
from gatekeeper.demo.postgres import Server
from tests.shipped.words import read

if TYPE_CHECKING:
    from playwright.sync_api import APIResponse, BrowserContext, Page

PROJECT = Path(__file__).resolve().parent.parent.parent
#: What a busy machine may take to load the samples.
START_SECONDS = 180
#: The first port that a demo of the tests takes; each worker of the suite has a few of its own.
PORT = 8710
PORTS_OF_A_WORKER = 4
ADDRESS = re.compile(r"http://localhost:\d+")
#: A server may close a connection that it kept open just when it is used again.
AGAIN = 3
#: A line of the table that the demo prints: number, name, roles, e-mail, password.
ROW = re.compile(r"^  (K-\d{4}) {2,}(.+?) {2,}(.+?) {2,}(\S+@\S+) {2,}(.+)$", re.M)


@dataclass(frozen=True)
class Persona:
    """Who can sign in, as the demo says it."""

    number: str
    name: str
    roles: tuple[str, ...]
    email: str
    password: str


class Shipped:
    """A demo that was started in a folder, and what it said."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def said(self) -> str:
        return self._said.read_text("utf-8")

    @property
    def _said(self) -> Path:
        return self.home.with_suffix(".said")

    @property
    def origin(self) -> str:
        found = ADDRESS.search(self.said)
        assert found is not None, self.said
        return found[0]

    @property
    def personas(self) -> dict[str, Persona]:
        """By number, everybody whom the demo names."""
        return {
            row[0]: Persona(row[0], row[1], tuple(row[2].split(", ")), row[3], row[4])
            for row in ROW.findall(self.said)
        }

    def start(self) -> None:
        """Start it, and wait until it says where it is. Raises AssertionError with what it said."""
        with self._said.open("wb") as said:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "gatekeeper.demo"],
                cwd=PROJECT,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGINT),
            )
        deadline = time.monotonic() + START_SECONDS
        while not ADDRESS.search(self.said):
            assert self._process.poll() is None, self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(0.05)

    def stop(self) -> int:
        """Stop it as Ctrl-C does, and return its exit status."""
        if self._process is None:
            return 0
        process, self._process = self._process, None
        os.killpg(process.pid, signal.SIGINT)
        return process.wait(START_SECONDS)

    def command(self, *arguments: str) -> str:
        """Carry out one of the demo's commands, and return what it said. Raises AssertionError."""
        done = subprocess.run(
            [sys.executable, "-m", "gatekeeper.demo", *arguments],
            cwd=PROJECT,
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{arguments}: {done.stderr} {self.said}"
        return done.stdout.strip()

    def copied_to(self, home: Path) -> Shipped:
        """A demo of its own with the data of this one, which must stand."""
        copy = Shipped(home)
        _copy(self.home, home)
        ours, theirs = (Server(each / "postgres").home for each in (self.home, home))
        if ours.parent != self.home:
            _copy(ours, theirs)
        return copy

    def remove(self) -> None:
        """Stop it, and delete what it kept."""
        self.stop()
        Server(self.home / "postgres").remove()
        shutil.rmtree(self.home, ignore_errors=True)
        self._said.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # other demos are still there
            self.home.parent.rmdir()

    def sign_in(self, page: Page, number: str) -> None:
        """Through the pages, in whatever language they are: the password, then the one-time code."""
        self.type_password(page, number)
        page.locator("input[name=code]").fill(self.command("code", number))
        page.locator("main form button.primary").click()
        page.wait_for_url(f"{self.origin}/")

    def type_password(self, page: Page, number: str) -> None:
        """The first half of signing in."""
        persona = self.personas[number]
        page.goto(self.origin)
        page.locator("input[name=email]").fill(persona.email)
        page.locator("input[name=password]").fill(persona.password)
        page.locator("main form button").click()
        page.locator("input[name=code]").wait_for()

    def _environment(self) -> dict[str, str]:
        kept = {name: text for name, text in os.environ.items() if not name.startswith("GATEKEEPER_")}
        kept.pop("DJANGO_SETTINGS_MODULE", None)
        if "GATEKEEPER_POSTGRES" in os.environ:
            kept["GATEKEEPER_POSTGRES"] = os.environ["GATEKEEPER_POSTGRES"]
        worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
        return kept | {
            "GATEKEEPER_DATA_DIR": str(self.home),
            "PORT": str(PORT + worker * PORTS_OF_A_WORKER),
        }


def _copy(one: Path, other: Path) -> None:
    """With owners and rights: the database's files belong to another user."""
    other.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "--archive", one, other], check=True)  # noqa: S607 - the system's


def folder() -> Path:
    """A folder for demos; the database's user must be able to pass through it."""
    made = Path(tempfile.mkdtemp(prefix="gatekeeper-shipped-"))
    made.chmod(0o711)
    return made


def post(context: BrowserContext, page: str, address: str, **fields: str | list[str]) -> str:
    """Send a form of a page by HTTP, and return the answer's text; fails where it was refused."""
    answer = send(context, page, address, **fields)
    assert answer.status < 400, f"{address}: {answer.status} {read(answer.text()).said}"
    return answer.text()


def send(context: BrowserContext, page: str, address: str, **fields: str | list[str]) -> APIResponse:
    """The same, whatever comes of it."""
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', get(context, page).text())
    assert token is not None, f"{page} has no form"
    form = urlencode({"csrfmiddlewaretoken": token[1], **fields}, doseq=True)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return context.request.post(address, data=form, headers=headers, max_redirects=0, max_retries=AGAIN)


def get(context: BrowserContext, address: str, *, redirects: int = 20) -> APIResponse:
    """Ask for an address with the browser's cookies, following so many redirects."""
    return context.request.get(address, max_redirects=redirects, max_retries=AGAIN)
