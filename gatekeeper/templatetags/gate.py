"""Template tags of Gatekeeper's pages: badges, words of the catalogue, values."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from django import template
from django.conf import settings
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import pgettext, pgettext_lazy

from audit.models import Entry
from gatekeeper import catalogue
from gatekeeper.frame import badges, shown_values
from gatekeeper.gate.sentences import sentence
from gatekeeper.gate.words import WORDS
from gatekeeper.log import sentences
from gatekeeper.models import Ticket
from staff.frame import shown_times
from staff.frame.fragments import fill

register = template.Library()
register.simple_tag(badges.drawn, name="badge")
register.filter(shown_values.lines)
register.filter(shown_values.isolated)

#: A hidden value is as long as any other: the length of a name says something about it.
DOTS: Final = "••••••••••"
_CHOICES: Final[dict[str, dict[str, object]]] = {
    "category": dict(catalogue.CATEGORIES),
    "field": dict(catalogue.FIELDS),
    "purpose": dict(catalogue.PURPOSES),
    "reason": dict(catalogue.REASONS),
    "denial": dict(catalogue.DENIALS),
    "ticket": dict(Ticket.State.choices),
    # the parts of a participant's record, as the platform names them
    "person": {
        "role": pgettext_lazy("participant", "role"),
        "name": pgettext_lazy("participant", "name"),
        "email": pgettext_lazy("participant", "e-mail"),
        "telephone": pgettext_lazy("participant", "telephone"),
        "skype": "Skype",
        "city": pgettext_lazy("participant", "city"),
        "country": pgettext_lazy("participant", "country"),
        "position": pgettext_lazy("participant", "position"),
    },
}


@register.simple_tag
def dots() -> str:
    """Return what stands in a hidden value's place."""
    return DOTS


@register.filter
def words(code: str, kind: str) -> str:
    """`{{ "contact"|words:"category" }}`: a code of the catalogue in words."""
    return str(_CHOICES[kind].get(code, code))


@register.filter
def listed(codes: Iterable[str] | None, kind: str) -> str:
    """Codes of the catalogue as one list in words."""
    return ", ".join(words(code, kind) for code in codes or ())


@register.filter
def categories(codes: Iterable[str] | None) -> str:
    """Codes of categories as one list in words."""
    return listed(codes, "category")


@register.filter
def consent(until: datetime | None, since: datetime | None) -> SafeString | str:
    """Until when a consent runs, or since when; in words when there is none."""
    if until is not None:
        return format_html(_("until %(date)s").replace("%(date)s", "{}"), shown_times.last_day(until))
    if since is not None:
        return format_html(_("since %(date)s").replace("%(date)s", "{}"), shown_times.day(since))
    return pgettext("consent", "none")


@register.filter
def why(code: str) -> str:
    """A reason code as a sentence; an unknown code as itself."""
    return sentence(code) if code in WORDS else code


@register.filter
def facts(entry: Entry) -> list[tuple[str, str]]:
    """All facts of a line of the log that are there, as (label, text) pairs."""
    return sentences.facts(entry)


@register.simple_tag
def ticket(number: str) -> SafeString:
    """A ticket's number, a link into the helpdesk when its address is known."""
    pattern = settings.HELPDESK_TICKET_URL
    if not pattern or not number:
        return fill("gatekeeper/frame/_ticket.html", number=number)
    address = pattern.replace("{number}", number)
    return fill("gatekeeper/frame/_ticket.html", variant="linked", number=number, address=address)
