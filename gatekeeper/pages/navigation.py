"""The places of the rail, by role."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy


@dataclass(frozen=True)
class NavItem:
    """A place in the rail; `name` is the address's name, `icon` a heroicon's."""

    name: str
    label: str
    icon: str


_NAVIGATION: Final[tuple[tuple[str, Promise, str, frozenset[str]], ...]] = (
    ("home", pgettext_lazy("page", "Home"), "home", frozenset()),
    ("inbox", pgettext_lazy("page", "Inbox"), "inbox", frozenset({"manager"})),
    (
        "team",
        pgettext_lazy("page", "Team"),
        "users",
        frozenset({"manager", "reviewer", "people"}),
    ),
    ("entries", pgettext_lazy("page", "Log"), "clipboard-document-list", frozenset({"reviewer"})),
    ("reports", pgettext_lazy("page", "Reports"), "document-text", frozenset({"privacy"})),
    ("reviews", pgettext_lazy("page", "Review"), "eye", frozenset({"reviewer"})),
    ("members", pgettext_lazy("page", "Members"), "identification", frozenset({"people"})),
    ("ndas", pgettext_lazy("page", "NDAs"), "document-check", frozenset({"people"})),
    ("proposals", pgettext_lazy("page", "Confirm"), "user-plus", frozenset({"people", "administrator"})),
    ("checks", pgettext_lazy("page", "Checks"), "wrench-screwdriver", frozenset({"administrator"})),
)


def places(roles: Sequence[str]) -> list[NavItem]:
    """In: a member's roles. Out: the places they have; everybody has a home."""
    held = frozenset(roles)
    return [
        NavItem(name, str(label), icon)
        for name, label, icon, wanted in _NAVIGATION
        if not wanted or wanted & held
    ]
