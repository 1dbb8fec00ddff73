"""The application that a WSGI server runs."""

from __future__ import annotations

import contextlib
import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gatekeeper.settings")

import django
import psycopg
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from gatekeeper.installation.collected import uncollected
from gatekeeper.installation.connections import (
    NO_POOLER,
    NOT_KEPT,
    THROUGH_POOLER,
    leads_through_pooler,
    serving,
)
from gatekeeper.serving.handler import Handler

# Whoever takes over a web process must not be able to sign another log, blind the rules or change tables; nor
# to write as a process that serves something else.
beyond = sorted(set(settings.DATABASES) - set(serving()))
if settings.LOG_KEY or beyond:
    names = [f"GATEKEEPER_DATABASE_URL_{alias.upper()}" for alias in beyond]
    names += ["GATEKEEPER_LOG_KEY"] if settings.LOG_KEY else []
    raise ImproperlyConfigured(
        f"{', '.join(names)}: these belong to commands, or to what another process serves. Take them away"
        f" from this one, which serves {' and '.join(settings.SERVES)};"
        " gatekeeper/installation/README.md, 'A real installation', says which process gets what."
    )

django.setup(set_prefix=False)
application = Handler()

# Refused now rather than at every second page. Whether the database is up is not for the start to judge.
for alias in serving():
    with contextlib.suppress(psycopg.Error):
        if leads_through_pooler(alias):
            raise ImproperlyConfigured(f"{THROUGH_POOLER.format(alias)} {NO_POOLER}")

# Each thread of a server process keeps its connections from request to request.
for alias in set(serving()) - set(NOT_KEPT):
    settings.DATABASES[alias]["CONN_MAX_AGE"] = None

# Every page would be an error: templates name their files by what collectstatic made of them.
if lacking := uncollected():
    raise ImproperlyConfigured(
        f"{len(lacking)} static files are not collected, {lacking[0]} among them: run"
        " manage.py collectstatic --noinput, after each upgrade too."
    )
