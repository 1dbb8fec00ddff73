"""A receiver of the stream as a SIEM has one: HTTPS with a certificate of its own, that can be down."""

from __future__ import annotations

import json
import ssl
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def certificate(folder: Path, *names: str) -> tuple[Path, Path]:
    """A key and a certificate for 127.0.0.1, and more names, that stands for itself; their files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    ours = x509.IPAddress(ip_address("127.0.0.1"))
    began = datetime.now(tz=UTC) - timedelta(days=1)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(began)
        .not_valid_after(began + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([ours, *map(x509.DNSName, names)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    own, public = folder / "key.pem", folder / "certificate.pem"
    encoding = serialization.Encoding.PEM
    own.write_bytes(
        key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    public.write_bytes(made.public_bytes(encoding))
    return own, public


class Siem:
    """What it took, batch by batch, and what it answers: a status, or a number of bytes that it takes."""

    def __init__(self, folder: Path) -> None:
        self.batches: list[list[dict[str, Any]]] = []
        self.headers: list[dict[str, str]] = []
        self.status = 200
        self.most_bytes: int | None = None
        self.loses_answer = False
        own, self.certificate = certificate(folder)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, own)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}/in"

    @property
    def roots(self) -> str:
        return self.certificate.read_text(encoding="ascii")

    @property
    def events(self) -> list[dict[str, Any]]:
        return [one for batch in self.batches for one in batch]

    @contextmanager
    def running(self) -> Iterator[Siem]:
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        siem = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = siem.status
                if siem.most_bytes is not None and len(body) > siem.most_bytes:
                    status = 413
                if status == 200:
                    siem.batches.append([json.loads(line) for line in body.splitlines()])
                    siem.headers.append(dict(self.headers))
                if siem.loses_answer:
                    self.close_connection = True
                    return
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("Location", "https://elsewhere.example/")
                self.end_headers()

            def log_message(self, *_args: object) -> None:
                """Say nothing on the tests' output."""

        return Handler
