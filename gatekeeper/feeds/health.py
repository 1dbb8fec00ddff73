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
    """The last contact, and whether its tickets can be relied on."""
    title, minutes = _("Helpdesk"), settings.LIMITS["ticket_feed_max_age_minutes"]
    row = partial(Health, "gatekeeper.feed", title)
    feed = Feed.objects.filter(name=doubts.HELPDESK).first()
    contact = _last_contact(feed)
    relied_on_from = feed.relied_on_from if feed else None
    ends_at = relied_on_from + timedelta(minutes=minutes) if relied_on_from else None
    fresh = not minutes or (ends_at is not None and timezone.now() < ends_at)
    if feed and feed.doubted_at:
        return _doubted(feed, title, contact, closes_at=ends_at if minutes else None, fresh=fresh)
    if not minutes or fresh:
        return _relied_on(row, contact, always=not minutes)
    return row(
        "to_fix",
        contact,
        cause=_("No ticket counts as open until the next contact with the helpdesk."),
        next_step=_("See why its webhooks do not arrive, or import the tickets."),
        command="python manage.py import_tickets FILE",
    )


def _relied_on(row: Callable[..., Health], contact: str, *, always: bool) -> Health:
    """Its tickets count: because contact is recent, or because its silence does not close the gate."""
    if always:
        return row(
            "off",
            _("%(contact)s Tickets stay as they are, however long it sends nothing.") % {"contact": contact},
            next_step=_(
                "To close the gate when it sends nothing, set GATEKEEPER_TICKET_FEED_MAX_AGE_MINUTES."
            ),
        )
    return row("ok", contact)


def _last_contact(feed: Feed | None) -> str:
    if feed and feed.contact_at:
        return _("Last contact at %(time)s.") % {"time": times.moment(feed.contact_at)}
    return _("No contact so far.")


def _doubted(feed: Feed, title: str, contact: str, *, closes_at: datetime | None, fresh: bool) -> Health:
    """The helpdesk sends messages, but what is stored of it may be wrong."""
    cause = str(Feed.Doubt(feed.doubt).label)
    if not fresh:
        cause += " " + _("No ticket counts as open until a complete list of tickets comes.")
    elif closes_at:
        words = _("From %(time)s on no ticket counts as open, unless a complete list comes first.")
        cause += " " + words % {"time": times.moment(closes_at)}
    return Health(
        "gatekeeper.feed",
        title,
        "to_fix",
        contact,
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
