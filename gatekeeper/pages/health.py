"""What an administrator looks after: each check with its state, its cause and its next step.

The same ids as Django's system checks, so that the page and `manage.py check --database default`
speak of the same things.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final

import psycopg
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connections
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.detections import finding
from audit.installation import differences
from audit.seal import alarms, held
from audit.siem import stream
from gatekeeper.access import notices
from gatekeeper.feeds import health
from gatekeeper.frame import times
from gatekeeper.frame.health_row import Health
from gatekeeper.installation.checks import limits_wanted
from gatekeeper.installation.sql_files import FILES
from gatekeeper.models import Limit
from gatekeeper.pages import cluster_health, optional, people_health, sign_in_health, surroundings
from gatekeeper.reviews import queue, units
from staff.nda import agreements
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
    with connections["default"].cursor() as cursor:
        cursor.execute("SHOW server_version")
        version = cursor.fetchone()[0]
    return Health("gatekeeper.database", _("Database"), "ok", f"PostgreSQL {version}")


def _vault() -> Health:
    with connections["vault"].cursor() as cursor:
        cursor.execute("SELECT 1")
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
        _("The database decides by other limits than the settings say."),
        cause=names,
        next_step=_("Apply the settings as the migrator."),
        command="python manage.py apply_settings",
    )


def _installed() -> Health:
    found = differences(connections["default"], FILES)
    title = _("SQL functions")
    if not found:
        return Health("gatekeeper.E003", title, "ok", _("The database has what the files say."))
    return Health(
        "gatekeeper.E003",
        title,
        "to_fix",
        _("The database does not have what the files say."),
        cause="; ".join(found),
        next_step=_("Install them as the migrator; find out who changed them."),
        command="python manage.py migrate",
    )


def _clock() -> Health:
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT timestamp > clock_timestamp() FROM audit_entry ORDER BY id DESC LIMIT 1")
        row = cursor.fetchone()
    title = _("Clock")
    if not (row and row[0]):
        return Health("gatekeeper.clock", title, "ok", _("Not behind the newest entry."))
    return Health(
        "gatekeeper.clock",
        title,
        "to_fix",
        _("The database's clock is behind the newest entry, so nothing opens."),
        next_step=_("Set the clock right. If the entries are from the future, accept the clock."),
        command="python manage.py accept_clock",
    )


def _mail() -> Health:
    title = _("Mail")
    if not notices.mail_is_configured():
        return Health(
            "gatekeeper.mail",
            title,
            "off",
            _(
                "No mail leaves, and everything works without: requests show in the inbox, one-time links"
                " on the page of the officer who makes them."
            ),
            next_step=_("To send mail, set GATEKEEPER_MAIL_URL and GATEKEEPER_MAIL_FROM."),
        )
    sentence = _("Notices go through %(host)s.") % {"host": settings.EMAIL_HOST}
    if not settings.DEFAULT_FROM_EMAIL:
        return Health(
            "gatekeeper.mail",
            title,
            "to_fix",
            sentence,
            cause=_("Mail has no sender, and most servers refuse it."),
            next_step=_("Set GATEKEEPER_MAIL_FROM."),
            try_it="test_mail",
        )
    return Health("gatekeeper.mail", title, "ok", sentence, try_it="test_mail")


def _keys() -> Health:
    title = _("Key ring")
    try:
        ring()
    except KeyRingError:
        return Health(
            "gatekeeper.keys",
            title,
            "to_fix",
            _("The key ring cannot be read, so nothing opens."),
            next_step=_("Set GATEKEEPER_KEY_RING from the backup of the keys."),
        )
    return Health("gatekeeper.keys", title, "ok", _("The key ring opens."))


def _agreement() -> Health:
    title, newest = _("Agreement"), agreements.required(at=timezone.now())
    if newest:
        return Health(
            "gatekeeper.nda", title, "ok", _("Version %(number)s is required.") % {"number": newest.number}
        )
    return Health(
        "gatekeeper.nda",
        title,
        "to_fix",
        _("No version of the agreement is in force, so nothing opens."),
        next_step=_("A people officer publishes one under NDAs."),
    )


def _sealer() -> Health:
    title, state = _("Seal of the log"), alarms.sealing("default")
    sealed = (
        _("Last sealed at %(time)s.") % {"time": times.moment(state.sealed_at)}
        if state.sealed_at
        else _("Never sealed.")
    )
    if state.sealed_at and not state.sealer:
        return Health("gatekeeper.seal", title, "ok", sealed)
    if state.held:
        return Health(
            "gatekeeper.seal",
            title,
            "to_fix",
            sealed,
            cause=" ".join([*state.sealer, *_age(state.held[0])]),
            next_step=_(
                "End it as PostgreSQL’s superuser, and find out who speaks as that role: a process of ours"
                " is never in a transaction for so long."
            ),
            command="\n".join(dict.fromkeys(one.remedy for one in state.held)),
        )
    return Health(
        "gatekeeper.seal",
        title,
        "to_fix",
        sealed,
        cause=" ".join(state.sealer) or _("Nothing in the log can be proved yet."),
        next_step=_("See whether the sealer runs, and what it says."),
        command="python manage.py seal_log --every 5",
    )


def _age(oldest: held.HeldUp) -> list[str]:
    """For how long the oldest holds the sealing up, where that is known."""
    if oldest.since is None:
        return []
    age = times.minutes_and_seconds(timezone.now() - oldest.since)
    return [_("By now for %(age)s (minutes:seconds).") % {"age": age}]


def _copies() -> Health:
    title, state = _("Copies of the seal"), alarms.sealing("default")
    if state.sealed_at is None:
        return Health(
            "gatekeeper.copies",
            title,
            "to_fix",
            _("Nothing was sealed yet, so no copy has left the database."),
            next_step=_("Name anchors in the sealer's GATEKEEPER_LOG_ANCHORS, and start it."),
            command="python manage.py seal_log --every 5",
        )
    if not state.copies:
        return Health("gatekeeper.copies", title, "ok", _("Every anchor has the newest checkpoints."))
    return Health(
        "gatekeeper.copies",
        title,
        "to_fix",
        _("Checkpoints do not leave the database as they should."),
        cause=" ".join(state.copies),
        next_step=_("Name anchors in the sealer's GATEKEEPER_LOG_ANCHORS, and see why one fails."),
    )


def _stream() -> Health:
    title, found = _("Stream of the log"), stream.state(timezone.now())
    if found is None and not settings.SIEM_TARGET:
        return Health(
            "gatekeeper.stream",
            title,
            "off",
            _("The log goes to no SIEM."),
            next_step=_("To send it, set GATEKEEPER_SIEM_TARGET and run stream_log."),
        )
    if found is None or found.target != settings.SIEM_TARGET:
        return Health(
            "gatekeeper.stream",
            title,
            "to_fix",
            _("The log does not go where the settings say."),
            cause=found.target if found else "",
            next_step=_("Apply the settings as the migrator, and see whether stream_log runs."),
            command="python manage.py apply_settings",
        )
    sent = (
        _("%(target)s took entries last at %(time)s.")
        % {"target": found.target, "time": times.moment(found.sent_at)}
        if found.sent_at
        else _("%(target)s has taken nothing yet.") % {"target": found.target}
    )
    if not found.is_late:
        return Health("gatekeeper.stream", title, "ok", sent)
    return Health(
        "gatekeeper.stream",
        title,
        "to_fix",
        sent,
        cause=found.failure or _("Sealed entries wait, the oldest for %(time)s.") % {"time": _waited(found)},
        next_step=_("See whether stream_log runs and the receiver answers. Nothing is lost meanwhile."),
        command="python manage.py stream_log --every 5",
    )


def _waited(found: stream.State) -> str:
    return times.minutes_and_seconds(found.lag or timedelta())


def _odd() -> Health:
    title, at = _("Rules that flag entries"), finding.judged_at()
    judged = _("Last judged at %(time)s.") % {"time": times.moment(at)} if at else _("Never judged.")
    if at and timezone.now() - at < finding.LAG:
        return Health("gatekeeper.reviews.rules", title, "ok", judged)
    return Health(
        "gatekeeper.reviews.rules",
        title,
        "to_fix",
        judged,
        cause=_("No new entry of the log is flagged or queued for review."),
        next_step=_("See whether detect runs, and what it says."),
        command="python manage.py detect --every 60",
    )


def _unproved() -> Health:
    """Whether somebody acted in a session that nobody signed in to, and no reviewer has seen it yet."""
    title = _("Sessions of the log")
    waiting = queue.reviews().filter(rules__contains=["unproved"], closed_at=None).count()
    if not waiting:
        return Health(
            "gatekeeper.unproved", title, "ok", _("Each act is by somebody whose sign-in is recorded.")
        )
    return Health(
        "gatekeeper.unproved",
        title,
        "to_fix",
        _("Somebody acted in a session of which no sign-in is recorded."),
        cause=_("Reviews about it: %(count)d. Such a session was made up in the database itself.")
        % {"count": waiting},
        next_step=_("Treat it as an intrusion: change the database's passwords, and review what was seen."),
    )


def _reviews() -> Health:
    title, old, alone = _("Reviews"), queue.too_old().count(), queue.without_reviewer()
    clocks = queue.clocks().filter(serious_at__gt=timezone.now() - units.CLOCK).count()
    causes = []
    if old:
        causes.append(
            _("%(count)d wait for longer than %(days)d days.")
            % {"count": old, "days": settings.REVIEW_ALARM_DAYS}
        )
    if alone:
        causes.append(_("%(count)d are about the only reviewer: there is no other.") % {"count": alone})
    if clocks:
        causes.append(_("%(count)d serious: the 72 hours to tell the authority run.") % {"count": clocks})
    if not causes:
        return Health("gatekeeper.reviews", title, "ok", _("Nothing waits for too long."))
    return Health(
        "gatekeeper.reviews",
        title,
        "to_fix",
        _("What was queued is not decided as it should be."),
        cause=" ".join(causes),
        next_step=_("Reviewers decide under Review; a people officer gives the role to a second person."),
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
    _clock,
    health.helpdesk,
    health.platform,
    _mail,
    optional.helpdesk_links,
    optional.signatures,
    _keys,
    _agreement,
    people_health.able,
    _sealer,
    surroundings.log_key,
    _copies,
    _stream,
    _odd,
    sign_in_health.guesses,
    _unproved,
    people_health.suspensions,
    _reviews,
)
