"""Who asked, from where and under which number: what an entry says about its request.

`audit` knows nobody: the member and the session are read by their attributes (`number`, `name`,
`roles`; `number`, `factor`), whatever classes they are.
"""

from __future__ import annotations

import os
import pwd
import secrets
from ipaddress import IPv6Address, ip_address
from typing import Any

from django.http import HttpRequest

USER_AGENT_LENGTH = 200
ROLE_LENGTH = 40
#: The columns that `who` fills.
WHO = ("actor_id", "member", "member_name", "role", "session", "factor")


def context(request: HttpRequest) -> dict[str, str | None]:
    """The facts that the database's functions take about a request (`p_context`)."""
    return {
        "remote_addr": client_address(request),
        "user_agent": user_agent(request),
        "cid": request_id(request),
    }


def client_address(request: HttpRequest) -> str | None:
    """The client's address; None when it is not known, or is no address that PostgreSQL takes.

    Forwarded headers were judged before (TrustedProxyMiddleware); here none is trusted.
    """
    return readable_address(request.META.get("REMOTE_ADDR") or "")


def readable_address(text: str) -> str | None:
    """An address as PostgreSQL takes it, the same for all its spellings; None where it is not one, or is the
    unspecified one, which nobody has."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        elif address.scope_id is not None:  # 'fe80::1%eth0': inet has no scopes
            address = IPv6Address(int(address))
    return None if address.is_unspecified else str(address)


def user_agent(request: HttpRequest) -> str:
    """The browser's words about itself, clipped, without characters that forge lines of a log."""
    words = request.headers.get("User-Agent", "")[:USER_AGENT_LENGTH]
    return "".join(c if c.isprintable() else " " for c in words)


def request_id(request: HttpRequest) -> str:
    """A number of our own making for the request: one that a client sends may be anything."""
    number = getattr(request, "gatekeeper_id", "")
    if not number:
        number = secrets.token_hex(16)
        request.gatekeeper_id = number  # type: ignore[attr-defined]  # ours, beside Django's own
    return str(number)


def attempt_by(request: HttpRequest, member: Any) -> None:
    """Name the member as whom somebody tries to sign in, for the entries of this request."""
    request.attempted_member = member  # type: ignore[attr-defined]  # ours, beside Django's own


def attempted(request: HttpRequest) -> object:
    """The member named by `attempt_by`; None when there is none."""
    return getattr(request, "attempted_member", None)


def who(request: HttpRequest) -> dict[str, Any]:
    """The signed-in member, or the one attempted, under the names that entries have for them."""
    user = getattr(request, "user", None)
    signed_in = bool(user is not None and user.is_authenticated)
    member = user if signed_in else attempted(request)
    session = getattr(request, "session", None)
    return {
        "actor_id": user.pk if signed_in and user is not None else None,
        "member": getattr(member, "number", ""),
        "member_name": getattr(member, "name", ""),
        "role": ",".join(getattr(member, "roles", []))[:ROLE_LENGTH],
        "session": getattr(session, "number", None),
        "factor": getattr(session, "factor", ""),
    }


def command_source(command: str) -> str:
    """How the log names a command: with the system user who ran it. By the process' own user id:
    the environment can claim to be anybody."""
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a user without a name, as in a container
        user = f"uid {os.getuid()}"
    return f"{command} ({user})"[:80]
