"""Messages signed after Standard Webhooks, read as a stream of bytes.

A message is authentic or not whatever it holds: in another encoding, in chunks, longer than anything
that can be used. So the signature is verified over the bytes as they arrive, while only the beginning
of a long one is kept. (The specification's own library decodes a message before it verifies it.)
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import wraps
from http import HTTPStatus
from typing import Final

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from audit.database import call
from gatekeeper.feeds.byte_lines import LONGEST_LINE
from gatekeeper.feeds.connection import ALIAS
from gatekeeper.feeds.records import RefusedError

#: Bytes of a message that are kept; nothing that can be used is longer.
KEPT: Final = LONGEST_LINE
#: Bytes of a message that are read at all.
LONGEST: Final = 8 * 1024 * 1024
#: The sender's clock and ours may differ by this.
TOLERANCE: Final = timedelta(minutes=5)

_CHUNK: Final = 64 * 1024
# Without a dot, which separates the parts of what is signed.
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")
_TIMESTAMP: Final = re.compile(r"[0-9]{1,11}")


View = Callable[..., HttpResponseBase]


class AnswerError(Exception):
    """A message is not taken: status, reason, and what else the answer says."""

    def __init__(self, status: HTTPStatus, reason: str, **more: object) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.more = more


@dataclass(frozen=True)
class Message:
    """An authentic message. `body`: what was kept of it; `is_whole`: that is all of it; `digest`: SHA-256
    over all of it, in hexadecimal."""

    webhook_id: str
    digest: str
    sent_at: datetime
    body: bytes
    is_whole: bool


def answers(view: Callable[..., dict[str, object]]) -> View:
    """Make an address of a function that returns its answer or raises AnswerError. It comes with a
    signature instead of a session, so that sign-in and the CSRF token do not apply."""

    @wraps(view)
    def answer(request: HttpRequest, *args: str, **kwargs: str) -> JsonResponse:
        try:
            return JsonResponse(view(request, *args, **kwargs))
        except AnswerError as error:
            return JsonResponse({"reason": error.reason, **error.more}, status=error.status)

    return csrf_exempt(login_not_required(answer))


def taken_before(message: Message, source: str) -> bool:
    """Take the identifier. A second delivery waits here for the first, and then has no effect.

    Raises RefusedError where another message came under this identifier: a sender whose identifiers are
    not its own would close nothing, and be told that all is well.
    """
    taken = call(
        "gatekeeper.take_delivery",
        source=source,
        webhook=message.webhook_id,
        digest=message.digest,
        using=ALIAS,
    )
    if taken == "another":
        raise RefusedError("webhook-id: another message came under it")
    return str(taken) == "replayed"


def read(request: HttpRequest, secret: str, listener: Callable[[bytes], object] | None = None) -> Message:
    """Read and verify a message; `listener` hears every chunk of it, before it is known to be authentic.

    Raises AnswerError: 401 without a valid signature of now, 411 where such a message came without the
    length of its body, 413 beyond what is read, 400 where the body breaks off.
    """
    length = request.META.get("CONTENT_LENGTH") or ""
    if length and not (length.isdecimal() and int(length) <= LONGEST):
        raise AnswerError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body: too long")
    webhook_id, timestamp, signature = (
        request.headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature")
    )
    if not (_ID.fullmatch(webhook_id) and _TIMESTAMP.fullmatch(timestamp)):
        raise AnswerError(HTTPStatus.UNAUTHORIZED, "webhook-id, webhook-timestamp: not of their form")
    sent_at = datetime.fromtimestamp(int(timestamp), UTC)
    signed = hmac.new(_key(secret), f"{webhook_id}.{timestamp}.".encode(), hashlib.sha256)
    whole = hashlib.sha256()
    kept, size = bytearray(), 0
    for chunk in _chunks(request):
        signed.update(chunk)
        whole.update(chunk)
        kept += chunk[: KEPT - len(kept)]
        size += len(chunk)
        if listener:
            listener(chunk)
    if abs(timezone.now() - sent_at) > TOLERANCE or not _is_signed(signature, signed.digest()):
        if not length and not size:
            raise AnswerError(HTTPStatus.LENGTH_REQUIRED, "body: neither Content-Length nor chunked")
        raise AnswerError(HTTPStatus.UNAUTHORIZED, "signature: not valid, or not of now")
    return Message(webhook_id, whole.hexdigest(), sent_at, bytes(kept), is_whole=size <= KEPT)


def _key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix("whsec_") + "==")


def _is_signed(given: str, digest: bytes) -> bool:
    """Whether one of the signatures that were given, each with its version, is the right one."""
    expected = b"v1," + base64.b64encode(digest)
    return any(hmac.compare_digest(one.encode(), expected) for one in given.split(" "))


def _chunks(request: HttpRequest) -> Iterator[bytes]:
    """The body in pieces. Django itself reads none whose length is not told; a server that knows where
    a body ends, chunked ones included, says so by `wsgi.input_terminated`."""
    terminated = request.META.get("wsgi.input_terminated")
    read = request.META["wsgi.input"].read if terminated else request.read
    left = LONGEST
    while True:
        try:
            chunk = read(_CHUNK)
        except Exception:  # noqa: BLE001 - each server has errors of its own for a body that breaks off
            raise AnswerError(HTTPStatus.BAD_REQUEST, "body: breaks off") from None
        if not chunk:
            return
        left -= len(chunk)
        if left < 0:
            raise AnswerError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body: too long")
        yield chunk
