"""The application that a WSGI server runs."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gatekeeper.settings")

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from gatekeeper.connections import POOL

# Server processes share connections between their threads; commands and tests hold one each.
for alias in ("default", "vault"):
    settings.DATABASES[alias]["OPTIONS"]["pool"] = dict(POOL)

application = get_wsgi_application()
