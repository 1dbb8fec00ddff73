"""What an administrator looks after: each check with its state, its cause and its next step.

The same ids as Django's system checks, so that the page and `manage.py check --database default`
speak of the same things.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import psycopg
from django.db import Error as DatabaseError
from django.db import connections
from django.utils import timezone
from django.utils.translation import gettext as _

from audit import database
from audit.installation import differences
from audit.models import Limit
from gatekeeper.feeds import health
from gatekeeper.frame.health_row import Health
from gatekeeper.installation.checks import limits_wanted
from gatekeeper.installation.sql_files import FILES
from gatekeeper.pages import (
    cluster_health,
    log_health,
    mail_health,
    optional,
    people_health,
    review_health,
    sign_in_health,
    surroundings,
)
from staff.nda import versions
from staff.secrets.keyring import KeyRingError, ring

#: States in which nothing is to be done; they stand at the page's end, in this order.
WORKS: Final = {"off": 1, "ok": 2}


def rows(*more: Health) -> list[Health]:
    """Every check, evaluated now, and those of the request at hand; what fails comes first."""
    found = [*(_safely(check) for check in _CHECKS), *more]
    return sorted(found, key=lambda row: WORKS.get(row.state, 0))


def _safely(check: Callable[[], Health]) -> Health:
    try:
        return check()
    except (DatabaseError, psycopg.Error) as error:
        return Health(
            "gatekeeper.database",
            _("Database"),
            "unknown",
            _("This could not be checked."),
            cause=type(error).__name__,
            next_step=_("See whether the database runs and its addresses are right."),
        )


def _database() -> Health:
    [(version,)] = database.rows("SHOW server_version")
    return Health("gatekeeper.database", _("Database"), "ok", f"PostgreSQL {version}")


def _vault() -> Health:
    database.rows("SELECT 1", using="vault")
    return Health("gatekeeper.vault", _("Vault"), "ok", _("The vault's own connection works."))


def _limits() -> Health:
    wanted, found = limits_wanted(), dict(Limit.objects.values_list("name", "value"))
    title = _("Limits")
    if wanted == found:
        return Health("gatekeeper.E002", title, "ok", _("The database decides by the settings."))
    names = ", ".join(sorted(name for name in wanted | found if wanted.get(name) != found.get(name)))
    return Health(
        "gatekeeper.E002",
        title,
        "to_fix",
        _("The database uses other limits than the settings say."),
        cause=names,
        next_step=_("Apply the settings as the migrator."),
        command="python manage.py apply_settings",
    )


def _installed() -> Health:
    found = differences(connections["default"], FILES)
    title = _("SQL functions")
    if not found:
        return Health("gatekeeper.E003", title, "ok", _("The database matches the files."))
    return Health(
        "gatekeeper.E003",
        title,
        "to_fix",
        _("The database does not match the files."),
        cause="; ".join(found),
        next_step=_("Install them as the migrator; find out who changed them."),
        command="python manage.py migrate",
    )


def _keys() -> Health:
    row = partial(Health, "gatekeeper.keys", _("Key ring"))
    try:
        ring()
    except KeyRingError:
        return row(
            "to_fix",
            _("The key ring cannot be read, so nothing opens."),
            next_step=_("Set GATEKEEPER_KEY_RING from the backup of the keys."),
        )
    return row("ok", _("The key ring opens."))


def _agreement() -> Health:
    title, newest = _("Agreement"), versions.required(at=timezone.now())
    row = partial(Health, "gatekeeper.nda", title)
    if newest:
        return row("ok", _("Version %(number)s is required.") % {"number": newest.number})
    return row(
        "to_fix",
        _("No version of the agreement is in force, so nothing opens."),
        next_step=_("A people officer publishes one under NDAs."),
    )


_CHECKS = (
    _database,
    _vault,
    surroundings.pooler,
    cluster_health.roles,
    cluster_health.passwords,
    cluster_health.connections,
    _limits,
    _installed,
    log_health.clock,
    health.helpdesk,
    health.platform,
    mail_health.mail,
    optional.helpdesk_links,
    optional.signatures,
    _keys,
    _agreement,
    people_health.able,
    log_health.sealer,
    surroundings.log_key,
    log_health.copies,
    log_health.streaming,
    review_health.flagged,
    sign_in_health.guesses,
    review_health.unproved,
    people_health.suspensions,
    review_health.reviews,
)
