"""The application: its checks, and the SQL that `migrate` installs."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _

from audit.installation import install
from gatekeeper.installation.sql_files import FILES


class GatekeeperConfig(AppConfig):
    """Whose data, why today, may you?"""

    name = "gatekeeper"
    verbose_name = _("Gatekeeper")

    def ready(self) -> None:
        """Register the checks; install the `.sql` files after the last migration."""
        import_module("gatekeeper.installation.checks")
        post_migrate.connect(install_sql, sender=self, dispatch_uid="gatekeeper.install_sql")


def install_sql(*, using: str, **_kwargs: Any) -> None:
    """Install every function, trigger and right, as the migrator."""
    if using == "migrator":
        install(connections[using], FILES)
