"""Time-based one-time passwords (RFC 6238): which step a code belongs to, and how to hand over a key."""

from __future__ import annotations

import base64
import secrets
import time
from urllib.parse import quote, urlencode

import segno
from django.utils.safestring import SafeString, mark_safe
from django_otp.oath import TOTP

STEP = 30  # seconds
DIGITS = 6
# One step either way: clocks of telephones differ, and codes are typed slowly.
TOLERANCE = 1
ISSUER = "Gatekeeper"


def new_key() -> bytes:
    """160 bits, as RFC 4226 asks for."""
    return secrets.token_bytes(20)


def matching_step(key: bytes, token: str, *, after: int) -> int | None:
    """The step whose code this is, if it is later than `after`; white space does not count."""
    digits = "".join(token.split())
    if len(digits) != DIGITS or not (digits.isascii() and digits.isdigit()):
        return None
    clock = TOTP(key, step=STEP, digits=DIGITS)
    clock.time = time.time()
    if not clock.verify(int(digits), tolerance=TOLERANCE, min_t=after + 1):
        return None
    return int(clock.t())


def current_code(key: bytes) -> str:
    """The code of now, as an application shows it: for the demo and the tests."""
    return f"{TOTP(key, step=STEP, digits=DIGITS).token():0{DIGITS}d}"


def secret_of(key: bytes) -> str:
    """The key as it is typed where a QR code cannot be read."""
    return base64.b32encode(key).decode("ascii")


def config_url(key: bytes, name: str) -> str:
    """What the QR code says. `name` is the member's number: the application's list shows it."""
    query = urlencode({"secret": secret_of(key), "issuer": ISSUER, "digits": DIGITS, "period": STEP})
    return f"otpauth://totp/{quote(f'{ISSUER}:{name}')}?{query}"


def qr(text: str) -> SafeString:
    """A QR code as inline SVG, without a style attribute: the content policy allows none.

    White is part of the drawing, so that it can be read on a dark page too.
    """
    drawing = segno.make(text, error="m").svg_inline(
        scale=4, svgclass="qr", lineclass=None, light="#fff", omitsize=True
    )
    return mark_safe(drawing)  # noqa: S308 - segno's drawing holds no text of anybody's
