"""What the gate says of an approval that is missing where one was asked for before: what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.urls import reverse

from gatekeeper.access import requests
from gatekeeper.gate import decision
from tests.world import now
from tests.world.scene import REFERENCE, TICKET, Scene

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


def to_another_and_back(scene: Scene) -> None:
    scene.world.change("gatekeeper_ticket", scene.ticket, assignee_id=scene.carl.id)
    scene.world.change("gatekeeper_assignment", scene.assignment, ended_at=now())
    scene.world.change("gatekeeper_ticket", scene.ticket, assignee_id=scene.anna.id)
    scene.world.assign(scene.ticket, scene.anna, [REFERENCE])


def approved_then_reassigned(scene: Scene) -> None:
    scene.opened()
    to_another_and_back(scene)


def approved_then_unlisted(scene: Scene) -> None:
    scene.approved()
    with scene.world.setup.transaction():
        scene.world.setup.execute("SET LOCAL session_replication_role = replica")
        scene.world.setup.execute("DELETE FROM gatekeeper_accountpermission")


def rejected_then_reassigned(scene: Scene) -> None:
    assert requests.deny(scene.manager, scene.ask(), denial="too_wide") == ""
    to_another_and_back(scene)


def withdrawn(scene: Scene) -> None:
    assert requests.withdraw(scene.caller, scene.ask()) == ""


def lapsed(scene: Scene) -> None:
    scene.ask()
    to_another_and_back(scene)


BEFORE: list[tuple[Callable[[Scene], None], list[str], list[str]]] = [
    (
        approved_then_reassigned,
        ["Approved by ", f"Ticket {TICKET} stopped being assigned to you at", "request access again"],
        ["Zatwierdzono: ", f"Zgłoszenie {TICKET} nie jest już przypisane", "złóż wniosek ponownie"],
    ),
    (approved_then_unlisted, ["Approved by ", "no longer in force"], ["już nie obowiązuje"]),
    (rejected_then_reassigned, ["Rejected by ", "ask for fewer categories"], ["Odrzucone"]),
    (withdrawn, ["The request was withdrawn at"], ["Wniosek wycofano"]),
    (lapsed, ["The request of", "expired undecided at"], ["wygasł bez decyzji"]),
]


@pytest.mark.parametrize(
    ("before", "english", "polish"), BEFORE, ids=lambda one: getattr(one, "__name__", "")
)
@pytest.mark.parametrize("language", ["en", "pl"])
def test_the_gate_says_what_became_of_the_request(
    scene: Scene, before: Callable[[Scene], None], english: list[str], polish: list[str], language: str
) -> None:
    before(scene)
    scene.world.change("staff_member", scene.anna.id, language=language)
    client = scene.browser()
    seen = decision.evaluate(scene.caller, account=REFERENCE, ticket=TICKET)
    assert seen.codes["approval"] == "approval_missing"  # SQL's word stays
    page = client.get(reverse("account", args=[REFERENCE]), {"ticket": TICKET}).content.decode()
    row = page[page.index('data-condition="approval"') :]
    row = row[: row.index("</li>")]
    for words in english if language == "en" else polish:
        assert words in row
    assert "No access has been requested" not in row


def test_where_nobody_was_asked_it_says_so(scene: Scene) -> None:
    page = scene.browser().get(reverse("account", args=[REFERENCE]), {"ticket": TICKET}).content.decode()
    assert "No access has been requested yet. Can approve:" in page
