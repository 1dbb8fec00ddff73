"""What an administrator looks after of reviews: the rules that flag, sessions without a sign-in, a queue."""

from __future__ import annotations

from functools import partial

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from gatekeeper.frame.health_row import Health
from gatekeeper.reviews import finding, queue, units
from staff.frame import times


def flagged() -> Health:
    """Whether the rules have judged what the log has."""
    title, at = _("Rules that flag entries"), finding.judged_at()
    row = partial(Health, "gatekeeper.reviews.rules", title)
    judged = _("Last judged at %(time)s.") % {"time": times.moment(at)} if at else _("Never judged.")
    if at and timezone.now() - at < finding.LAG:
        return row("ok", judged)
    return row(
        "to_fix",
        judged,
        cause=_("No new entry of the log is flagged or queued for review."),
        next_step=_("Check whether detect runs, and its messages."),
        command="python manage.py detect --every 60",
    )


def unproved() -> Health:
    """Whether somebody acted in a session that nobody signed in to, and no reviewer has seen it yet."""
    row = partial(Health, "gatekeeper.unproved", _("Sessions of the log"))
    waiting = queue.reviews().filter(rules__contains=["unproved"], closed_at=None).count()
    if not waiting:
        return row("ok", _("Each act is by somebody whose sign-in is recorded."))
    return row(
        "to_fix",
        _("Somebody acted in a session of which no sign-in is recorded."),
        cause=_("Reviews about it: %(count)d. Such a session was made up in the database itself.")
        % {"count": waiting},
        next_step=_("Treat it as an intrusion: change the database's passwords, and review what was seen."),
    )


def reviews() -> Health:
    """Whether something in the queue waits for too long."""
    row, causes = partial(Health, "gatekeeper.reviews", _("Reviews")), _overdue()
    if not causes:
        return row("ok", _("Nothing waits for too long."))
    return row(
        "to_fix",
        _("Queued reviews are not decided in time."),
        cause=" ".join(causes),
        next_step=_("Reviewers decide under Review; a people officer gives the role to a second person."),
    )


def _overdue() -> list[str]:
    """What waits for too long, or for somebody who is not there."""
    old, alone = queue.too_old().count(), queue.without_reviewer()
    clocks = queue.clocks().filter(serious_at__gt=timezone.now() - units.CLOCK).count()
    causes = []
    if old:
        facts = {"count": old, "days": settings.LIMITS["review_alarm_days"]}
        causes.append(_("%(count)d wait for longer than %(days)d days.") % facts)
    if alone:
        causes.append(_("%(count)d are about the only reviewer: there is no other.") % {"count": alone})
    if clocks:
        causes.append(
            _("%(count)d serious: the 72 hours to notify the authority are running.") % {"count": clocks}
        )
    return causes
