"""The road of a reveal is drawn in gatekeeper/README.md, and it is the one that a reveal takes."""

from __future__ import annotations

import re
import sys
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


def traced(act: Callable[[], object]) -> list[str]:
    """Do something; return our files whose functions it called, in the order of their first call."""
    files: dict[str, None] = {}

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            files.setdefault(frame.f_code.co_filename)

    sys.setprofile(note)
    try:
        act()
    finally:
        sys.setprofile(None)
    root = f"{readme.ROOT}/"
    ours = [file.removeprefix(root) for file in files if file.startswith(root)]
    return [file for file in ours if file.startswith(tuple(f"{room}/" for room in ROOMS))]


def test_the_road_of_a_reveal_is_the_one_that_is_drawn(scene: Scene) -> None:
    grant = scene.opened()
    client = scene.browser(scene.anna)
    form = {"grant": grant, "fields": ["contact.name"]}
    address = reverse("reveal", args=[REFERENCE])
    client.post(address, form)  # what is made once for a process is made
    road = traced(lambda: client.post(address, form))
    assert newest("view").outcome == "allowed"
    assert road == re.findall(r"[\w/]+\.py\b", readme.stands("road"))
