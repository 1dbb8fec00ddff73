"""The application that a WSGI server runs."""

from __future__ import annotations

import contextlib
import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gatekeeper.settings")

import psycopg
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

from gatekeeper.connections import NO_POOLER, THROUGH_POOLER, leads_through_pooler
from gatekeeper.installation.collected import uncollected

# Whoever takes over a web process must not be able to sign another log.
if settings.LOG_KEY or "sealer" in settings.DATABASES:
    raise ImproperlyConfigured(
        "GATEKEEPER_LOG_KEY and GATEKEEPER_DATABASE_URL_SEALER belong to the sealer alone: take them away"
        " from the web processes. audit/README.md, 'The seal', says where they go."
    )

application = get_wsgi_application()

# Refused now rather than at every second page. Whether the database is up is not for the start to judge.
for alias in ("default", "vault"):
    with contextlib.suppress(psycopg.Error):
        if leads_through_pooler(alias):
            raise ImproperlyConfigured(f"{THROUGH_POOLER.format(alias)} {NO_POOLER}")

# Each thread of a server process keeps its connections from request to request.
for alias in ("default", "vault"):
    settings.DATABASES[alias]["CONN_MAX_AGE"] = None

# Every page would be an error: templates name their files by what collectstatic made of them.
if lacking := uncollected():
    raise ImproperlyConfigured(
        f"{len(lacking)} static files are not collected, {lacking[0]} among them: run"
        " manage.py collectstatic --noinput, after each upgrade too."
    )
