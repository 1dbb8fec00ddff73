"""Where a request comes from, as trusted proxies pass it on: read in every form in which they write it, or
not known.

One header is trusted (`GATEKEEPER_FORWARDED_HEADER`), from a trusted peer alone, and read from its end: what
our own proxies wrote is there, and before it whatever the client sent. The first address that is none of
ours is the client's. What cannot be read for certain ('unknown', '_hidden', a typing error) ends the search
with an address that is not known: the next one to the left may be anybody's invention.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final, Literal

from audit.context import readable_address

UNIX: Final = "unix"
X_FORWARDED_FOR: Final = "X-Forwarded-For"
FORWARDED: Final = "Forwarded"
HEADERS: Final = {X_FORWARDED_FOR: "HTTP_X_FORWARDED_FOR", FORWARDED: "HTTP_FORWARDED"}

#: Why an address is not the client's: no trusted socket; a trusted peer that names nobody, or names somebody
#: in a way that cannot be read; a peer that names somebody and is not trusted.
Problem = Literal["", "socket", "silent", "unreadable", "untrusted"]

# A port is digits, or obfuscated (RFC 7239 §6.2 and §6.3).
_PORT: Final = r"(?::(?:[0-9]{1,5}|_[A-Za-z0-9._-]+))?"
_IN_BRACKETS: Final = re.compile(rf"\[([0-9A-Fa-f:.]+(?:%[^\]]*)?)\]{_PORT}")
_WITH_PORT: Final = re.compile(rf"([0-9.]+){_PORT}")
# RFC 7239 §4; beside it addresses with colons or brackets that should have been quoted.
_PAIR: Final = re.compile(
    r"([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:([!#$%&'*+.^_`|~0-9A-Za-z:\[\]-]+)|\"((?:[^\"\\]|\\.)*)\")"
)


@dataclass(frozen=True)
class Trusted:
    """Which peers are proxies of ours: networks, and whoever comes over the Unix socket."""

    networks: tuple[IPv4Network | IPv6Network, ...]
    socket: bool = False

    @classmethod
    def read(cls, names: Sequence[str]) -> Trusted:
        """From addresses, networks and 'unix'. Raises ValueError."""
        named = [name for name in names if name.lower() != UNIX]
        return cls(tuple(ip_network(name) for name in named), socket=len(named) < len(names))

    def has(self, address: str) -> bool:
        """Whether an address is that of a proxy of ours."""
        return bool(address) and any(ip_address(address) in network for network in self.networks)


@dataclass(frozen=True)
class Origin:
    """Whence a request comes. `address`: '' where it is not known. `peer`: who is connected to us, '' over a
    socket. `proto`: the scheme of the client's connection, '' where no proxy of ours names it."""

    address: str
    peer: str
    problem: Problem = ""
    proto: str = ""


def origin(meta: Mapping[str, str], *, trusted: Trusted, header: str) -> Origin:
    """Whence a request comes, by its META, before forwarded headers are taken out of it."""
    sent = meta.get("REMOTE_ADDR") or ""
    peer, named = readable_address(sent) or "", meta.get(HEADERS[header], "")
    if not (trusted.has(peer) or (trusted.socket and not sent)):
        problem: Problem = "socket" if not peer else "untrusted" if named else ""
        return Origin(peer, peer, problem)
    beside = meta.get("HTTP_X_FORWARDED_PROTO", "") if header == X_FORWARDED_FOR else ""
    found = Origin("", peer, "silent", beside)
    for node, proto in _hops(header, named):
        address = address_of(node)
        found = Origin(address or "", peer, "" if address else "unreadable", proto or beside)
        if address is None or not trusted.has(address):
            break
    return found


def address_of(node: str) -> str | None:
    """The address in an element, in whichever form: '192.0.2.1', with a port, '[2001:db8::1]:4711', with a
    zone, quoted; None where it is not one."""
    node = node.strip()
    if len(node) > 1 and node[0] == node[-1] == '"':
        node = node[1:-1]
    if found := _IN_BRACKETS.fullmatch(node):
        return readable_address(found[1]) if ":" in found[1] else None
    found = _WITH_PORT.fullmatch(node)
    return readable_address(found[1] if found else node)


def _hops(header: str, text: str) -> Iterator[tuple[str, str]]:
    """Who is named, from the last to the first, each with the scheme of their connection; '' for what is not
    said. Empty elements count for nothing (RFC 9110 §5.6.1)."""
    for element in reversed(text.split(",")):
        if element.strip():
            yield (element, "") if header == X_FORWARDED_FOR else _forwarded(element)


def _forwarded(element: str) -> tuple[str, str]:
    """`for` and `proto` of one element of Forwarded; nobody where the element breaks the header's rules."""
    pairs: dict[str, str] = {}
    for pair in filter(None, map(str.strip, element.split(";"))):
        found = _PAIR.fullmatch(pair)
        if found is None or found[1].lower() in pairs:
            return "", ""
        pairs[found[1].lower()] = found[2] or re.sub(r"\\(.)", r"\1", found[3] or "")
    return pairs.get("for", ""), pairs.get("proto", "")
