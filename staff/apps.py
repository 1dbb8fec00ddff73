"""The application `staff`: who are you to us?"""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class StaffConfig(AppConfig):
    """Members, their sessions and factors, and their agreements."""

    name = "staff"
    verbose_name = _("Staff")

    def ready(self) -> None:
        """Say what auditlog records; only now, because it needs the models."""
        import_module("staff.directory.tracking")
