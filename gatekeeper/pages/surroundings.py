"""Checks of what the application was told about the world around it, for the page of checks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from ipaddress import ip_address
from typing import TYPE_CHECKING

import psycopg
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from audit.seal import stored, trust
from audit.verify_bundle import ProofError
from gatekeeper.frame.health_row import Health
from gatekeeper.installation.connections import leads_through_pooler, serving
from gatekeeper.pages import cluster_health

if TYPE_CHECKING:
    from django.http import HttpRequest

    from gatekeeper.installation import proxies


def pooler() -> Health:
    """Whether new connections can be made, and lead to PostgreSQL itself."""
    row = partial(Health, "gatekeeper.E006", pgettext("check", "Way to the database"))
    through, refused = _ways()
    if refused:
        return _refused(row, refused)
    if not through:
        return row("ok", _("Straight to PostgreSQL, through no pooler."))
    return row(
        "to_fix",
        _("There is a connection pooler, such as PgBouncer, in between, so pages fail."),
        cause=", ".join(through),
        next_step=_(
            "Point each GATEKEEPER_DATABASE_URL_… at PostgreSQL itself: the web processes keep"
            " their own connections."
        ),
    )


def _ways() -> tuple[list[str], list[str]]:
    """Connections that lead through a pooler, and those that cannot be made."""
    through: list[str] = []
    refused: list[str] = []
    for alias in serving():
        try:
            through += [alias] if leads_through_pooler(alias) else []
        except psycopg.Error as error:
            refused.append(f"{alias}: {type(error).__name__}")
    return through, refused


def _refused(row: Callable[..., Health], refused: list[str]) -> Health:
    return row(
        "to_fix",
        _("New connections are refused, so pages fail as soon as one is needed."),
        cause=", ".join(refused),
        next_step=_(
            "If the database runs, a role’s password was changed, or its connections are used"
            " up. Create the roles again, and find out who connects as that role."
        ),
        command=cluster_health.MAKE,
    )


def log_key() -> Health:
    """Whether the key that the log is signed with is the one that is set. Raises psycopg.Error."""
    connection = stored.raw("default")
    trusted = trust.read(connection)
    newest = stored.newest_checkpoint(connection)
    if trusted.keys is None:
        return _log_key("to_fix", trust.no_key(), _("Run the sealer."), "python manage.py seal_log --every 5")
    if trusted.differs:
        return _another_key(trusted.announced)
    try:
        if newest:
            trusted.keys.open(newest.note)
    except ProofError:
        return _log_key(
            "to_fix",
            _("The newest checkpoint is not signed by the log’s key."),
            _("Run verify_log to see what is wrong, and where."),
            "python manage.py verify_log",
        )
    if trusted.pinned:
        return _log_key("ok", _("The log is signed with the key that is set."))
    return _no_key_set(trusted.announced)


def _another_key(announced: str) -> Health:
    next_step = _(
        "Find out whether the sealer’s key was changed on purpose. If it was, put its public key"
        " first in GATEKEEPER_LOG_VERIFIER, before those that are set: %(key)s"
    )
    sentence = _("The sealer signs with another key than the one that is set.")
    return _log_key("to_fix", sentence, next_step % {"key": announced})


def _no_key_set(announced: str) -> Health:
    return _log_key(
        "off",
        _("No key is set, so pages say “consistent with this server’s key” instead of “Proved”."),
        _(
            "Compare this key with the one that seal_log printed when it started, and set it as"
            " GATEKEEPER_LOG_VERIFIER: %(key)s"
        )
        % {"key": announced},
    )


def client(request: HttpRequest) -> Health:
    """From where this request is seen to come: the log keeps it, and the lock after wrong passwords counts
    by it. An address that is not the client's locks everybody out at once."""
    found: proxies.Origin = request.origin  # type: ignore[attr-defined]  # TrustedProxyMiddleware's
    title = pgettext("check", "Your address")
    sentence = (
        _("This server sees you at %(address)s.") % {"address": found.address}
        if found.address
        else _("This server cannot see your address.")
    )
    is_local = settings.IN_PRODUCTION and not found.problem and _is_this_machine(found.peer)
    if not found.problem and not is_local:
        return Health("gatekeeper.address", title, "ok", sentence)
    cause, next_step = _not_the_client(found)
    return Health("gatekeeper.address", title, "to_fix", sentence, cause=cause, next_step=next_step)


def _is_this_machine(peer: str) -> bool:
    return bool(peer) and ip_address(peer).is_loopback


def _not_the_client(found: proxies.Origin) -> tuple[str, str]:
    """Why an address is not the client's, and what to do."""
    facts = {"header": settings.FORWARDED_HEADER, "peer": found.peer}
    cause, next_step = _not_the_client_because(found.problem)
    return cause % facts, next_step % facts


def _not_the_client_because(problem: str) -> tuple[str, str]:
    match problem:
        case "socket":
            cause = _("Requests come over a Unix socket, and nobody there is trusted to name the client.")
            return cause, _("Set GATEKEEPER_TRUSTED_PROXIES=unix.")
        case "silent" | "unreadable":
            return _misnamed(problem)
        case "untrusted":
            cause = _("%(peer)s names a client in %(header)s, and is not trusted.")
            return cause, _("If it is your proxy, add it to GATEKEEPER_TRUSTED_PROXIES.")
    cause = _("A proxy on this machine names no client, so that everybody has this address.")
    return cause, _("Make it write %(header)s, and add its address to GATEKEEPER_TRUSTED_PROXIES.")


def _misnamed(problem: str) -> tuple[str, str]:
    """What a trusted proxy does wrong: it names no client, or writes what is no address."""
    if problem == "silent":
        next_step = _(
            "Make the proxy write it, or set GATEKEEPER_FORWARDED_HEADER to the header that it writes."
        )
        return _("The proxy names no client in %(header)s."), next_step
    next_step = _("Make the proxy write the client’s address, not an obfuscated one.")
    return _("What the proxy writes into %(header)s is not an address."), next_step


def _log_key(state: str, sentence: str, next_step: str = "", command: str = "") -> Health:
    return Health(
        "gatekeeper.E005", _("Public key of the log"), state, sentence, next_step=next_step, command=command
    )
