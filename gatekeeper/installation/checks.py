"""System checks of what the database holds against what the settings say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.db import Error as DatabaseError
from django.db import connections

from audit import detections
from audit.installation import differences
from audit.models import Limit
from audit.seal import stored, trust
from gatekeeper.installation import cluster
from gatekeeper.installation.connections import NO_POOLER, THROUGH_POOLER, leads_through_pooler
from gatekeeper.installation.limits_table import LIMITS
from gatekeeper.installation.sql_files import FILES

HINT = "Run manage.py apply_settings as the migrator."
ROLES = "Run manage.py bootstrap --roles-only."
ROOM = (
    "Set max_connections higher, or fewer threads in GATEKEEPER_PROCESSES;"
    " gatekeeper/installation/README.md, 'Connections', has the sum."
)
INSTALL = "Run manage.py migrate as the migrator."


def limits_wanted() -> dict[str, str]:
    """Return every row that audit_limit should hold, by name.

    The rules' thresholds and the stream's target are among them: whoever has the role that watches over the
    log changes neither.
    """
    thresholds = {
        f"odd.{rule.name}.{name}": str(value)
        for rule in detections.rules()
        for name, value in rule.thresholds.items()
    }
    named = {"time_zone": settings.TIME_ZONE, "siem_target": settings.SIEM_TARGET}
    named |= {f"hours.{number}": hours for number, hours in settings.TEAM_HOURS.items()}
    limits = {limit.key: str(settings.LIMITS[limit.key]) for limit in LIMITS if limit.in_database}
    return limits | named | thresholds


@register(Tags.database)
def limits_applied(databases: Sequence[str] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """SQL decides by the table, people read the settings: a difference is an error."""
    if not databases or "default" not in databases:
        return []
    try:
        found = dict(Limit.objects.values_list("name", "value"))
    except DatabaseError:
        return [Error("The table of limits cannot be read.", hint=HINT, id="gatekeeper.E001")]
    wanted = limits_wanted()
    differing = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
    if not differing:
        return []
    names = ", ".join(differing)
    return [Error(f"Limits differ from the settings: {names}.", hint=HINT, id="gatekeeper.E002")]


@register()
def thresholds_known(**_kwargs: Any) -> list[CheckMessage]:
    """A threshold that no rule has would change nothing, and nobody would know."""
    try:
        detections.rules()
    except ImproperlyConfigured as error:
        return [
            Error(f"{error}.", hint="audit/README.md, 'What is flagged', names them.", id="gatekeeper.E004")
        ]
    return []


@register(Tags.database)
def straight_to_postgresql(databases: Sequence[str] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """Through a pooler most pages fail, and the others rest on settings that may be another client's."""
    found: list[CheckMessage] = []
    for alias in databases or ():
        try:
            if leads_through_pooler(alias):
                found.append(Error(THROUGH_POOLER.format(alias), hint=NO_POOLER, id="gatekeeper.E006"))
        except psycopg.Error as error:
            words = f"The connection '{alias}' cannot be made: {type(error).__name__}."
            found.append(Error(words, hint="See whether the database runs.", id="gatekeeper.E006"))
    return found


@register(Tags.database)
def roles_as_made(databases: Sequence[str] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """A warning, and no error: a role taken over could otherwise keep the web processes from starting."""
    if not databases or "default" not in databases:
        return []
    try:
        connection = stored.raw("default")
        found, made = cluster.strays(connection), cluster.is_made(connection)
        room = cluster.connections(connection)
    except (DatabaseError, psycopg.Error):
        return [Warning("The roles of the database cannot be read.", hint=INSTALL, id="gatekeeper.W007")]
    messages: list[CheckMessage] = [
        Warning(f"{one}: the installation did not set this.", hint=one.undo, id="gatekeeper.W007")
        for one in found
    ]
    if not made:
        messages.append(Warning("The roles are of an older version.", hint=ROLES, id="gatekeeper.W007"))
    if room.is_small:
        words = f"The server has room for {room.room} connections, and {room.wanted} may be wanted."
        messages.append(Warning(words, hint=ROOM, id="gatekeeper.W008"))
    if room.limits:
        names = ", ".join(room.limits)
        messages.append(Warning(f"Not limited as they should be: {names}.", hint=ROLES, id="gatekeeper.W008"))
    return messages


@register(Tags.database)
def log_key_pinned(databases: Sequence[str] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """A key that is set, and another one that signs: nothing can be proved until somebody knows why."""
    if not databases or "default" not in databases:
        return []
    try:
        differs = trust.read(stored.raw("default")).differs
    except (DatabaseError, psycopg.Error):
        return [Error("The log's public key cannot be read.", hint=INSTALL, id="gatekeeper.E005")]
    if not differs:
        return []
    return [
        Error(
            "The sealer signs with another key than GATEKEEPER_LOG_VERIFIER names.",
            hint="The page of checks says which; audit/README.md, 'The seal', says how a key is changed.",
            id="gatekeeper.E005",
        )
    ]


@register(Tags.database)
def sql_installed(databases: Sequence[str] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """The boundary is what the database has, not what the file says."""
    if not databases or "default" not in databases:
        return []
    try:
        found = differences(connections["default"], FILES)
    except DatabaseError:
        found = ["the installed SQL cannot be read"]
    return [Error(f"{words.capitalize()}.", hint=INSTALL, id="gatekeeper.E003") for words in found]
