"""The schemas of a database, as SQL names several: `nspname IN {FUNCTIONS}`."""

from __future__ import annotations

from typing import Final

from audit.installation import SCHEMAS

#: Where functions lie.
FUNCTIONS: Final = "('" + "', '".join(SCHEMAS) + "')"
#: Where anything of ours lies: Django's tables stand in `public`.
OURS: Final = "('public', '" + "', '".join(SCHEMAS) + "')"
