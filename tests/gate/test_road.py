"""The road of a reveal is drawn in gatekeeper/README.md, and it is the one that a reveal takes."""

from __future__ import annotations

import re
import sys
from collections import Counter
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

import pytest
from django.urls import reverse

from tests import readme
from tests.world.scene import REFERENCE, Scene, newest

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

ROOMS = ("gatekeeper", "staff", "audit")


#: Where the road leads: the one call that decides, records and releases.
VAULT = "gatekeeper/gate/vault.py"
#: A request comes in by a room of each and goes on to the gate: it leaves each once, and once more may be.
LEAVES_AT_MOST = 2


@dataclass
class Trace:
    """What was called of ours: `files` in the order of their first call, and `stacks`, in which rooms the
    callers of the vault were, the first of them first; neighbours in one room are one."""

    files: dict[str, None] = field(default_factory=dict)
    stacks: set[tuple[str, ...]] = field(default_factory=set)

    def note(self, frame: FrameType, event: str, _: object) -> None:
        """Called by Python for each call."""
        if event == "call" and (file := ours(frame)):
            self.files.setdefault(file)
            if file == VAULT:
                self.stacks.add(tuple(room for room, _ in groupby(rooms(frame))))


def ours(frame: FrameType) -> str:
    """The file of a call, from the repository's root; '' where it is none of ours."""
    file = frame.f_code.co_filename.removeprefix(f"{readme.ROOT}/")
    return file if file.startswith(tuple(f"{room}/" for room in ROOMS)) else ""


def rooms(frame: FrameType | None) -> list[str]:
    """The rooms in which those are who wait for a call, and its own."""
    found = []
    while frame:
        if file := ours(frame):
            found.append(file.partition("/")[0])
        frame = frame.f_back
    return found[::-1]


def traced(act: Callable[[], object]) -> Trace:
    """Do something, and return what it called."""
    trace = Trace()
    sys.setprofile(trace.note)
    try:
        act()
    finally:
        sys.setprofile(None)
    return trace


def test_the_road_of_a_reveal_is_the_one_that_is_drawn(scene: Scene) -> None:
    grant = scene.opened()
    client = scene.browser(scene.anna)
    form = {"grant": grant, "fields": ["contact.name"]}
    address = reverse("reveal", args=[REFERENCE])
    in_place = {"HX-Request": "true"}
    client.post(address, form, headers=in_place)  # what is made once for a process is made
    road = traced(lambda: client.post(address, form, headers=in_place))
    assert newest("view").outcome == "allowed"
    assert list(road.files) == re.findall(r"[\w/]+\.py\b", readme.stands("road"))
    assert road.stacks
    for stack in road.stacks:
        assert max(Counter(stack[:-1]).values()) <= LEAVES_AT_MOST, stack
