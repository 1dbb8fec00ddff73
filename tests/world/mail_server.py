"""A small SMTP server: with STARTTLS, with TLS from the first byte, or with neither. It keeps what it was
sent in clear apart from what came encrypted."""

from __future__ import annotations

import base64
import socketserver
import ssl
import threading
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: How many bytes a server that drips sends before what it has to say, and the seconds after each.
DRIPS = 200
DRIP = 0.02


class MailServer:
    """`kind`: 'starttls', 'implicit' or 'none'. `clear` and `encrypted`: every line that came, in order;
    `mails`: what it took. `manner`: '' takes every mail; 'hangs' accepts a connection and says nothing;
    'closes' it without a word; 'drips' its greeting a byte at a time; 'drawls' in the same way of each
    recipient, and 'lingers' over its farewell; 'refuses' each recipient; 'puts off' each for a while;
    'declines' each mail once it has it; 'drops' the connection while it gets one. `parted`: how many clients
    it said farewell to, `connected`: how many came."""

    def __init__(self, kind: str, certificate: tuple[Path, Path], manner: str = "") -> None:
        self.kind = kind
        self.manner = manner
        self.held = threading.Semaphore(0)
        self.holding = 0
        self.connected = 0
        self.parted = 0
        self.clear: list[str] = []
        self.encrypted: list[str] = []
        self.mails: list[str] = []
        own, public = certificate
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(public, own)
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), partial(_Conversation, self))
        self._server.daemon_threads = True  # a client that never parts holds up no test

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def logins(self) -> list[str]:
        """User and password of each AUTH PLAIN that came encrypted."""
        plain = [line.split(" ")[2] for line in self.encrypted if line.startswith("AUTH PLAIN ")]
        return [base64.b64decode(one).decode().replace("\0", ":").strip(":") for one in plain]

    @contextmanager
    def running(self) -> Iterator[MailServer]:
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()


class _Conversation(socketserver.BaseRequestHandler):
    """One client."""

    def __init__(self, mail: MailServer, *given: Any) -> None:
        self.mail = mail
        super().__init__(*given)

    def handle(self) -> None:
        self.mail.connected += 1
        try:
            if self.mail.manner == "closes":
                return
            if self.mail.manner == "hangs":
                self._hold()
                return
            if self.mail.kind == "implicit":
                self._encrypt()
            else:
                self._begin(self.mail.clear)
            self._greet()
            while self._answer(self._line()):
                pass
        except OSError:  # a client that went, or that did not believe the certificate
            return

    def _hold(self) -> None:
        """Say nothing until the client goes."""
        self.mail.holding += 1
        self.mail.held.release()
        try:
            self.request.recv(1)
        finally:
            self.mail.holding -= 1

    def _greet(self) -> None:
        if self.mail.manner == "drips":
            self._drip(220)
        self._say("220 mail.test")

    def _drip(self, code: int) -> None:
        """Begin an answer that would be taken once it has come whole."""
        self.request.sendall(f"{code}-".encode())
        for _ in range(DRIPS):
            self.request.sendall(b".")
            threading.Event().wait(DRIP)
        self.request.sendall(b"\r\n")

    def _begin(self, kept: list[str]) -> None:
        self.lines, self.kept = self.request.makefile("rb"), kept

    def _encrypt(self) -> None:
        self.request: Any = self.mail.context.wrap_socket(self.request, server_side=True)
        self._begin(self.mail.encrypted)

    def _say(self, text: str) -> None:
        self.request.sendall(f"{text}\r\n".encode())

    def _line(self) -> str:
        line = self.lines.readline().decode("latin-1").rstrip("\r\n")
        self.kept.append(line)
        return str(line)

    def _take(self) -> bool:
        """Get a mail, and answer; whether another line is waited for."""
        self._say("354 go ahead")
        if self.mail.manner == "drops":
            return False
        text = "\n".join(iter(self._line, "."))
        if self.mail.manner == "declines":
            self._say("554 not this one")
        else:
            self.mail.mails.append(text)
            self._say("250 taken")
        return True

    def _answer(self, line: str) -> bool:
        """Answer one line; whether another one is waited for."""
        verb = line.upper().partition(" ")[0]
        dripped = {("RCPT", "drawls"): 250, ("QUIT", "lingers"): 221}.get((verb, self.mail.manner))
        if dripped:
            self._drip(dripped)
        if verb == "STARTTLS" and self.mail.kind == "starttls":
            self._say("220 go ahead")
            self._encrypt()
        elif verb == "RCPT" and self.mail.manner in ("refuses", "puts off"):
            self._say("550 nobody here" if self.mail.manner == "refuses" else "451 greylisted, try later")
        elif verb == "DATA":
            return self._take()
        elif verb == "EHLO":
            offers = self.mail.kind == "starttls" and self.kept is self.mail.clear
            self._say(f"250-mail.test\r\n{'250-STARTTLS' if offers else '250-8BITMIME'}\r\n250 AUTH PLAIN")
        else:
            self._say({"AUTH": "235 welcome", "QUIT": "221 bye"}.get(verb, "250 ok"))
        self.mail.parted += verb == "QUIT"
        return verb not in ("QUIT", "")
