"""Copying a field: fetched to the clipboard without being shown, recorded first, and a view everywhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from audit.models import VIEWS, Entry, Event
from gatekeeper.access import prints
from gatekeeper.gate import answers, decision
from gatekeeper.models import DailyBudget, Grant
from gatekeeper.reports import report
from gatekeeper.reviews import units
from tests import readme
from tests.world import VALUES
from tests.world.desks import EMAIL, Desks
from tests.world.scene import REFERENCE, Scene, newest

if TYPE_CHECKING:
    from tests.conftest import Connection

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

NAME = str(VALUES["contact.name"])


def ask(scene: Scene, client: Any, field: str = "contact.name") -> Any:
    data = {"grant": scene.grant, "copy": field}
    return client.post(reverse("reveal", args=[REFERENCE]), data, headers={"HX-Request": "true"})


def test_the_value_comes_as_text_after_an_entry_of_its_own(scene: Scene) -> None:
    scene.opened()
    answer = ask(scene, scene.browser())
    assert (answer.status_code, answer["Cache-Control"], answer.json()) == (200, "no-store", {"text": NAME})
    entry = newest("copy")
    assert (entry.outcome, entry.fields, entry.grant_id) == ("allowed", ["contact.name"], scene.grant)
    assert not Entry.objects.filter(event="view").exists()


def test_a_value_of_several_parts_comes_line_by_line(scene: Scene) -> None:
    scene.opened(categories=["activity"])
    text = ask(scene, scene.browser(), "activity.settings").json()["text"]
    settings = VALUES["activity.settings"]
    assert isinstance(settings, dict)
    assert [line.partition(": ")[0] for line in text.splitlines()] == list(settings)


def test_a_refusal_is_recorded_and_says_why(scene: Scene) -> None:
    scene.opened()
    client = scene.browser()
    scene.world.change("gatekeeper_ticket", scene.ticket, state="solved")
    answer = ask(scene, client)
    assert answer.status_code == 403
    assert list(answer.json()) == ["why"]
    entry = newest("copy")
    assert (entry.outcome, entry.reason, entry.account) == ("refused", "ticket_closed", REFERENCE)


@pytest.mark.parametrize("field", ["", "contact.nothing", "participants"])
def test_what_is_no_field_is_refused(scene: Scene, field: str) -> None:
    scene.opened(categories=["contact", "participants"])
    assert ask(scene, scene.browser(), field).status_code == 403
    assert newest("copy").outcome == "refused"


def copied(scene: Scene, field: str = "contact.name") -> answers.Reveal | answers.Refusal:
    return decision.copy(scene.caller, account=REFERENCE, grant=scene.grant, field=field)


def test_it_counts_for_the_grant_and_for_the_day(scene: Scene) -> None:
    scene.opened()
    assert isinstance(copied(scene), answers.Reveal)
    assert Grant.objects.get(pk=scene.grant).views == 1
    [day] = DailyBudget.objects.filter(member_id=scene.anna.id)
    assert (day.accounts, day.fields) == (1, 1)


def test_the_limits_of_views_are_its_own(scene: Scene) -> None:
    scene.opened()
    scene.world.quietly("gatekeeper_grant", scene.grant, views=10_000)
    refused = copied(scene)
    assert isinstance(refused, answers.Refusal)
    assert refused.reason == "view_limit_reached"


def test_a_review_has_it_among_its_views(scene: Scene) -> None:
    scene.opened()
    copied(scene)
    [found] = units.recorded(Entry.objects.filter(grant_id=scene.grant))
    assert found.event == "copy"


def test_sql_and_python_call_the_same_events_a_view(setup_connection: Connection) -> None:
    names = [str(one) for one in Event.values]
    found = setup_connection.execute("SELECT x FROM unnest(%s::text[]) x WHERE audit.is_view(x)", [names])
    assert {row[0] for row in found.fetchall()} == {str(one) for one in VIEWS}


def test_nothing_else_says_what_a_view_is() -> None:
    """Reports, prints, rules and reviews have it from the one definition."""
    assert set(VIEWS) < set(report.EVENTS)
    assert set(VIEWS) < set(prints.EVENTS)
    named = re.compile(r"\bevent (=|<>) 'view'|\bevent (NOT )?IN \([^)]*'view'")
    wrong = [str(path) for path in readme.ROOT.glob("*/**/*.sql") if named.search(path.read_text())]
    assert [one for one in wrong if "/tests/" not in one] == []


# In Chromium


@pytest.mark.browser
def test_the_clipboard_has_it_and_the_page_does_not(desks: Desks) -> None:
    desks.scene.opened()
    desk = desks.signed_in(desks.scene.anna)
    desk.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    desk.goto("account", REFERENCE)
    button = desk.page.get_by_role("button", name=re.compile(r"^Copy\s*: E-mail$"))
    button.click()
    expect(desk.page.locator("#contact .note")).to_have_text("E-mail. Copied: it is still on your clipboard.")
    expect(desk.page.locator("#live")).to_have_text("E-mail. Copied: it is still on your clipboard.")
    expect(button).to_be_focused()
    assert desk.page.evaluate("navigator.clipboard.readText()") == EMAIL
    assert desk.secrets_in_page() == set()
    expect(desk.page.locator("[data-views]")).to_have_text("1")

    # By the key, where the field has the focus.
    desk.page.locator("[data-toggle][value='contact.name']").focus()
    desk.page.keyboard.press("c")
    expect(desk.page.locator("#contact .note")).to_contain_text("Name or nickname")
    assert desk.page.evaluate("navigator.clipboard.readText()") == NAME


@pytest.mark.browser
def test_what_was_refused_leaves_the_clipboard_and_is_said(desks: Desks) -> None:
    scene = desks.scene
    scene.opened()
    desk = desks.signed_in(scene.anna)
    desk.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    desk.goto("account", REFERENCE)
    desk.page.evaluate("navigator.clipboard.writeText('before')")
    scene.world.quietly("gatekeeper_grant", scene.grant, views=10_000)
    desk.page.get_by_role("button", name=re.compile(r"^Copy\s*: E-mail$")).click()
    expect(desk.page.locator("#contact .note.error").or_(desk.heading("Access is closed"))).to_be_visible()
    assert desk.page.evaluate("navigator.clipboard.readText()") == "before"


@pytest.mark.browser
def test_without_scripts_there_is_no_button(desks: Desks) -> None:
    desks.scene.opened()
    desk = desks.signed_in(desks.scene.anna, java_script_enabled=False)
    desk.goto("account", REFERENCE)
    expect(desk.page.locator("[data-copy-value]").first).to_be_hidden()
