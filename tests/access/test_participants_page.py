"""The page of participants: each button leads to records, and what a limit refuses shuts nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from audit.database import rows
from gatekeeper.feeds.participant_lines import ParticipantLine
from gatekeeper.templatetags.gate import _CHOICES
from tests.conftest import Connection
from tests.world.scene import REFERENCE, Scene, newest

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
AGAIN = "data-again hidden>Reveal this page again"


@pytest.fixture
def scene(setup_connection: Connection) -> Scene:
    return Scene(setup_connection)


@pytest.fixture
def desk(scene: Scene) -> Client:
    scene.world.participants(REFERENCE, 60)
    scene.opened(categories=["contact", "participants"])
    return scene.browser()


def ask(scene: Scene, desk: Client, **changes: Any) -> Any:
    form = {"grant": scene.grant} | changes
    return desk.post(f"/accounts/{REFERENCE}/participants", form, follow=True)


def offered(answer: Any) -> list[int]:
    numbers: list[int] = answer.context["people"]["offered"]
    return numbers


def test_a_page_that_has_hidden_itself_is_revealed_again_by_one_button(scene: Scene, desk: Client) -> None:
    first = ask(scene, desk, page=1)
    assert offered(first) == [1, 2]
    assert f'name="page" value="1" {AGAIN}' in first.content.decode()
    assert offered(ask(scene, desk, page=2)) == [1, 2, 3]
    assert offered(ask(scene, desk, page=3)) == [2, 3]


@pytest.mark.parametrize(("shown", "pages"), [(175, [1]), (176, []), (200, [])])
def test_no_button_leads_to_more_records_than_may_be_shown(
    scene: Scene, desk: Client, shown: int, pages: list[int]
) -> None:
    scene.world.quietly("gatekeeper_grant", scene.grant, participants_shown=shown)
    page = desk.get(f"/accounts/{REFERENCE}")
    assert offered(page) == pages
    assert ("Find one by its exact e-mail" in page.content.decode()) == (shown == 176)


def test_the_last_page_is_offered_while_its_own_records_fit(scene: Scene, desk: Client) -> None:
    scene.world.quietly("gatekeeper_grant", scene.grant, participants_shown=200 - 25 - 10)
    assert offered(ask(scene, desk, page=2)) == [3]


def test_what_the_number_refuses_leaves_the_account_open(scene: Scene, desk: Client) -> None:
    scene.world.quietly("gatekeeper_grant", scene.grant, participants_shown=190)
    answer = ask(scene, desk, page=1)
    assert newest("view").reason == "view_limit_reached"
    assert answer.status_code == 200
    assert answer.redirect_chain == [(f"/accounts/{REFERENCE}", 302)]
    said = answer.content.decode()
    assert "The approved number of views is used up." in said
    assert "10 records may still be shown" in said


def test_a_reference_is_found_in_any_letters(scene: Scene, desk: Client) -> None:
    answer = ask(scene, desk, q=f"{REFERENCE}-p7".lower())
    [record] = answer.context["people"]["records"]
    assert record["reference"] == f"{REFERENCE}-P7"


def test_each_part_of_a_record_has_a_word_of_its_own() -> None:
    """Else its code would stand on a Polish page."""
    assert set(_CHOICES["person"]) == ParticipantLine.merely_shown


@pytest.mark.parametrize(
    ("page", "shown"),
    [
        *((n, 3) for n in ("3", "4", "85899347", "2147483648", "99999999999999999", "9" * 25)),
        *((n, 1) for n in ("1", "x", "", "²", "9" * 5000)),
    ],
)
def test_beyond_the_last_page_is_the_last_and_no_number_is_the_first(
    scene: Scene, desk: Client, page: str, shown: int
) -> None:
    answer = ask(scene, desk, page=page)
    assert (answer.status_code, answer.context["people"]["page"]) == (200, shown)
    view = newest("view")
    assert (view.outcome, len(view.records or ())) == ("allowed", 10 if shown == 3 else 25)


def test_the_database_takes_every_number_of_a_page(scene: Scene, desk: Client) -> None:
    found = rows(
        "SELECT reason FROM vault.record_view(%s::bytea, %s::jsonb, %s::text, %s::bigint,"
        " '{participants}', false, %s::integer)",
        [scene.caller.digest, scene.caller.context, REFERENCE, scene.grant, 2**31 - 1],
        using="vault",
    )
    assert (found, newest("view").records) == ([(None,)], [])
