"""The environment, read: every setting by its name in the table (gatekeeper.installation.settings_table)."""

from __future__ import annotations

from gatekeeper.installation.key_settings import KeySettings
from gatekeeper.installation.log_settings import LogSettings
from gatekeeper.installation.process_settings import ProcessSettings
from gatekeeper.installation.rule_settings import RuleSettings


class Environment(LogSettings, ProcessSettings, KeySettings, RuleSettings):
    """Reads settings by their names in the table; every reader raises ImproperlyConfigured."""
