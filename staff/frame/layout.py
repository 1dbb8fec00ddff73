"""What the base page (staff/frame/base.html) renders around every page: plain data, which whoever fills
it hands over under the name `frame`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from staff.models import Recovery


@dataclass(frozen=True)
class Count:
    """How many things wait at a place, and for what ('to decide')."""

    number: int
    words: str


@dataclass(frozen=True)
class Place:
    """A link of the navigation; `icon` is a heroicon's name, `here` whether this is the present page."""

    name: str
    label: str
    address: str
    icon: str
    here: bool
    count: Count | None = None


@dataclass(frozen=True)
class Search:
    """A field for a number, sent by POST."""

    address: str
    label: str


@dataclass(frozen=True)
class OpenBar:
    """What is open now: in a sentence, until when, and (address, text) of each."""

    label: str
    words: str
    ends_at: datetime
    links: Sequence[tuple[str, str]]


class Layout(Protocol):
    """Each is asked for only where a template shows it."""

    @property
    def places(self) -> Sequence[Place]:
        """The navigation."""

    @property
    def search(self) -> Search:
        """The search in the head of the page."""

    @property
    def bar(self) -> OpenBar | None:
        """The bar of what is open; None when nothing is."""

    @property
    def own(self) -> Sequence[tuple[str, str]]:
        """What a member has of their own beside the profile: (address, words)."""

    @property
    def recoveries(self) -> Sequence[Recovery]:
        """Officers brought back that no reviewer has acknowledged yet."""

    @property
    def recoveries_address(self) -> str:
        """Where a reviewer reads of them."""

    @property
    def every(self) -> int:
        """Seconds between two questions of a page."""

    @property
    def question(self) -> str:
        """The address that a page asks which has no question of its own."""
