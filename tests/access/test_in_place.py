"""A field is revealed where it stands: alone, for a while, and recorded as any other view."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from audit.models import Entry
from gatekeeper.access import grants
from tests.world import VALUES
from tests.world.desks import EMAIL, SECOND, Desk, Desks
from tests.world.scene import REFERENCE, Scene, newest

if TYPE_CHECKING:
    from playwright.sync_api import Locator

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

NAME = str(VALUES["contact.name"])
IN_SIGHT = """is => {
    Object.defineProperty(document, "hidden", {get: () => !is, configurable: true});
    document.dispatchEvent(new Event("visibilitychange"));
}"""
#: Whether something stuck to the window's edge lies over the middle of what has the focus.
COVERED = """() => {
    const place = document.activeElement.getBoundingClientRect();
    const stuck = document.querySelector(".stuck").getBoundingClientRect();
    return place.top < stuck.bottom && place.bottom > stuck.top;
}"""


def views() -> int:
    return int(Entry.objects.filter(event="view", outcome="allowed").count())


# What is answered


def ask(scene: Scene, client: Any, **form: Any) -> Any:
    data = {"grant": scene.grant, "fields": ["contact.name"]} | form
    return client.post(reverse("reveal", args=[REFERENCE]), data, headers={"HX-Request": "true"})


def test_the_answer_is_the_field_alone_and_is_kept_nowhere(scene: Scene) -> None:
    scene.opened()
    client = scene.browser()
    answer = ask(scene, client)
    part = answer.content.decode()
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    assert NAME in part
    assert EMAIL not in part
    assert "<html" not in part
    assert part.count("<dd") == 1
    assert newest("view").fields == ["contact.name"]


def test_the_same_button_reveals_again_and_each_time_is_a_view(scene: Scene) -> None:
    scene.opened()
    client = scene.browser()
    for number in (1, 2):
        assert NAME in ask(scene, client, csrfmiddlewaretoken="c" * 32).content.decode()
        assert views() == number


def test_a_category_comes_as_each_of_its_fields(scene: Scene) -> None:
    scene.opened()
    part = ask(scene, scene.browser(), fields=[], category="contact").content.decode()
    assert NAME in part
    assert EMAIL in part
    assert views() == 1


@pytest.mark.parametrize("fields", [["contact.nothing"], ["'><script>.x"], [], ["contact.name"] * 500])
def test_what_is_no_field_is_refused_and_not_repeated(scene: Scene, fields: list[str]) -> None:
    scene.opened()
    answer = ask(scene, scene.browser(), fields=fields)
    assert answer.status_code == 403
    assert "script" not in answer.content.decode()
    assert newest("view").outcome == "refused"


def test_a_refusal_says_why_and_is_recorded(scene: Scene) -> None:
    scene.opened()
    client = scene.browser()
    scene.world.change("gatekeeper_ticket", scene.ticket, state="solved")
    answer = ask(scene, client)
    assert answer.status_code == 403
    assert "closed" in answer.content.decode()
    assert NAME not in answer.content.decode()
    assert newest("view").reason == "ticket_closed"


def test_a_factor_that_is_stale_leads_to_its_page(scene: Scene) -> None:
    scene.opened()
    client = scene.browser()
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    session = scene.world.setup.execute("SELECT max(id) FROM staff_session").fetchone()
    assert session
    scene.world.change("staff_session", session[0], verified_at=hour_ago)
    answer = ask(scene, client)
    assert answer["HX-Redirect"].startswith(reverse("step_up"))
    assert newest("view").reason == "mfa_stale"


# In Chromium


@pytest.fixture
def opened(desks: Desks) -> Desk:
    """The consultant before her open account; the page's clock is the test's."""
    desks.scene.opened()
    desk = desks.signed_in(desks.scene.anna)
    desk.page.clock.install()
    desk.goto("account", REFERENCE)
    return desk


def toggle(desk: Desk, field: str) -> Locator:
    return desk.page.locator(f"[data-toggle][value='{field}']")


def reveal(desk: Desk, field: str = "contact.email", value: str = EMAIL) -> Locator:
    toggle(desk, field).click()
    shown = desk.page.get_by_text(value)
    expect(shown).to_be_visible()
    return shown


def stand_still(desk: Desk) -> None:
    """From now on the page's clock moves when the test moves it."""
    desk.page.clock.pause_at(datetime.now(UTC) + timedelta(seconds=1))


def live(desk: Desk) -> Locator:
    return desk.page.locator("#live")


@pytest.mark.browser
def test_two_fields_are_seen_together_and_the_button_keeps_the_focus(opened: Desk) -> None:
    page = opened.page
    page.evaluate("window.same = true")  # gone with the page
    toggle(opened, "contact.email").focus()
    page.keyboard.press("Enter")
    email = page.get_by_text(EMAIL)
    expect(email).to_be_visible()
    expect(toggle(opened, "contact.email")).to_be_focused()
    expect(live(opened)).to_have_text("Shown for 30 seconds: E-mail.")
    name = reveal(opened, "contact.name", NAME)
    expect(live(opened)).to_have_text("Shown for 30 seconds: Name or nickname.")
    expect(email).to_be_visible()
    expect(name).to_be_visible()
    expect(page.locator("[data-views]")).to_have_text("2")
    assert page.evaluate("window.same") is True
    assert views() == 2


@pytest.mark.browser
def test_the_ring_ends_and_the_value_leaves(opened: Desk) -> None:
    stand_still(opened)
    value = reveal(opened)
    for _ in range(6):
        opened.poll()
    expect(opened.page.locator(".ring")).to_have_text("0:03")
    expect(value).to_be_visible()
    opened.page.clock.run_for(4 * SECOND)
    expect(value).to_have_count(0)
    assert opened.secrets_in_page() == set()
    expect(opened.reveals("E-mail")).to_be_focused()
    expect(live(opened)).to_have_text("E-mail: hidden")


@pytest.mark.browser
def test_one_field_is_kept_for_two_minutes_as_the_same_view(opened: Desk) -> None:
    stand_still(opened)
    reveal(opened, "contact.name", NAME)
    value = reveal(opened)
    keep = opened.page.get_by_role("button", name=re.compile(r"^Keep 2 minutes\s*: E-mail$"))
    keep.click()
    expect(toggle(opened, "contact.email")).to_be_focused()
    expect(keep).to_have_count(0)
    expect(live(opened)).to_have_text("E-mail: stays for 2 minutes")
    for _ in range(25):
        opened.poll()
    expect(value).to_be_visible()
    assert opened.secrets_in_page() == {"contact.email"}
    for _ in range(3):
        opened.poll()
    assert opened.secrets_in_page() == set()
    assert views() == 2


@pytest.mark.browser
def test_escape_hides_all_and_the_button_hides_one(opened: Desk) -> None:
    reveal(opened)
    name = reveal(opened, "contact.name", NAME)
    opened.page.get_by_role("button", name=re.compile(r"^Hide\s*: Name or nickname$")).click()
    expect(name).to_have_count(0)
    assert opened.secrets_in_page() == {"contact.email"}
    assert views() == 2
    reveal(opened, "contact.name", NAME)
    opened.page.locator("[data-keep]").first.focus()
    opened.page.keyboard.press("Escape")
    assert opened.secrets_in_page() == set()
    expect(opened.page.locator("[data-toggle]:focus")).to_have_count(1)
    expect(live(opened)).to_have_text(re.compile("^(Name or nickname|E-mail), .*: hidden$"))


@pytest.mark.browser
def test_a_tab_out_of_sight_covers_values_and_coming_back_uncovers_them(opened: Desk) -> None:
    stand_still(opened)
    value = reveal(opened)
    opened.page.evaluate(IN_SIGHT, False)
    expect(value).to_be_hidden()
    opened.page.clock.run_for(10 * SECOND)
    opened.page.evaluate(IN_SIGHT, True)
    expect(value).to_be_visible()
    assert views() == 1
    opened.page.evaluate(IN_SIGHT, False)
    opened.page.clock.fast_forward(21 * SECOND)
    opened.page.evaluate(IN_SIGHT, True)
    assert opened.secrets_in_page() == set()
    assert views() == 1


@pytest.mark.browser
def test_what_slept_and_was_not_vouched_for_is_not_uncovered(opened: Desk) -> None:
    stand_still(opened)
    reveal(opened)
    opened.page.evaluate(IN_SIGHT, False)
    opened.page.clock.set_system_time(datetime.now(UTC) + timedelta(seconds=20))  # asleep: no timer ran
    opened.page.evaluate(IN_SIGHT, True)  # before any answer
    assert opened.secrets_in_page() == set()


@pytest.mark.browser
def test_a_refusal_stands_where_the_field_is_and_what_is_seen_stays(desks: Desks) -> None:
    scene = desks.scene
    scene.opened()
    desk = desks.signed_in(scene.anna)
    desk.goto("account", REFERENCE)
    value = reveal(desk)
    scene.world.setup.execute(
        "ALTER TABLE public.audit_entry ADD CONSTRAINT full_disk CHECK (event <> 'view') NOT VALID"
    )
    try:
        toggle(desk, "contact.name").click()
        expect(desk.page.locator("#contact .note")).to_contain_text("The log cannot be written")
    finally:
        scene.world.setup.execute("ALTER TABLE public.audit_entry DROP CONSTRAINT full_disk")
    expect(value).to_be_visible()
    expect(toggle(desk, "contact.name")).to_be_focused()
    reveal(desk, "contact.name", NAME)
    expect(desk.page.locator("#contact .note")).to_have_count(0)


@pytest.mark.browser
def test_a_closed_gate_takes_the_place_of_the_fields(desks: Desks) -> None:
    scene = desks.scene
    scene.opened()
    desk = desks.signed_in(scene.anna)
    desk.page.clock.install()
    desk.goto("account", REFERENCE)
    stand_still(desk)
    reveal(desk)
    assert grants.end(scene.manager, scene.grant) == ""
    toggle(desk, "contact.name").click()  # no time passes, so that no question of the page's own comes first
    expect(desk.heading("Access is closed")).to_be_visible()
    assert desk.secrets_in_page() == set()
    assert newest("view").outcome == "refused"


@pytest.mark.browser
def test_an_answer_that_is_none_is_said(desks: Desks) -> None:
    desks.scene.opened()
    desk = desks.signed_in(desks.scene.anna)
    desk.goto("account", REFERENCE)
    title = desk.page.title()
    desk.page.route("**/reveal", lambda route: route.fulfill(status=500, body="<title>Wrong</title>"))
    toggle(desk, "contact.email").click()
    expect(desk.page.locator("#contact .note")).to_have_text(re.compile("^Nothing was shown"))
    expect(desk.page).to_have_title(title)
    desks.complaints[:] = [one for one in desks.complaints if "status of 500" not in one]


@pytest.mark.browser
def test_a_session_that_ended_leads_to_signing_in(desks: Desks) -> None:
    desks.scene.opened()
    desk = desks.signed_in(desks.scene.anna)
    desk.page.clock.install()
    desk.goto("account", REFERENCE)
    stand_still(desk)
    desk.page.context.clear_cookies()
    toggle(desk, "contact.email").click()
    expect(desk.heading("Sign in")).to_be_visible()
    assert desk.secrets_in_page() == set()


@pytest.mark.browser
def test_loading_again_never_reveals_again(opened: Desk) -> None:
    reveal(opened)
    for _ in range(2):
        opened.page.reload()
        assert opened.secrets_in_page() == set()
    assert views() == 1


@pytest.mark.browser
def test_without_scripts_the_whole_page_answers(desks: Desks) -> None:
    desks.scene.opened()
    desk = desks.signed_in(desks.scene.anna, java_script_enabled=False)
    desk.goto("account", REFERENCE)
    reveal(desk)
    expect(desk.page.locator("[data-keep]")).to_be_hidden()
    expect(desk.page.locator(".ring")).to_be_hidden()
    expect(toggle(desk, "contact.email")).to_be_hidden()
    expect(desk.reveals("Name or nickname")).to_be_visible()
    assert views() == 1


# The gate's line


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1280])
def test_the_gates_line_stays_in_sight_and_covers_no_focus(opened: Desk, width: int) -> None:
    page = opened.page
    page.set_viewport_size({"width": width, "height": 500})
    page.locator("#gate .countdown").evaluate("one => { one.dataset.ends = Number(one.dataset.now) + 200; }")
    expect(page.locator(".stuck [data-ending]")).to_be_visible()
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    expect(page.locator("#gate .countdown")).to_be_in_viewport()
    page.locator("#data button:visible").last.focus()
    for _ in range(8):
        page.keyboard.press("Shift+Tab")
        assert not page.evaluate(COVERED)


@pytest.mark.browser
def test_five_minutes_before_the_end_the_line_says_so(desks: Desks) -> None:
    scene = desks.scene
    scene.opened()
    desk = desks.signed_in(scene.anna)
    desk.page.clock.install()
    desk.goto("account", REFERENCE)
    stand_still(desk)
    note = desk.page.locator("[data-ending]")
    expect(note).to_be_hidden()
    countdown = desk.page.locator("#gate .countdown")
    countdown.evaluate("one => { one.dataset.ends = Number(one.dataset.now) + 303; }")
    desk.page.clock.run_for(4 * SECOND)
    expect(note).to_contain_text("Access ends in less than 5 minutes.")
    expect(note.get_by_role("link", name="Extend")).to_be_visible()
    expect(live(desk)).to_have_text("Access ends in 5 minutes.")


def test_the_server_says_so_by_itself(scene: Scene) -> None:
    scene.opened()
    client = scene.browser()
    page = reverse("account", args=[REFERENCE])
    assert re.search(r"data-ending\s+hidden", client.get(page).content.decode())
    soon = datetime.now(UTC) + timedelta(minutes=4)
    scene.world.quietly("gatekeeper_grant", scene.grant, window_ends_at=soon)
    assert not re.search(r"data-ending\s+hidden", client.get(page).content.decode())
