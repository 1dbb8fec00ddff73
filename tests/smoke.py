"""A smoke run of a demo that runs: `python -m tests.smoke http://localhost:8000`.

Speaks HTTP and the demo's own commands only, as a newcomer would; raises on the first surprise.
"""

from __future__ import annotations

import re
import subprocess
import sys
from http.client import HTTPConnection, HTTPResponse
from urllib.parse import urlsplit

TICKET = "ZD-10401"


class SurpriseError(Exception):
    """Something answered otherwise than it should."""


def expect(holds: object, what: str) -> None:
    if not holds:
        raise SurpriseError(what)
    sys.stdout.write(f"ok  {what}\n")


def ask(host: str, method: str, path: str, body: str = "") -> tuple[HTTPResponse, str]:
    connection = HTTPConnection(host, timeout=30)
    connection.request(method, path, body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    return answer, answer.read().decode()


def make(*arguments: str) -> str:
    """Run a target, and return what it said. Raises CalledProcessError."""
    return subprocess.run(
        ["make", "--silent", *arguments],  # noqa: S607 - the make of the machine
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def smoke(host: str) -> None:
    home, _ = ask(host, "GET", "/")
    sign_in = home.getheader("Location", "")
    expect(home.status == 302 and sign_in, "a stranger is sent to the sign-in")
    page, text = ask(host, "GET", sign_in)
    expect(page.status == 200 and 'type="password"' in text, "the sign-in asks for a password")
    expect("__Host-csrftoken" in page.getheader("Set-Cookie", ""), "the token's cookie is bound to the host")
    expect(
        "default-src 'none'" in page.getheader("Content-Security-Policy", ""), "the content policy is strict"
    )
    expect(page.getheader("Cache-Control") == "no-store", "the page is not stored")
    style = re.search(r'href="(/static/[^"]+\.css)"', text)
    expect(style and ask(host, "GET", style[1])[0].status == 200, "the style sheet is served")
    expect(
        ask(host, "POST", "/api/tickets", "{}")[0].status in {400, 401, 403}, "an unsigned ticket is refused"
    )
    expect(re.fullmatch(r"\d{6}", make("code", "MEMBER=K-0193").strip()), "make code prints a code")
    expect("solved" in make("ticket", f"NUMBER={TICKET}", "STATE=solved"), "make ticket solves a ticket")
    make("ticket", f"NUMBER={TICKET}", "STATE=open")


if __name__ == "__main__":
    smoke(urlsplit(sys.argv[1]).netloc)
