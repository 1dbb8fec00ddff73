"""The port on which the demo answers."""

from __future__ import annotations

import socket
import subprocess
import time
from http.client import HTTPConnection

from gatekeeper.demo.saying import fail
from gatekeeper.installation.addresses import LAST_PORT, is_port

PORTS = 20  # how many we try from the wanted one on
START_SECONDS = 60


def wanted_port(named: str) -> int:
    """The port that is wanted, 8000 unless one is named. Stops with a sentence where that is not a port."""
    if not named:
        return 8000
    if not is_port(named):
        fail(f"PORT is a number from 1 to {LAST_PORT}.")
    return int(named)


def free_port(wanted: int) -> int:
    """Return the wanted port on localhost, or the next that nobody listens on."""
    last = min(wanted + PORTS - 1, LAST_PORT)
    free = next((port for port in range(wanted, last + 1) if _is_free(port)), None)
    if free is None:
        fail(f"No port between {wanted} and {last} is free. PORT=… names another.")
    return free


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def wait_until_it_answers(web: subprocess.Popen[bytes], port: int) -> None:
    """Wait until the web server gives any answer; end the process where it ends or is too slow."""
    deadline = time.monotonic() + START_SECONDS
    while web.poll() is None and time.monotonic() < deadline:
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("GET", "/")
            connection.getresponse()
        except OSError:
            time.sleep(0.1)
        else:
            return
    fail("The web server did not start; its messages stand above.")
