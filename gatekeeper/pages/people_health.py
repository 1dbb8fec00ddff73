"""Checks of those without whom nobody could undo what was closed: how many can act, and who suspends many."""

from __future__ import annotations

from functools import partial

from django.utils.translation import gettext as _

from gatekeeper.frame.health_row import Health
from gatekeeper.reviews import queue
from staff.directory import people
from staff.directory.proposals import GUARDED
from staff.models import Role

#: Of each role so many have to be able to act: what takes two people must stay possible.
ENOUGH = 2


def able() -> Health:
    """How many people officers, reviewers and administrators are able to act, as the database says it."""
    title, words = _("People who can act"), dict(Role.choices)
    row = partial(Health, "staff.able", title)
    counts = {role: people.able(role) for role in GUARDED}
    sentence = ", ".join(f"{words[role]}: {count}" for role, count in counts.items()) + "."
    if min(counts.values()) >= ENOUGH:
        return row("ok", sentence)
    return row(
        "to_fix",
        sentence,
        cause=_("Two of each are needed: nobody confirms or reviews their own."),
        next_step=_(
            "A people officer gives the role to a second person, or finds out what keeps one from acting."
        ),
        command="python manage.py recover NUMBER NUMBER" if counts[Role.PEOPLE] < ENOUGH else "",
    )


def suspensions() -> Health:
    """Whether one person has suspended many in a short time, and no reviewer has seen it yet."""
    row = partial(Health, "gatekeeper.suspensions", _("Suspensions"))
    waiting = queue.reviews().filter(rules__contains=["suspensions"], closed_at=None).count()
    if not waiting:
        return row("ok", _("Nobody suspended many members in a short time."))
    return row(
        "to_fix",
        _("One person suspended several members in a short time."),
        cause=_("Reviews about it: %(count)d.") % {"count": waiting},
        next_step=_(
            "Reviewers decide under Review."
            " What one person did alone to those who must be able to act ends by itself."
        ),
    )
