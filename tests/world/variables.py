"""Variables with which the application starts."""

from __future__ import annotations

from pathlib import Path

from gatekeeper.installation import secrets

ROOT = Path(__file__).resolve().parents[2]


SOCKET = "host=/run/postgresql"


GOOD = {
    "GATEKEEPER_SECRET_KEY": secrets.secret_key(),
    "GATEKEEPER_DATABASE_URL_WEB": f"postgresql://gatekeeper_web:hidden@/gatekeeper?{SOCKET}",
    "GATEKEEPER_DATABASE_URL_SIGNIN": f"postgresql://gatekeeper_signin:hidden@/gatekeeper?{SOCKET}",
    "GATEKEEPER_DATABASE_URL_FEED": f"postgresql://gatekeeper_feed:hidden@/gatekeeper?{SOCKET}",
    "GATEKEEPER_DATABASE_URL_VAULT": f"postgresql://gatekeeper_vault:hidden@/gatekeeper?{SOCKET}",
    "GATEKEEPER_KEY_RING": secrets.key_ring(),
    "GATEKEEPER_SEAL": secrets.seal(),
    "GATEKEEPER_TICKETS_SECRET": secrets.webhook_secret(),
    "GATEKEEPER_ACCOUNTS_SECRET": secrets.webhook_secret(),
    "GATEKEEPER_SITE_URL": "https://gatekeeper.test",
    "GATEKEEPER_ALLOWED_HOSTS": "gatekeeper.test",
}
