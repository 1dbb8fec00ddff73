"""The application behind gunicorn, as `make demo` starts it, for tests and the bench."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from gatekeeper.demo.parent import die_with_parent
from gatekeeper.installation import roles
from tests import environment
from tests.world import SOON

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = Path(__file__).parents[2]


@contextmanager
def serving(application: str, variables: dict[str, str]) -> Iterator[int]:
    """Run gunicorn and give its port."""
    port = _free_port()
    process = subprocess.Popen(
        [
            sys.executable,
            *("-m", "gunicorn", application, "--bind", f"127.0.0.1:{port}"),
            *("--worker-class", "gthread", "--workers", "2", "--threads", "8"),
            # The clients wait for each other longer than the usual two seconds.
            *("--keep-alive", "30"),
            *("--log-level", "warning", "--no-control-socket"),
        ],
        cwd=PROJECT,
        env=variables,
        preexec_fn=die_with_parent(signal.SIGTERM),
    )
    try:
        _wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait(SOON)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + SOON
    while time.monotonic() < deadline:
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError("the web server did not start")


#: What no web process gets.
HIDDEN = {
    *(environment.SETUP, environment.PASSWORD, "GATEKEEPER_LOG_KEY"),
    *(f"GATEKEEPER_DATABASE_URL_{name}" for name in roles.LINKS if name not in roles.SERVING),
}


def web_environment() -> dict[str, str]:
    """The web processes' own: without the links of commands."""
    return {name: value for name, value in os.environ.items() if name not in HIDDEN}
