"""What a stranger wrote turns no line of a page around."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from django.urls import reverse

from gatekeeper.feeds import store
from gatekeeper.feeds.account_lines import AccountLine
from gatekeeper.feeds.jsonlines import parse
from gatekeeper.feeds.participant_lines import ParticipantLine
from gatekeeper.frame.shown_values import isolated
from tests.world.scene import REFERENCE

if TYPE_CHECKING:
    from tests.world.scene import Scene

TURNS = [chr(point) for point in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))]

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


@pytest.mark.parametrize("sign", TURNS, ids=[f"{ord(sign):04X}" for sign in TURNS])
def test_each_sign_that_turns_is_shown_as_its_code(sign: str) -> None:
    assert isolated(f"{sign}gnp.exe") == f"<bdi>[U+{ord(sign):04X}]gnp.exe</bdi>"


def test_letters_of_either_direction_stay_and_html_is_escaped() -> None:
    arabic = "\u0645\u0631\u062d\u0628\u0627\u200f"
    assert isolated(arabic) == f"<bdi>{arabic}</bdi>"
    assert isolated("<b>") == "<bdi>&lt;b&gt;</bdi>"


def test_revealed_values_stand_apart_on_the_page(scene: Scene) -> None:
    line = {
        "reference": REFERENCE,
        "exported_at": datetime.now(UTC).isoformat(),
        "contact": {"name": "\u202egnp.exe"},
        "activity": {"settings": {"\u202ekey": "\u2067value"}},
        "consent": {"participants_since": "2024-01-01T00:00:00Z"},
    }
    person = {"account": REFERENCE, "reference": f"{REFERENCE}-P1", "name": "\u2069\u202efdp.exe"}
    stored = store.store_accounts([parse(json.dumps(line).encode(), AccountLine)], "test")
    assert stored == {REFERENCE: "changed"}
    store.store_participants([parse(json.dumps(person).encode(), ParticipantLine)], "test")
    client = scene.browser()
    grant = scene.opened(categories=["contact", "activity", "participants"])
    fields = {"fields": ["contact.name", "activity.settings"]}
    pages = scene.post_reveal(client, **fields).content.decode()
    form = {"grant": grant, "page": 1}
    pages += client.post(reverse("participants", args=[REFERENCE]), form).content.decode()
    for shown in (
        "<bdi>[U+202E]gnp.exe</bdi>",
        "<bdi>[U+202E]key</bdi>",
        "<bdi>[U+2067]value</bdi>",
        "<bdi>[U+2069][U+202E]fdp.exe</bdi>",
    ):
        assert shown in pages
    assert not set(TURNS) & set(pages)
