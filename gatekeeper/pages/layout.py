"""What stands around every page: navigation with counts, search, open accesses (staff/frame/layout.py)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import get_language, ngettext, pgettext
from django.utils.translation import gettext as _

from gatekeeper.access.desk import desk_of, mark
from gatekeeper.access.pieces import open_grants
from gatekeeper.access.views import live
from gatekeeper.pages.navigation import places as places_of
from staff.frame.layout import Count, OpenBar, Place, Search

if TYPE_CHECKING:
    from django.http import HttpRequest

    from gatekeeper.access.desk import Desk
    from staff.frame.layout import Layout
    from staff.models import Recovery


def context(request: HttpRequest) -> dict[str, Layout]:
    """Context processor: the frame of a member who has proved both factors; nobody else has one."""
    desk = desk_of(request)
    return {} if desk is None else {"frame": _Layout(request.path, desk)}


class _Layout:
    every = live.EVERY

    def __init__(self, path: str, desk: Desk) -> None:
        self._path, self._desk = path, desk

    @property
    def places(self) -> list[Place]:
        return [
            Place(name, label, address, icon, self._is_here(name, address), self._count(name))
            for name, label, address, icon in _links(tuple(self._desk.roles), get_language())
        ]

    def _is_here(self, name: str, address: str) -> bool:
        return self._path == address if name == "home" else self._path.startswith(address)

    def _count(self, name: str) -> Count | None:
        if name == "inbox":
            return Count(self._desk.inbox, _("to decide"))
        if name == "proposals":
            return Count(self._desk.proposals, _("to confirm"))
        return None

    @property
    def search(self) -> Search:
        return Search(reverse("go"), _("Account or ticket number"))

    @property
    def bar(self) -> OpenBar | None:
        opened = self._desk.open_grants
        if not opened:
            return None
        words = ngettext("%(number)s open access", "%(number)s open accesses", len(opened))
        links = {one.reference: (address, one.reference) for one, address in open_grants(opened)}
        return OpenBar(
            _("Open accesses"), words % {"number": len(opened)}, opened[0].ends_at, tuple(links.values())
        )

    @property
    def own(self) -> tuple[tuple[str, str], ...]:
        return ((reverse("own_entries"), pgettext("page", "My activity")),)

    @property
    def recoveries(self) -> list[Recovery]:
        return self._desk.recoveries

    @property
    def recoveries_address(self) -> str:
        return f"{reverse('entries')}?{urlencode({'q': 'event:recover'})}"

    @property
    def question(self) -> str:
        return f"{reverse('pulse')}?{urlencode({'seen': mark(None, self._desk.mark)})}"


@lru_cache(maxsize=512)
def _links(roles: tuple[str, ...], _language: str) -> tuple[tuple[str, str, str, str], ...]:
    """(name, label, address, icon) of each place of these roles."""
    return tuple((one.name, one.label, reverse(one.name), one.icon) for one in places_of(roles))
