"""Addresses out of settings and requests, in their one form (RFC 3986 §6.2.2 and §6.2.3), as browsers write
an origin: scheme and host in small letters, an international name in its ASCII form, no default port.

No error repeats what was given: an address may hold a password.
"""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from django.utils.encoding import punycode

LAST_PORT: Final = 65_535
DEFAULT_PORTS: Final = {"http": 80, "https": 443}
# Of a host name and no other kind of registered name (RFC 1123 §2.1); PostgreSQL's and Docker's have '_'.
_LABEL: Final = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME: Final = re.compile(rf"(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})*")
# Letters that the older and the newer IDNA make into different names.
_TWO_NAMES: Final = re.compile("[\u00df\u1e9e\u03c2\u200c\u200d]")
_BROKEN_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")


class AddressError(ValueError):
    """What was given is no such address; the message says why, and repeats nothing of it."""


def is_port(text: str) -> bool:
    """Whether this is the number of a port."""
    return text.isascii() and text.isdigit() and 0 < int(text[:6]) <= LAST_PORT


def _in_ascii(name: str) -> str:
    if name.isascii():
        return name
    if _TWO_NAMES.search(name):
        raise AddressError("has a name that must be written in its ASCII form, xn--…")
    try:
        return punycode(name)
    except UnicodeError:
        raise AddressError("has a name that is none") from None


def host(text: str) -> str:
    """A host name or address in its one form, an IPv6 address in brackets. Raises AddressError."""
    if text.startswith("[") and text.endswith("]"):
        try:
            return f"[{IPv6Address(text[1:-1])}]"
        except ValueError:
            raise AddressError("has an IPv6 address that is none") from None
    name = _in_ascii(_decoded(text).removesuffix(".")).lower()
    if not _NAME.fullmatch(name):
        raise AddressError("has no name of a host")
    return name


def origin(text: str, schemes: Container[str]) -> str:
    """Scheme, host and port of a site, as a browser writes its origin. Raises AddressError."""
    parts = _split(text)
    if parts.scheme not in schemes:
        raise AddressError("has another scheme")
    if parts.username is not None or parts.path not in ("", "/") or "?" in text or "#" in text:
        raise AddressError("has more than a scheme, a host and a port")
    return f"{parts.scheme}://{authority(_host_of(parts), parts.port, parts.scheme)}"


def authority(name: str, port: int | None, scheme: str) -> str:
    """Host and port, without the port that a scheme has anyway."""
    return name if port in (None, DEFAULT_PORTS.get(scheme)) else f"{name}:{port}"


def is_web_page(text: str) -> bool:
    """Whether it is the https address of a page, that holds no user or password."""
    try:
        parts = _split(text)
        return parts.scheme == "https" and parts.username is None and bool(_host_of(parts))
    except AddressError:
        return False


def served_host(text: str) -> str:
    """A host as `ALLOWED_HOSTS` compares it: without a port, with the dot in front that stands for all
    below. Raises AddressError."""
    if any(sign in text for sign in "/?#@\\"):
        raise AddressError("holds an address, where names belong")
    below = "." if text.startswith(".") else ""
    parts = _split(f"//{text.removeprefix('.')}")
    return below + _host_of(parts)


def sent_host(text: str, scheme: str) -> str:
    """The Host header of a request in its one form; as it came where it cannot be read, to be refused."""
    try:
        parts = _split(f"//{text}")
        if parts.path or parts.username is not None:
            return text
        return authority(_host_of(parts), parts.port, scheme)
    except AddressError:
        return text


def sent_origin(text: str) -> str:
    """The Origin header of a request in its one form; as it came where it cannot be read."""
    try:
        return origin(text, DEFAULT_PORTS)
    except AddressError:
        return text


@dataclass(frozen=True)
class MailServer:
    """Where mail leaves. `tls`: from the first byte, by STARTTLS before anything is said, or none."""

    host: str
    port: int
    user: str
    password: str
    tls: str  # 'implicit', 'starttls' or ''


def mail_server(text: str) -> MailServer:
    """From `smtps://user:password@host:port`, or `smtp://…`, which asks for STARTTLS unless the host is this
    machine. Raises AddressError."""
    parts = _split(text)
    if parts.scheme not in ("smtps", "smtp"):
        raise AddressError("begins with neither smtps:// nor smtp://")
    if parts.path not in ("", "/") or "?" in text or "#" in text:
        raise AddressError("has more than a user, a password, a host and a port")
    name = _host_of(parts)
    user, password = (_decoded(part or "") for part in (parts.username, parts.password))
    if bool(user) != bool(password):
        raise AddressError("has a user or a password without the other")
    tls = "implicit" if parts.scheme == "smtps" else "" if is_this_machine(name) else "starttls"
    ports = {"implicit": 465, "starttls": 587, "": 25}
    return MailServer(name.strip("[]"), parts.port or ports[tls], user, password, tls)


def is_this_machine(name: str) -> bool:
    """Whether a host in its one form is this machine, by name or address."""
    try:
        return ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return name == "localhost"


def _split(text: str) -> SplitResult:
    """The parts of an address. By itself urlsplit leaves out line ends, and fails late at a port."""
    if any(sign.isspace() or not sign.isprintable() for sign in text):
        raise AddressError("has a blank, or what cannot be seen")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise AddressError("cannot be read: a port or a bracket is wrong") from None
    if port == 0:
        raise AddressError("has a port that is none")
    return parts


def _host_of(parts: SplitResult) -> str:
    if not parts.hostname:
        raise AddressError("has no host")
    name = parts.netloc.rpartition("@")[2]
    return host(f"[{parts.hostname}]" if name.startswith("[") else parts.hostname)


def _decoded(text: str) -> str:
    """Without percent encoding. Raises AddressError where it is broken."""
    if _BROKEN_ESCAPE.search(text):
        raise AddressError("has a % that begins no encoding; write % as %25")
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise AddressError("has an encoding that is not of UTF-8") from None
