"""How often the pages of an account go to the database, and what for.

A count is no measure of speed: it holds that no page asks twice, or for one thing after the other. Whatever
else such a page wants to know belongs into one of these statements.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

import pytest
from django.db import connections
from django.urls import reverse
from django.utils import timezone

from gatekeeper.access import grants
from gatekeeper.gate import decision
from tests.world.scene import REFERENCE, Scene

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

#: Every statement of these pages: what it is for, the connection, and by which words it is known.
STATEMENTS: Final = {
    # Whose request it is, what pages noted for this one, and whether officers were brought back: one row.
    "session": ("default", "staff.session_by("),
    # All conditions, at this moment: no page is shown on an answer that an earlier request was given.
    "gate": ("default", "FROM gatekeeper.gate(p_"),
    # What is open, for the frame and the page, what was asked for beside it, and what is left of the day. The
    # gate answers for each access, but for the one for which it has answered in this request.
    "open_grants": ("default", "FROM gatekeeper_grant g"),
    # Record and release: two transactions, of the only role that is given a value.
    "reveal": ("vault", "CALL vault.reveal("),
    # Which fields of a category hold a value: a reveal names its fields, and the record is of these.
    "filled": ("default", '"gatekeeper_account"."filled"'),
    # That the form was answered with a page is known at the end alone. Sent again, it does nothing.
    "note": ("default", "INSERT INTO staff_sessionnotes"),
}


def asked(act: Callable[[], Any], status: int) -> list[str]:
    """What the database was asked for an answer of this status, in order, over all connections."""
    found: list[str] = []

    def note(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        alias = context["connection"].alias
        names = [name for name, (of, words) in STATEMENTS.items() if of == alias and words in sql]
        found.append(names[0] if names else f"{alias}: {sql}")
        return execute(sql, params, many, context)

    with ExitStack() as stack:
        for alias in connections:
            stack.enter_context(connections[alias].execute_wrapper(note))
        assert act().status_code == status
    return found


def test_an_accounts_page_asks_three_times(scene: Scene) -> None:
    scene.opened()
    client, url = scene.browser(), reverse("account", args=[REFERENCE])
    client.get(url)
    assert asked(lambda: client.get(url), 200) == ["session", "gate", "open_grants"]


def test_a_page_with_a_reveal_asks_four_times(scene: Scene) -> None:
    scene.opened()
    client = scene.browser()
    scene.post_reveal(client, csrfmiddlewaretoken="one")
    found = asked(lambda: scene.post_reveal(client, csrfmiddlewaretoken="another"), 200)
    assert found == ["session", "reveal", "open_grants", "note"]


def test_a_reveal_in_place_asks_twice(scene: Scene) -> None:
    scene.opened()
    client = scene.browser()
    form = {"grant": scene.grant, "fields": ["contact.name"]}
    url, part = reverse("reveal", args=[REFERENCE]), {"HX-Request": "true"}
    assert asked(lambda: client.post(url, form, headers=part), 200) == ["session", "reveal"]


def test_a_reveal_of_a_category_asks_first_which_of_its_fields_hold_a_value(scene: Scene) -> None:
    scene.opened()
    client, url = scene.browser(), reverse("reveal", args=[REFERENCE])
    form = {"grant": scene.grant, "category": "company", "csrfmiddlewaretoken": "one"}
    found = asked(lambda: client.post(url, form), 200)
    assert found == ["session", "filled", "reveal", "open_grants", "note"]


def test_a_question_to_which_nothing_is_new_asks_twice(scene: Scene) -> None:
    scene.opened()
    client = scene.browser()
    question = client.get(reverse("account", args=[REFERENCE])).context["live_url"]
    assert asked(lambda: client.get(question, headers={"HX-Request": "true"}), 204) == [
        "session",
        "open_grants",
    ]


@pytest.mark.parametrize("is_shown", [True, False])
def test_the_gate_is_not_asked_again_for_what_it_answered_in_this_request(
    scene: Scene, is_shown: bool
) -> None:
    scene.opened()
    shown = decision.evaluate(scene.caller, account=REFERENCE)
    values = {
        "digest": scene.caller.digest,
        "shown": shown.grant_id if is_shown else None,
        "signature": shown.signature,
        "member": scene.anna.id,
        "account": REFERENCE,
        "today": timezone.localdate(),
    }
    with connections["default"].cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF) {grants._OPEN_GRANTS}", values)
        [asks] = [line for (line,) in cursor.fetchall() if "Function Scan on gate" in line]
    assert ("never executed" in asks) is is_shown
