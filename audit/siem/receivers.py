"""Where the stream goes: a receiver by HTTPS, or a file, behind one small interface.

A receiver gets events as lines of JSON. It may get the same event twice, and tells them by `metadata.uid`.
"""

from __future__ import annotations

import http.client
import os
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Sequence

SECONDS: Final = 10
TOO_LARGE: Final = 413
LENGTH: Final = 200


class TargetError(Exception):
    """No such receiver can be had; the message says why."""


class RefusedError(OSError):
    """The receiver answered, and did not take it. `status` is its answer; what else it says is not kept."""

    def __init__(self, status: int) -> None:
        super().__init__(status, f"HTTP {status}")
        self.status = status


class Receiver(Protocol):
    """Takes lines, all or none. Raises OSError where it did not; they come again then."""

    def take(self, lines: Sequence[bytes]) -> None:
        """Take these lines; they are safe with the receiver when this returns."""


@dataclass(frozen=True)
class Https:
    """One POST a batch. No redirect is followed, no proxy asked: the target is the one that was declared.

    `token` goes as a bearer's; `roots`, PEM, is a certificate authority of the company's own.
    """

    url: str
    token: str = ""
    roots: str = ""

    def take(self, lines: Sequence[bytes]) -> None:
        """POST the lines. Raises RefusedError where the answer is not 2xx, OSError where there is none."""
        where = urlsplit(self.url)
        trusted = ssl.create_default_context(cadata=self.roots or None)
        connection = http.client.HTTPSConnection(
            where.hostname or "", where.port, timeout=SECONDS, context=trusted
        )
        headers = {"Content-Type": "application/x-ndjson"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        try:
            connection.request("POST", where.path or "/", b"".join(line + b"\n" for line in lines), headers)
            status = connection.getresponse().status
        except http.client.HTTPException as error:
            raise OSError(type(error).__name__) from error
        finally:
            connection.close()
        if not 200 <= status < 300:
            raise RefusedError(status)


@dataclass(frozen=True)
class File:
    """Lines at the end of a file, on the disk when this returns; another process may rename it meanwhile."""

    path: Path

    def take(self, lines: Sequence[bytes]) -> None:
        """Append the lines, and have them written to the disk. Raises OSError."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
        with os.fdopen(os.open(self.path, flags, 0o600), "ab") as opened:
            opened.writelines(line + b"\n" for line in lines)
            opened.flush()
            os.fsync(opened.fileno())


def receiver(name: str, *, token: str = "", roots: str = "") -> Receiver:
    """The receiver that a setting names: `https://host/path` or `file:/path`. Raises TargetError.

    The name appears in the log and on the page of checks: a secret in it is refused.
    """
    if name.startswith("file:/") and len(name) <= LENGTH:
        return File(Path(name.removeprefix("file:")))
    try:
        where = urlsplit(name)
        _port = where.port
    except ValueError:
        raise TargetError("is no address") from None
    if where.scheme != "https" or not where.hostname or len(name) > LENGTH:
        raise TargetError("is neither https://host/path nor file:/path")
    if where.username or where.password or where.query or where.fragment:
        raise TargetError("may hold neither a user nor what stands behind '?' or '#': it is shown")
    return Https(name, token, roots)
