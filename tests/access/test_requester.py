"""How a requester stands is said once, by the database: the inbox, an approval, lists and the gate agree."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from gatekeeper.access import requester
from gatekeeper.frame import badges
from gatekeeper.gate import decision, sentences
from staff.models import Member, NdaVersion
from staff.nda import register
from tests.conftest import Connection
from tests.world.people import member
from tests.world.scene import REFERENCE, Scene, newest

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
DAY = timedelta(days=1)


@pytest.fixture
def scene(setup_connection: Connection) -> Scene:
    return Scene(setup_connection)


def signature(**values: object) -> Callable[[Scene], None]:
    def change(scene: Scene) -> None:
        scene.world.quietly("staff_signature", scene.signatures[scene.anna.id], **values)

    return change


def new_version(grace_days: int) -> Callable[[Scene], None]:
    """The manager has signed it; the requester has not."""

    def change(scene: Scene) -> None:
        scene.world.version(2, effective_at=timezone.now() - DAY, grace_days=grace_days)
        scene.world.signature(scene.boss, version=2)

    return change


def ticket(**values: object) -> Callable[[Scene], None]:
    def change(scene: Scene) -> None:
        scene.world.quietly("gatekeeper_ticket", scene.ticket, **values)

    return change


def account(**values: object) -> Callable[[Scene], None]:
    def change(scene: Scene) -> None:
        scene.world.quietly("gatekeeper_account", scene.account, **values)

    return change


def roles(scene: Scene) -> None:
    scene.world.quietly("staff_member", scene.anna.id, roles=["privacy"])


def carls(scene: Scene) -> None:
    scene.world.quietly("gatekeeper_ticket", scene.ticket, assignee_id=scene.carl.id)


TAKEN_AWAY: list[tuple[Callable[[Scene], None], str]] = [
    (roles, "role_missing"),
    (signature(counts_from=None), "nda_missing"),
    (signature(withdrawn_at=timezone.now()), "nda_withdrawn"),
    (new_version(0), "nda_old_version"),
    (ticket(state="solved"), "ticket_closed"),
    (carls, "ticket_not_yours"),
    (account(restricted_at=timezone.now()), "account_restricted"),
]


@pytest.mark.parametrize(("take_away", "reason"), TAKEN_AWAY)
def test_a_manager_is_offered_what_the_database_would_do(
    scene: Scene, take_away: Callable[[Scene], None], reason: str
) -> None:
    request = scene.ask()
    client = scene.browser(scene.boss)
    assert f'id="approve-{request}"' in client.get(reverse("inbox")).content.decode()
    take_away(scene)
    page = client.get(reverse("inbox")).content.decode()
    assert f'id="approve-{request}"' not in page
    assert f'<p class="note error">{requester.sentence(reason)}</p>' in page.replace("&#x27;", "'")
    assert f'action="{reverse("deny", args=[request])}"' in page  # rejecting stays
    answer = client.post(reverse("approve", args=[request]), {"categories": ["", "contact"]}, follow=True)
    assert requester.sentence(reason) in answer.content.decode().replace("&#x27;", "'")
    assert (newest("approve").outcome, newest("approve").reason) == ("refused", reason)


@pytest.mark.parametrize("code", sorted(requester.WORDS))
def test_of_somebody_else_nothing_is_said_in_the_second_person(code: str) -> None:
    assert " you" not in requester.sentence(code).lower()
    assert requester.sentence(code) != sentences.sentence(code)


def test_a_manager_whose_own_agreement_is_over_reads_that_it_is_theirs(scene: Scene) -> None:
    request = scene.ask()
    client = scene.browser(scene.boss)
    scene.world.quietly(
        "staff_signature",
        scene.signatures[scene.boss.id],
        withdrawn_at=timezone.now(),
        withdrawn_why="declared",
    )
    answer = client.post(reverse("approve", args=[request]), {"categories": ["", "contact"]}, follow=True)
    words = answer.content.decode()
    assert requester.sentence("nda_withdrawn") not in words
    assert (newest("approve").outcome, newest("approve").reason) == ("refused", "nda_withdrawn")


def test_a_ticket_given_away_and_back_needs_a_new_request(scene: Scene) -> None:
    asked = scene.ask()
    scene.world.quietly("gatekeeper_assignment", scene.assignment, ended_at=timezone.now())
    scene.world.assign(scene.ticket, scene.anna, [REFERENCE])
    assert scene.approve(asked) == "ticket_not_yours"
    item = scene.browser(scene.boss).get(reverse("approval", args=[asked])).context["item"]
    assert item["refusal"] == requester.sentence("ticket_not_yours")
    assert [row.code for row in item["checks"] if row.condition == "ticket"] == ["ticket_not_yours"]


@pytest.mark.parametrize(
    ("change", "badge"),
    [
        (lambda _scene: None, "in_force"),
        (signature(valid_until=timezone.now() + 5 * DAY), "ending"),
        (signature(counts_from=None), "nda_missing"),
        (signature(valid_until=timezone.now() - timedelta(seconds=1)), "nda_expired"),
        (signature(withdrawn_at=timezone.now()), "nda_withdrawn"),
        (new_version(14), "in_grace"),
        (new_version(0), "nda_old_version"),
    ],
)
def test_all_pages_say_the_same_of_an_agreement(
    scene: Scene, change: Callable[[Scene], None], badge: str
) -> None:
    change(scene)
    line = register.line_of(member(scene.anna))
    assert badges.of_agreement(line) == badge
    code = decision.evaluate(scene.caller, account=REFERENCE).codes["nda"]
    assert code == (line.reason or "passed")
    ends = line.in_force_until
    assert (ends is None) == (code != "passed")
    team = scene.browser(scene.boss).get(reverse("team")).context["members"]
    assert [(one["nda"], one["nda_ends"]) for one in team if one["number"] == scene.anna.number] == [
        (badge, ends)
    ]
    home = scene.browser().get(reverse("home")).context["own"]
    assert (home["nda"], home["nda_ends"]) == (badge, ends)
    desk = _members(scene)
    assert [until for one, _state, until in desk if one.number == scene.anna.number] == [ends]


def _members(scene: Scene) -> list[tuple[Member, str, object]]:
    officer = scene.world.member("people")
    newest_version = NdaVersion.objects.defer("text_en", "text_pl").first()
    assert newest_version is not None
    scene.world.signature(officer, version=newest_version.number)
    client: Client = scene.browser(officer)
    rows: list[tuple[Member, str, object]] = client.get(reverse("members")).context["rows"]
    return rows


def test_in_the_grace_the_end_of_what_is_in_force_is_the_grace_s(scene: Scene) -> None:
    """A signature whose own term runs on for months is over with the grace of the next version."""
    new_version(14)(scene)
    ends = register.line_of(member(scene.anna)).in_force_until
    assert ends is not None
    assert timedelta(days=12) < ends - timezone.now() < timedelta(days=14)


def test_of_two_signatures_the_one_that_lasts_longer_carries_an_approval(scene: Scene) -> None:
    """The old version's own term is longer, but it is over with the grace."""
    scene.world.version(2, effective_at=timezone.now() - DAY, grace_days=2)
    for one in (scene.boss, scene.anna):
        newer = scene.world.signature(one, version=2)
        scene.world.quietly("staff_signature", newer, valid_until=timezone.now() + 30 * DAY)
    assert decision.evaluate(scene.caller, account=REFERENCE).signature == newer


def test_whoever_is_looked_for_on_team_stands_in_no_address(scene: Scene) -> None:
    for number in range(51):
        scene.world.member("consultant", name=f"Ann & Ber {number}", manager=scene.boss)
    client = scene.browser(scene.boss)
    first = client.post(reverse("team"), {"q": "& ber"})
    assert len(first.context["members"]) == 50
    assert "?q=" not in first.content.decode()
    second = client.post(reverse("team"), {"q": "& ber", "page": first.context["following"]})
    assert (len(second.context["members"]), second.context["following"]) == (1, None)
    unsearched = client.get(reverse("team"), {"q": "nobody"}).context["members"]
    assert len(unsearched) == 50
