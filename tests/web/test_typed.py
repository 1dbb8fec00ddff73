"""What is typed and not sent is never given up without a word: a change of language, in this tab or
another; a server that does not answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from gatekeeper.access import requests, typed_reasons
from gatekeeper.models import AccessRequest
from tests.world.desks import SECOND, Desk, Desks
from tests.world.scene import REFERENCE, TICKET

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True, databases="__all__"),
]
TYPED = "The “sound” was lost: ąę <b>"


def sentence(page: Page) -> Locator:
    return page.locator("[name=text]")


@pytest.fixture
def desk(desks: Desks) -> Desk:
    """The consultant, about to ask for access, with a sentence typed."""
    desk = desks.signed_in(desks.scene.anna)
    desk.goto("ask", REFERENCE, query=f"?ticket={TICKET}")
    sentence(desk.page).fill(TYPED)
    return desk


def question(page: Page) -> Locator:
    return page.locator("#leave[open]")


def test_a_change_of_language_asks_before_it_gives_up_what_was_typed(desk: Desk) -> None:
    desk.button("Polski").click()
    expect(question(desk.page)).to_contain_text("will be lost")
    assert Axe().run(desk.page).response["violations"] == []
    desk.button("Back to what I typed").click()
    expect(question(desk.page)).to_have_count(0)
    expect(sentence(desk.page)).to_have_value(TYPED)
    desk.button("Polski").click()
    desk.page.keyboard.press("Escape")
    expect(sentence(desk.page)).to_have_value(TYPED)
    expect(desk.page.locator("html")).to_have_attribute("lang", "en")
    desk.button("Polski").click()
    desk.button("Go on without it").click()
    expect(desk.page.locator("html[lang=pl]")).to_have_count(1)
    expect(sentence(desk.page)).to_have_value("")


def test_a_choice_counts_as_well_and_so_does_the_theme(desk: Desk) -> None:
    sentence(desk.page).fill("")
    desk.page.get_by_label("90 min").check()
    desk.page.locator("details.menu summary").click()
    desk.button("dark").click()
    expect(question(desk.page)).to_have_count(1)


def test_what_came_back_with_a_mistake_in_it_is_unsent_too(desk: Desk) -> None:
    sentence(desk.page).fill("anna@firma.example")
    desk.click(desk.button("Send request"))
    expect(desk.page.locator(".errors")).to_be_visible()
    desk.button("Polski").click()
    expect(question(desk.page)).to_have_count(1)


def test_where_nothing_is_typed_nothing_is_asked(desk: Desk) -> None:
    sentence(desk.page).fill("")
    desk.button("Polski").click()
    expect(desk.page.locator("html[lang=pl]")).to_have_count(1)


def test_a_list_that_stands_as_it_came_is_not_typed(desks: Desks) -> None:
    eve = desks.scene.world.member("privacy")
    desks.scene.world.signature(eve)
    desk = desks.signed_in(eve)
    desk.goto("reports")
    lists = desk.page.locator("main select")
    expect(lists).not_to_have_count(0)
    desk.button("Polski").click()
    expect(desk.page.locator("html[lang=pl]")).to_have_count(1)
    expect(question(desk.page)).to_have_count(0)
    last = lists.first.locator("option").last.get_attribute("value")
    lists.first.select_option(last)
    desk.button("English").click()
    expect(question(desk.page)).to_have_count(1)


# The language is changed in another tab


def speak_polish(desk: Desk) -> None:
    desk.world.change("staff_member", desk.person.id, language="pl")


def test_a_part_in_another_language_brings_the_whole_page_anew(desks: Desks) -> None:
    request = desks.scene.ask()
    desk = desks.signed_in(desks.scene.anna)
    desk.page.clock.install()
    desk.goto("account", REFERENCE, query=f"?ticket={TICKET}")
    speak_polish(desk)
    assert requests.deny(desks.scene.manager, request, denial="not_needed") == ""
    desk.poll()
    expect(desk.page.locator("#now")).to_contain_text("Odrzucone")
    expect(desk.page.locator("html[lang=pl]")).to_have_count(1)
    expect(desk.link("Wróć do pulpitu")).to_be_visible()


def test_where_something_is_typed_the_part_says_its_language(desks: Desks) -> None:
    scene = desks.scene
    first = scene.ask()
    desk = desks.signed_in(scene.boss)
    desk.page.clock.install()
    desk.goto("inbox")
    card = desk.page.locator(f"#request-{first}")
    desk.click(card.get_by_text("Change…"))
    card.locator("[name=minutes][value='30']").check()
    speak_polish(desk)
    scene.world.account("MOC-40002")
    scene.world.ticket("ZD-10002", accounts=["MOC-40002"], assignee=scene.anna)
    second = scene.ask(account="MOC-40002", ticket="ZD-10002")
    desk.poll()
    expect(desk.page.locator(f"#now[lang=pl] #request-{second}")).to_be_visible()
    expect(card.locator("[name=minutes][value='30']")).to_be_checked()
    expect(desk.page.locator("#live")).to_have_attribute("lang", "pl")
    expect(desk.page.locator("html")).to_have_attribute("lang", "en")


# The server does not answer


def test_a_form_waits_while_the_server_does_not_answer(desks: Desks, desk: Desk) -> None:
    desk.page.clock.install()
    desk.page.reload()
    sentence(desk.page).fill(TYPED)
    desk.page.route("**/*", lambda route: route.abort())
    desk.page.clock.fast_forward(16 * SECOND)
    expect(desk.page.locator("#lost")).to_be_visible()
    desk.button("Send request").click()
    held = desk.page.locator("#unsent")
    expect(held).to_be_visible()
    expect(held).to_be_focused()
    expect(sentence(desk.page)).to_have_value(TYPED)
    desk.page.unroute("**/*")
    desk.poll()
    expect(held).to_be_hidden()
    desk.button("Send request").click()
    expect(desk.page.get_by_text("Request sent.")).to_be_visible()
    assert typed_reasons.of(AccessRequest.objects.get()) == TYPED
    desks.complaints[:] = [one for one in desks.complaints if not re.search(r"ERR_FAILED|: htmx:", one)]
