"""A browser without a screen: follows cookies as the browsers do, and sends forms as they stand."""

from __future__ import annotations

import re
import socket
import ssl
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.client import HTTPConnection, HTTPMessage, HTTPSConnection
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.shipped.installation import Installation

HOST = "gatekeeper.akovana.test"

Fields = list[tuple[str, str]]


@dataclass
class Form:
    """A form as it stands on a page: its address, and what it would send untouched."""

    action: str
    fields: Fields = field(default_factory=list)


class _Forms(HTMLParser):
    """Collects a page's forms with what each control holds."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._textarea = ""
        self._select = ""
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append(Form(told.get("action", "")))
            self._inside = True
        if not self._inside:
            return
        name, fields = told.get("name", ""), self.found[-1].fields
        if tag == "input" and name:
            chosen = told.get("type", "text") not in ("checkbox", "radio", "submit") or "checked" in told
            if chosen:
                fields.append((name, told.get("value", "on" if told.get("type") == "checkbox" else "")))
        elif tag == "textarea":
            self._textarea = name
            fields.append((name, ""))
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and "selected" in told:
            fields.append((self._select, told.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        elif tag == "textarea":
            self._textarea = ""
        elif tag == "select":
            self._select = ""

    def handle_data(self, data: str) -> None:
        if self._textarea:
            name, text = self.found[-1].fields[-1]
            self.found[-1].fields[-1] = (name, text + data)


@dataclass
class Answer:
    """What came back. `path`: what was asked for."""

    path: str
    status: int
    headers: HTTPMessage
    text: str

    def form(self, action: str) -> Form:
        """The form that is sent to an address, or to one that begins so; '' is the page's own."""
        parser = _Forms()
        parser.feed(self.text)
        own = urlsplit(self.path).path
        for form in parser.found:
            if (form.action or own).startswith(action):
                return form
        raise AssertionError(f"{self.path} ({self.status}) has no form for {action}")


class _Https(HTTPSConnection):
    """To the test's own port, under the installation's name."""

    def __init__(self, site: Installation, host: str, source: str) -> None:
        self._context_ = ssl.create_default_context(cafile=str(site.root / "tls" / "authority.pem"))
        super().__init__(host, timeout=60, context=self._context_)
        self._port, self._source = site.https, source

    def connect(self) -> None:
        plain = socket.create_connection(("127.0.0.1", self._port), 60, (self._source, 0))
        self.sock = self._context_.wrap_socket(plain, server_hostname=self.host)


class Visitor:
    """Somebody with cookies and an address of their own."""

    def __init__(self, site: Installation, source: str = "127.0.0.1") -> None:
        self.host = HOST
        self.cookies: dict[str, str] = {}
        self._connection = _Https(site, HOST, source)

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, **headers)

    def ask(self, method: str, path: str, body: str | None = None, **headers: str) -> Answer:
        """One request. Raises OSError where nothing listens."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if method == "POST":
            sent = {"Content-Type": "application/x-www-form-urlencoded"} | sent
            sent["Origin"] = f"https://{self.host}"
        self._connection.request(method, path, body, sent)
        answer = self._connection.getresponse()
        text = answer.read().decode("utf-8", "replace")
        self._connection.close()  # the server may be another one by the next request
        self._keep(answer.headers)
        return Answer(path, answer.status, answer.headers, text)

    def _keep(self, headers: HTTPMessage) -> None:
        """Take cookies as a browser takes those whose name begins with __Host-: or refuse them."""
        for line in headers.get_all("Set-Cookie", []):
            for name, morsel in SimpleCookie(line).items():
                assert name.startswith("__Host-"), line
                assert morsel["secure"], line
                assert morsel["httponly"], line
                assert (morsel["path"], morsel["domain"]) == ("/", ""), line
                self.cookies[name] = morsel.value
                if morsel["max-age"] == "0" or not morsel.value:
                    del self.cookies[name]

    def follow(self, answer: Answer) -> Answer:
        """Where a redirect leads, on this site."""
        for _ in range(5):
            if answer.status not in (301, 302, 303):
                return answer
            to = urlsplit(answer.headers["Location"])
            assert to.netloc in ("", self.host), answer.headers["Location"]
            answer = self.get(to.path + (f"?{to.query}" if to.query else ""))
        raise AssertionError(f"{answer.path} leads round and round")

    def send(
        self, page: Answer, action: str, _headers: Mapping[str, str] | None = None, **fields: str
    ) -> Answer:
        """Send a page's form with some fields filled in, and follow where it leads."""
        form = page.form(action)
        pairs: Fields = [(name, value) for name, value in form.fields if name not in fields]
        pairs += fields.items()
        target = form.action or page.path
        return self.follow(self.ask("POST", target, urlencode(pairs), **(_headers or {})))


def plain(site: Installation, path: str, host: str) -> tuple[int, str]:
    """Ask without TLS; return the status and where it leads."""
    connection = HTTPConnection("127.0.0.1", site.http, timeout=60)
    connection.request("GET", path, headers={"Host": host})
    answer = connection.getresponse()
    answer.read()
    return answer.status, answer.headers.get("Location", "")


def secret_of(page: Answer) -> str:
    """The key of an authenticator application, as the page shows it for typing."""
    found = re.search(r"<code[^>]*>\s*([A-Z2-7]{32})\s*</code>", page.text)
    assert found, f"{page.path} shows no key"
    return found[1]
