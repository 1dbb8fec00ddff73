"""The environment, read by the names of the table.

What is missing or unusable raises at start, with the name and the next step, and never repeats a value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from gatekeeper.installation.limits_table import LIMITS
from gatekeeper.installation.setting import PREFIX, Limit
from gatekeeper.installation.settings_table import BY_NAME

# Words that appear in examples and never in a generated secret.
PLACEHOLDER = re.compile(r"change.?me|placeholder|example|insecure|replace.?me|your[-_ ]|<|\.\.\.", re.I)


def is_text(value: str) -> bool:
    """Whether a variable's value was text; bytes that are none stand in it as halves of letters."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


class Reader:
    """Reads settings by their names in the table; every reader raises ImproperlyConfigured."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self.mode = self.text("MODE")
        if self.mode not in {"production", "demo", "test"}:
            raise self.refusal("MODE", "is not one of production, demo, test")
        self.in_production = self.mode == "production"

    def refusal(self, name: str, what: str) -> ImproperlyConfigured:
        """Return the error that names the setting, what is wrong and what it is for."""
        setting = BY_NAME[name]
        twin = f" (or {setting.variable}_FILE)" if setting.secret else ""
        return ImproperlyConfigured(
            f"{setting.variable}{twin} {what}. {setting.help}."
            " gatekeeper/installation/README.md, 'Settings', has the table."
        )

    def text(self, name: str) -> str:
        """Return a setting as it stands, or its default; refuses a missing or placeholder value."""
        setting = BY_NAME[name]
        value = self._variables.get(setting.variable)
        if value is None and setting.formerly:
            value = self._variables.get(PREFIX + setting.formerly)
        if setting.secret and value is None:
            value = self._file(name)
        if value is None:
            value = setting.default
        if value is None or (not value.strip() and setting.default is None):
            raise self.refusal(name, "is missing")
        value = value.strip()
        if setting.secret and PLACEHOLDER.search(value):
            raise self.refusal(name, "holds a placeholder")
        if not is_text(value):
            raise self.refusal(name, "holds bytes that are no UTF-8")
        return value

    def _file(self, name: str) -> str | None:
        path = self._variables.get(f"{BY_NAME[name].variable}_FILE")
        if path is None:
            return None
        try:
            return Path(path).read_text(encoding="utf-8")
        except (OSError, ValueError):  # of its encoding, or of its name
            raise self.refusal(name, "names a file that cannot be read") from None

    def limit(self, limit: Limit) -> int:
        """Return a limit, in its unit; refuses what is no whole number within its bounds."""
        text = self.text(limit.name)
        if not re.fullmatch(r"[0-9]{1,6}", text) or not limit.least <= int(text) <= limit.most:
            raise self.refusal(limit.name, f"is no whole number within its bounds ({limit.range})")
        return int(text)

    def limits(self) -> dict[str, int]:
        """Return every limit by its key."""
        return {limit.key: self.limit(limit) for limit in LIMITS}

    def names(self, name: str) -> list[str]:
        """Return the parts between commas."""
        return [part.strip() for part in self.text(name).split(",") if part.strip()]

    def switch(self, name: str) -> bool:
        """Return whether a setting says 'yes'; refuses what is neither 'yes' nor 'no'."""
        text = self.text(name).lower()
        if text not in {"yes", "no"}:
            raise self.refusal(name, "is neither 'yes' nor 'no'")
        return text == "yes"
