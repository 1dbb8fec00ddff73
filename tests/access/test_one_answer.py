"""What is another's is answered as what does not exist: nobody learns which numbers there are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse

from audit.models import Entry
from tests.world.scene import REFERENCE, enter

if TYPE_CHECKING:
    from django.test import Client

    from tests.world.scene import Scene

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
NOBODYS = 999_999


def told(answer: Any) -> tuple[int, str, str]:
    """All that an answer tells people, but for numbers: of what was asked for, and of the clock."""
    main = re.split(r"<main[^>]*>", answer.content.decode())[-1]
    words = " ".join(re.sub(r"<[^>]*>", " ", main).split())
    return answer.status_code, answer.get("Location", ""), re.sub(r"[0-9]+", "#", words)


def answers(client: Client, name: str, number: object, form: dict[str, Any] | None) -> tuple[int, str, str]:
    address = reverse(name, args=[number])
    return told(client.get(address) if form is None else client.post(address, form))


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("approval", None),
        ("approve", {"categories": ["contact"]}),
        ("approve", {}),
        ("deny", {"denial": "unclear"}),
        ("withdraw", {}),
    ],
)
@pytest.mark.parametrize("who", ["consultant", "manager", "privacy", "administrator"])
def test_anothers_request(scene: Scene, name: str, form: dict[str, Any] | None, who: str) -> None:
    waiting = scene.ask()
    other = scene.world.member(who)
    scene.world.signature(other)
    client = enter(scene.world, other)
    theirs, nobodys = (answers(client, name, number, form) for number in (waiting, NOBODYS))
    assert theirs == nobodys
    if name == "approve" and form:
        outcomes = Entry.objects.filter(event="approve").values_list("outcome", "reason")
        assert list(outcomes) == [("refused", "role_missing")] * 2


@pytest.mark.parametrize("who", ["consultant", "privacy", "administrator"])
def test_a_member_whom_one_may_not_suspend(scene: Scene, who: str) -> None:
    other = scene.world.member(who)
    scene.world.signature(other)
    client = enter(scene.world, other)
    numbers = (scene.carl.number, "K-9999")
    for form in ({}, {"sure": "1"}):
        addresses = [reverse("member_action", args=[number, "suspend"]) for number in numbers]
        theirs, nobodys = (told(client.post(address, form)) for address in addresses)
        assert theirs == nobodys
        assert theirs[0] == 403
    refused = Entry.objects.filter(event="change", outcome="refused", member=other.number)
    assert refused.count() == 4


def test_a_member_whom_nobody_is_for_whoever_may_suspend(scene: Scene) -> None:
    client = enter(scene.world, scene.boss)
    address = reverse("member_action", args=["K-9999", "suspend"])
    assert [client.post(address, form).status_code for form in ({}, {"sure": "1"})] == [404, 404]


@pytest.mark.parametrize("state", ["open", "closed"])
def test_anothers_ticket_on_ones_own_account(scene: Scene, state: str) -> None:
    scene.world.ticket("ZD-10009", assignee=scene.carl, accounts=[REFERENCE], state=state)
    client = scene.browser()
    for name in ("account", "gate_state", "ask"):
        address = reverse(name, args=[REFERENCE])
        theirs, nobodys = (
            told(client.get(address, {"ticket": number})) for number in ("ZD-10009", "ZD-99999")
        )
        assert theirs == nobodys
        assert theirs[0] == 403
        assert "assigned to you" in theirs[2]
