"""What an administrator looks after of the log: its clock, its seal, the copies of it and its stream."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.database import rows
from audit.seal import alarms, delays
from audit.siem import stream
from gatekeeper.frame.health_row import Health
from staff.frame import times

#: How far two clocks may be apart: the step of a one-time code.
APART: Final = timedelta(seconds=30)


def clock() -> Health:
    """Whether this machine's clock and the database's agree, and the newest entry is not of the future."""
    before = timezone.now()
    [(now, is_behind)] = rows(
        "SELECT c.now, (SELECT timestamp > c.now FROM audit_entry ORDER BY id DESC LIMIT 1)"
        " FROM (SELECT clock_timestamp()) AS c (now)"
    )
    row = partial(Health, "gatekeeper.clock", _("Clock"))
    if is_behind:
        return row(
            "to_fix",
            _("The database's clock is behind the newest entry, so nothing opens."),
            next_step=_("Set the clock right. If the entries are from the future, accept the clock."),
            command="python manage.py accept_clock",
        )
    apart = _apart(now, before, timezone.now())
    if apart:
        return row(
            "to_fix",
            apart,
            cause=_("Access ends by the database’s clock; times left, codes and messages go by this one."),
            next_step=_("Synchronise both machines with the same time server (NTP)."),
        )
    return row("ok", _("Not behind the newest entry, and the same as this machine’s."))


def _apart(theirs: datetime, before: datetime, after: datetime) -> str:
    """How far the database's clock is from ours, which said `before` and `after`; '' where near enough."""
    ahead, behind = theirs - after, before - theirs
    if max(ahead, behind) <= APART:
        return ""
    age = {"age": times.minutes_and_seconds(max(ahead, behind))}
    if ahead > behind:
        return _("The database’s clock is ahead of this machine’s by %(age)s (minutes:seconds).") % age
    return _("The database’s clock is behind this machine’s: by %(age)s (minutes:seconds).") % age


def sealer() -> Health:
    """Whether the log is sealed, and by a sealer that runs."""
    title, state = _("Seal of the log"), alarms.sealing("default")
    row = partial(Health, "gatekeeper.seal", title)
    sealed = _("Never sealed.")
    if state.sealed_at:
        sealed = _("Last sealed at %(time)s.") % {"time": times.moment(state.sealed_at)}
    if state.sealed_at and not state.sealer:
        return row("ok", sealed)
    if state.delays:
        return _delayed(row, sealed, state)
    return row(
        "to_fix",
        sealed,
        cause=" ".join(state.sealer) or _("Nothing in the log can be proved yet."),
        next_step=_("Check whether the sealer runs, and its messages."),
        command="python manage.py seal_log --every 5",
    )


def _delayed(row: Callable[..., Health], sealed: str, state: alarms.Sealing) -> Health:
    """Transactions hold it up, which PostgreSQL's superuser can end."""
    return row(
        "to_fix",
        sealed,
        cause=" ".join([*state.sealer, *_age(state.delays[0])]),
        next_step=_(
            "End it as PostgreSQL’s superuser, and find out who speaks as that role: a process of ours"
            " is never in a transaction for so long."
        ),
        command="\n".join(dict.fromkeys(one.remedy for one in state.delays)),
    )


def _age(oldest: delays.Delay) -> list[str]:
    """For how long the oldest holds the sealing up, where that is known."""
    if oldest.since is None:
        return []
    age = times.minutes_and_seconds(timezone.now() - oldest.since)
    return [_("By now for %(age)s (minutes:seconds).") % {"age": age}]


def copies() -> Health:
    """Whether checkpoints leave the database."""
    state = alarms.sealing("default")
    row = partial(Health, "gatekeeper.copies", _("Copies of the seal"))
    if state.sealed_at is None:
        return row(
            "to_fix",
            _("Nothing was sealed yet, so no copy has left the database."),
            next_step=_("Name anchors in the sealer's GATEKEEPER_LOG_ANCHORS, and start it."),
            command="python manage.py seal_log --every 5",
        )
    return _anchored(row, state.copies)


def _anchored(row: Callable[..., Health], wrong: Sequence[str]) -> Health:
    if not wrong:
        return row("ok", _("Every anchor has the newest checkpoints."))
    return row(
        "to_fix",
        _("Checkpoints do not leave the database as they should."),
        cause=" ".join(wrong),
        next_step=_("Name anchors in the sealer's GATEKEEPER_LOG_ANCHORS, and see why one fails."),
    )


def streaming() -> Health:
    """Whether entries reach the SIEM, where one is named."""
    title, found = _("Stream of the log"), stream.state(timezone.now())
    row = partial(Health, "gatekeeper.stream", title)
    if found is None and not settings.SIEM_TARGET:
        return row(
            "off",
            _("The log goes to no SIEM."),
            next_step=_("To send it, set GATEKEEPER_SIEM_TARGET and run stream_log."),
        )
    if found is None or found.target != settings.SIEM_TARGET:
        return _elsewhere(row, found)
    return _on_its_way(row, found)


def _elsewhere(row: Callable[..., Health], found: stream.State | None) -> Health:
    return row(
        "to_fix",
        _("The log is not sent where the settings say."),
        cause=found.target if found else "",
        next_step=_("Apply the settings as the migrator, and see whether stream_log runs."),
        command="python manage.py apply_settings",
    )


def _on_its_way(row: Callable[..., Health], found: stream.State) -> Health:
    """The log goes where the settings say: how far it has come, and whether it is late."""
    facts = {"target": found.target, "time": times.moment(found.sent_at) if found.sent_at else ""}
    sent = _("%(target)s took entries last at %(time)s.")
    if not found.sent_at:
        sent = _("%(target)s has taken nothing yet.")
    sent %= facts
    if not found.is_late:
        return row("ok", sent)
    return row(
        "to_fix",
        sent,
        cause=found.failure
        or _("Sealed entries are waiting, the oldest for %(time)s.") % {"time": _waited(found)},
        next_step=_("See whether stream_log runs and the receiver answers. Nothing is lost meanwhile."),
        command="python manage.py stream_log --every 5",
    )


def _waited(found: stream.State) -> str:
    return times.minutes_and_seconds(found.lag or timedelta())
