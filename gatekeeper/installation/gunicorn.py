"""How gunicorn serves Gatekeeper. GUNICORN_CMD_ARGS and the command line have the last word, but on how many
threads there are: the database has room for those that GATEKEEPER_PROCESSES names."""

from __future__ import annotations

import os
from typing import Any

from gatekeeper.installation.environment import Environment

_process = Environment(os.environ).process()

wsgi_app = "gatekeeper.wsgi"
worker_class = "gthread"
workers = _process.workers
threads = _process.threads
# Whose headers count, GATEKEEPER_TRUSTED_PROXIES alone says.
forwarded_allow_ips = ""
# A Unix socket is for the user and the group that serve it: whoever else could write to it could claim
# any address to be a client's.
umask = 0o007
control_socket_disable = True


def on_starting(server: Any) -> None:
    """Refuse another number of threads than the database's budget was made for. Raises SystemExit."""
    if (server.cfg.workers, server.cfg.threads) != (workers, threads):
        server.log.error(
            "GATEKEEPER_PROCESSES says %s, gunicorn was told %dx%d: take --workers and --threads away, and"
            " set GATEKEEPER_PROCESSES.",
            *(_process, server.cfg.workers, server.cfg.threads),
        )
        raise SystemExit(1)
