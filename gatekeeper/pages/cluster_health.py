"""The rows of the page of checks about the database's roles and connections."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from audit.seal import stored
from gatekeeper.frame.health_row import Health
from gatekeeper.installation import cluster
from gatekeeper.installation.connections import has_password, serving, takes_password

MAKE = "python manage.py bootstrap --roles-only"


def roles() -> Health:
    """Settings that roles have for themselves. A role may set its own defaults, and so may whoever speaks as
    it; our connections have pinned theirs, so what is found here closes nothing, and was somebody's."""
    title, connection = pgettext("check", "Roles of the database"), stored.raw("default")
    row = partial(Health, "gatekeeper.W007", title)
    found = cluster.strays(connection)
    if found:
        return row(
            "to_fix",
            _("Roles have settings that the installation did not make."),
            cause=_("Set: %(settings)s.") % {"settings": "; ".join(map(str, found))},
            next_step=_("Find out who set them, and take them back as PostgreSQL’s superuser."),
            command="\n".join(one.undo for one in found),
        )
    if cluster.is_made(connection):
        return row("ok", _("As the installation made them."))
    return row(
        "to_fix",
        _("The roles are of an older version: what delays the sealer, and large objects, cannot be seen."),
        next_step=_("Create the roles again; nothing else changes."),
        command=MAKE,
    )


def passwords() -> Health:
    """Whether PostgreSQL would ask for passwords where none are meant."""
    aliases = serving()
    row = partial(Health, "gatekeeper.passwords", pgettext("check", "Passwords of roles"))
    if any(has_password(alias) for alias in aliases):
        return row(
            "off",
            _("Processes sign in to the database by passwords."),
            next_step=_(
                "On the database’s own machine they need none;"
                " gatekeeper/installation/README.md says how (peer)."
            ),
        )
    found = [settings.DATABASES[alias]["USER"] for alias in aliases if takes_password(alias)]
    return (
        _taken(row, found) if found else row("ok", _("No password is asked for, and none would be accepted."))
    )


def _taken(row: Callable[..., Health], found: list[str]) -> Health:
    """Passwords that would be taken of these roles, though nobody was given one."""
    return row(
        "to_fix",
        _("PostgreSQL would take passwords, though no process has one: whoever takes over a role sets one."),
        cause=_("By TCP, or without TLS: %(roles)s.") % {"roles": ", ".join(found)},
        next_step=_(
            "Put the lines of the installation’s pg_hba.conf before all others in the server’s, and let it"
            " read them."
        ),
        command="SELECT pg_reload_conf();",
    )


def connections() -> Health:
    """Whether the server has room for every thread of every process, whatever one role does."""
    found = cluster.connections(stored.raw("default"))
    title = pgettext("check", "Room for connections")
    sum_up = _("%(processes)s, and commands: %(wanted)d of %(room)d connections at most.") % {
        "processes": ", ".join(map(str, settings.PROCESSES)),
        "wanted": found.wanted,
        "room": found.room,
    }
    return _unroomy(found, title, sum_up) or Health("gatekeeper.W008", title, "ok", sum_up)


def _unroomy(found: cluster.Connections, title: str, sum_up: str) -> Health | None:
    """What lacks: places for all, places of one role, or the limits that keep them apart."""
    if found.is_small:
        return _room(
            title,
            sum_up,
            _("When all are busy, some will not be let in."),
            _("Run fewer threads (GATEKEEPER_PROCESSES), or give the server more, and restart it."),
            f"ALTER SYSTEM SET max_connections = {found.wanted};",
        )
    if found.full:
        cause = _("No place left for %(roles)s.") % {"roles": ", ".join(found.full)}
        next_step = _("See what else connects as that role. The places of the other roles are theirs alone.")
        return _room(title, sum_up, cause, next_step)
    if found.limits:
        cause = _("Not limited as they should be: %(roles)s.") % {"roles": ", ".join(found.limits)}
        return _room(title, sum_up, cause, _("Create the roles again; nothing else changes."), MAKE)
    return None


def _room(title: str, sentence: str, cause: str, next_step: str, command: str = "") -> Health:
    return Health(
        "gatekeeper.W008", title, "to_fix", sentence, cause=cause, next_step=next_step, command=command
    )
