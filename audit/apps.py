"""The log."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AuditConfig(AppConfig):
    """What was seen?"""

    name = "audit"
    verbose_name = _("Log")
