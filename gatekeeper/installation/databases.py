"""The databases, as Django's settings have them: one alias for each role."""

from __future__ import annotations

from typing import Any

from gatekeeper.installation import roles
from gatekeeper.installation.environment import Environment
from gatekeeper.installation.postgresql import pinned


def settings(environment: Environment) -> dict[str, dict[str, Any]]:
    """Return each database by its alias; those of commands are there only where they run.

    Raises ImproperlyConfigured where an address cannot be used.
    """
    aliases = {
        "default": _database(environment, "DATABASE_URL_WEB"),
        "signin": _database(environment, "DATABASE_URL_SIGNIN"),
        # A sender gets 503 and sends again, in place of a thread that waits for whoever holds a row.
        "feed": _database(environment, "DATABASE_URL_FEED", {"lock_timeout": "5s"}),
        "watch": _database(environment, "DATABASE_URL_WATCH"),
        "people": _database(environment, "DATABASE_URL_PEOPLE"),
        # Bounded, for a row that the same thread has locked through `default` would wait for ever.
        "vault": _database(
            environment, "DATABASE_URL_VAULT", {"lock_timeout": "5s", "statement_timeout": "5s"}
        ),
        # A migration may take its time between two statements.
        "migrator": _database(
            environment,
            "DATABASE_URL_MIGRATOR",
            {"idle_in_transaction_session_timeout": "0"},
            assume_role=roles.OWNER,
        ),
        "sealer": _database(environment, "DATABASE_URL_SEALER"),
    }
    return {alias: database for alias, database in aliases.items() if database}


def _database(
    environment: Environment, name: str, own: dict[str, str] | None = None, **options: object
) -> dict[str, Any] | None:
    """Return Django's settings for a database's address, with what is pinned on it and its `own`; server-side
    binding keeps values out of query texts, which roles can read of each other."""
    parts = environment.database(name)
    if parts is None:
        return None
    return {
        "ENGINE": "gatekeeper.installation.postgresql",
        "NAME": parts.pop("dbname"),
        "USER": parts.pop("user"),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": parts.pop("port", ""),
        "ATOMIC_REQUESTS": False,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            # A host that does not answer is soon known; one that refuses is known at once.
            "connect_timeout": 3,
            "tcp_user_timeout": 10_000,
            **parts,
            "server_side_binding": True,
            # Prepared at the fifth time: the same few statements answer every page.
            "prepare_threshold": 5,
            "options": f"{parts.get('options', '')} {pinned.options(**(own or {}))}".strip(),
            **options,
        },
    }
