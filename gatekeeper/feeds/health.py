"""The rows of the page of checks about who sends us what: the helpdesk and the platform."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from gatekeeper.feeds import doubts
from gatekeeper.frame.health_row import Health
from gatekeeper.models import Feed
from staff.frame import times


def helpdesk() -> Health:
    """When it was last heard, and whether its tickets can be relied on."""
    title, minutes = _("Helpdesk"), settings.LIMITS["ticket_feed_max_age_minutes"]
    row = partial(Health, "gatekeeper.feed", title)
    feed = Feed.objects.filter(name=doubts.HELPDESK).first()
    heard = _heard(feed)
    relied_on_from = feed.relied_on_from if feed else None
    ends_at = relied_on_from + timedelta(minutes=minutes) if relied_on_from else None
    fresh = not minutes or (ends_at is not None and timezone.now() < ends_at)
    if feed and feed.doubted_at:
        return _doubted(feed, title, heard, shuts_at=ends_at if minutes else None, fresh=fresh)
    if not minutes or fresh:
        return _relied_on(row, heard, always=not minutes)
    return row(
        "to_fix",
        heard,
        cause=_("No ticket counts as open until the helpdesk is heard again."),
        next_step=_("See why its webhooks do not arrive, or import the tickets."),
        command="python manage.py import_tickets FILE",
    )


def _relied_on(row: Callable[..., Health], heard: str, *, always: bool) -> Health:
    """Its tickets count: because it was heard in time, or because no silence of its shuts the gate."""
    if always:
        return row(
            "off",
            _("%(heard)s However long it is silent, tickets stay as they are.") % {"heard": heard},
            next_step=_("To let its silence shut the gate, set GATEKEEPER_TICKET_FEED_MAX_AGE_MINUTES."),
        )
    return row("ok", heard)


def _heard(feed: Feed | None) -> str:
    if feed and feed.heard_at:
        return _("Last heard at %(time)s.") % {"time": times.moment(feed.heard_at)}
    return _("Never heard.")


def _doubted(feed: Feed, title: str, heard: str, *, shuts_at: datetime | None, fresh: bool) -> Health:
    """The helpdesk is heard, but what is held of it may be wrong."""
    cause = str(Feed.Doubt(feed.doubt).label)
    if not fresh:
        cause += " " + _("No ticket counts as open until a complete list of tickets comes.")
    elif shuts_at:
        words = _("From %(time)s on no ticket counts as open, unless a complete list comes first.")
        cause += " " + words % {"time": times.moment(shuts_at)}
    return Health(
        "gatekeeper.feed",
        title,
        "to_fix",
        heard,
        cause=cause,
        next_step=_(
            "Import a complete list of tickets, or see that a heartbeat with a matching digest comes."
        ),
        command="python manage.py import_tickets --complete FILE",
    )


def platform() -> Health:
    """Whether every message of it could be read."""
    title, feed = _("Platform"), Feed.objects.filter(name=doubts.PLATFORM).exclude(doubted_at=None).first()
    row = partial(Health, "gatekeeper.platform", title)
    if feed is None or feed.doubted_at is None:
        return row("ok", _("Every authentic message could be read."))
    return row(
        "to_fix",
        str(Feed.Doubt(feed.doubt).label),
        cause=_("It came at %(time)s, and may have restricted or erased an account.")
        % {"time": times.moment(feed.doubted_at)},
        next_step=_("See what the platform sent, and import all accounts again."),
        command="python manage.py import_accounts FILE",
    )
