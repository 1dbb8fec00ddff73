"""The suite's environment: one throw-away PostgreSQL for all workers, and random secrets.

A pytest plugin, loaded with `-p` before Django's settings are read. The first process starts the
server and creates the roles once (they belong to the cluster); workers find both in the
environment, and each has a database of its own.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator
from pathlib import Path
from urllib.parse import quote, urlsplit

import psycopg
import pytest

from gatekeeper.demo.postgres import Server
from gatekeeper.installation import roles, secrets

SETUP = "GATEKEEPER_DATABASE_URL_SETUP"
PASSWORD = "GATEKEEPER_TEST_PASSWORD"  # with a role's name, that role's; differs in each run
KEPT = {"GATEKEEPER_POSTGRES"}

_server: Server | None = None


def database_name() -> str:
    """Return the name of this worker's database."""
    return f"gatekeeper_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"


def password(role: str) -> str:
    return f"{os.environ[PASSWORD]}-{role}"


def setup_url(database: str = "postgres") -> str:
    """Return the superuser's address of a database on the suite's server."""
    return urlsplit(os.environ[SETUP])._replace(path=f"/{quote(database)}").geturl()


def role_url(role: str, database: str | None = None) -> str:
    """Return a role's address of a database, this worker's unless named."""
    host = urlsplit(os.environ[SETUP]).query
    return f"postgresql://{role}:{password(role)}@/{database or database_name()}?{host}"


def set_secrets() -> None:
    """Set everything but the databases; what the outer environment says about us is dropped."""
    for name in [n for n in os.environ if n.startswith("GATEKEEPER_") and n not in KEPT]:
        del os.environ[name]
    os.environ.update(
        {
            "DJANGO_SETTINGS_MODULE": "gatekeeper.settings",
            "GATEKEEPER_MODE": "test",
            "GATEKEEPER_SECRET_KEY": secrets.secret_key(),
            "GATEKEEPER_KEY_RING": secrets.key_ring(),
            "GATEKEEPER_SEAL": secrets.seal(),
            "GATEKEEPER_LOG_KEY": secrets.log_key(),
            "GATEKEEPER_TICKETS_SECRET": secrets.webhook_secret(),
            "GATEKEEPER_ACCOUNTS_SECRET": secrets.webhook_secret(),
            "GATEKEEPER_SITE_URL": "http://localhost",
            "GATEKEEPER_ALLOWED_HOSTS": "localhost,127.0.0.1,testserver",
            "GATEKEEPER_HELPDESK_TICKET_URL": "https://helpdesk.test/tickets/{number}",
            PASSWORD: secrets.password(),
        }
    )


def set_databases() -> None:
    """Point the settings at this worker's database."""
    for name, role in roles.LINKS.items():
        os.environ[f"GATEKEEPER_DATABASE_URL_{name}"] = role_url(role)


def start_server() -> None:
    """Start the server, make the secrets and the roles, and say in the environment where they are."""
    global _server
    set_secrets()
    _server = Server(Path(tempfile.mkdtemp(prefix="gatekeeper-tests-")), fast=True)
    _server.start()
    os.environ[SETUP] = _server.setup_url()
    with psycopg.connect(setup_url(), autocommit=True) as setup:
        roles.create_roles(setup, {role: password(role) for role in roles.LOGIN})


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--whole`: where a test takes every pair of its choices, take every combination."""
    parser.addoption("--whole", action="store_true", help="every combination where every pair is usual")


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests() -> Generator[None, None, None]:
    """Begin before pytest-django, which reads the settings in this hook."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        start_server()
    set_databases()
    yield


def pytest_unconfigure() -> None:
    if _server is not None:
        _server.remove()
