"""The idle end in Chromium: the warning, several tabs, a form half filled; and the way back after leaving."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from audit.models import Entry
from gatekeeper.models import AccessRequest
from tests.world.desks import POLL, SECOND, Desk, Desks
from tests.world.devices import enrol
from tests.world.people import PASSWORD, fresh_code
from tests.world.scene import REFERENCE, TICKET

if TYPE_CHECKING:
    pass

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True, databases="__all__"),
]
IDLE = settings.LIMITS["session_idle_minutes"] * 60
#: Until the page asks how much is left: two minutes before the end, as it knows it.
ASKS = (IDLE - 110) * SECOND
TYPED = "Why the “sound” was lost: ąę <b>"


@pytest.fixture
def desk(desks: Desks) -> Desk:
    """The consultant, about to ask for access; the page's clock is the test's."""
    desk = desks.signed_in(desks.scene.anna)
    desk.page.clock.install()
    desk.goto("ask", REFERENCE, query=f"?ticket={TICKET}")
    return desk


def idle_for(desk: Desk, seconds: int) -> None:
    """The server saw the last activity so long ago."""
    at = timezone.now() - timedelta(seconds=seconds)
    desk.world.change("staff_session", desk.session.pk, last_seen_at=at)


def unlock(desk: Desk) -> None:
    desk.page.get_by_label("Password").fill(PASSWORD)
    desk.page.get_by_label("Code from your application").fill(fresh_code(desk.world, desk.person))
    desk.button("Unlock").click()


def test_a_warning_comes_and_one_click_stays_signed_in(desk: Desk) -> None:
    warning = desk.page.get_by_role("alertdialog")
    expect(warning).to_have_count(0)
    desk.page.locator("[name=text]").fill(TYPED)
    idle_for(desk, IDLE - 100)
    desk.page.clock.fast_forward(ASKS)
    expect(warning).to_be_visible()
    expect(warning).to_contain_text("within two minutes")
    expect(desk.button("Stay signed in")).to_be_focused()
    assert Axe().run(desk.page).response["violations"] == []
    before = desk.session.last_seen_at
    desk.button("Stay signed in").click()
    expect(warning).to_have_count(0)
    assert desk.session.last_seen_at > before
    expect(desk.page.locator("[name=text]")).to_have_value(TYPED)


def test_a_click_in_another_tab_takes_the_warning_away(desk: Desk) -> None:
    idle_for(desk, IDLE - 100)
    desk.page.clock.fast_forward(ASKS)
    warning = desk.page.get_by_role("alertdialog")
    expect(warning).to_be_visible()
    other = desk.page.context.new_page()
    other.goto(desk.origin + reverse("profile"))
    desk.page.clock.fast_forward(11 * SECOND)
    expect(warning).to_have_count(0)


def test_a_form_half_filled_survives_the_lock_and_is_sent(desk: Desk) -> None:
    page = desk.page
    page.locator("[name=text]").fill(TYPED)
    idle_for(desk, IDLE)
    page.clock.fast_forward(ASKS)
    warning = page.get_by_role("alertdialog")
    expect(warning).to_contain_text("is locked")
    desk.button("Back to what I typed").click()
    expect(page.locator("[name=text]")).to_have_value(TYPED)
    for _ in range(2):
        desk.poll()  # is answered 'locked', and the page has said so
    expect(warning).to_have_count(0)
    desk.button("Send request").click()
    expect(desk.heading("Locked")).to_be_visible()
    assert not AccessRequest.objects.exists()
    page.get_by_label("Password").fill("a wrong one, quite long")
    page.get_by_label("Code from your application").fill("000000")
    desk.button("Unlock").click()
    expect(page.get_by_text("is wrong")).to_be_visible()
    assert Axe().run(page).response["violations"] == []
    unlock(desk)
    expect(page.get_by_text("Request sent.")).to_be_visible()
    assert AccessRequest.objects.count() == 1


def end_elsewhere(desk: Desk) -> None:
    """The session ended, as it does after its hours, or by 'End all others' on another device."""
    desk.world.change("staff_session", desk.session.pk, ended_at=timezone.now())


def test_a_form_half_filled_survives_the_end_of_its_session_and_is_sent_after_signing_in_again(
    desk: Desk,
) -> None:
    page = desk.page
    page.locator("[name=text]").fill(TYPED)
    end_elsewhere(desk)
    desk.poll()
    said = page.get_by_role("alertdialog")
    expect(said).to_contain_text("not signed in here any more")
    assert Axe().run(page).response["violations"] == []
    desk.button("Back to what I typed").click()
    for _ in range(2):
        desk.poll()  # is answered in the same way, and the page has said so
    expect(said).to_have_count(0)
    expect(page.locator("[name=text]")).to_have_value(TYPED)
    other = page.context.new_page()
    replace(desk, page=other).sign_in()
    desk.button("Send request").click()
    expect(desk.heading("Not done")).to_be_visible()
    expect(page.get_by_text(TYPED)).to_be_visible()
    desk.button("Send again").click()
    expect(page.get_by_text("Request sent.")).to_be_visible()


def test_a_page_in_which_nothing_was_typed_leads_to_sign_in_when_its_session_ends(desk: Desk) -> None:
    end_elsewhere(desk)
    desk.page.clock.fast_forward(POLL)
    expect(desk.heading("Sign in")).to_be_visible()


def test_a_page_in_which_nothing_was_typed_locks_by_itself_and_is_come_back_to(desk: Desk) -> None:
    desk.goto("account", REFERENCE, query=f"?ticket={TICKET}")
    expect(desk.heading("Access is closed")).to_be_visible()
    idle_for(desk, IDLE)
    desk.page.clock.fast_forward(POLL)  # the page's own question finds out
    expect(desk.heading("Locked")).to_be_visible()
    expect(desk.page.locator("main")).not_to_contain_text(REFERENCE)
    unlock(desk)
    expect(desk.heading("Access is closed")).to_be_visible()
    expect(desk.page).to_have_url(f"{desk.origin}{reverse('account', args=[REFERENCE])}?ticket={TICKET}")


def test_without_javascript_nothing_is_lost_either(desks: Desks) -> None:
    desk = desks.signed_in(desks.scene.anna, java_script_enabled=False)
    desk.goto("ask", REFERENCE, query=f"?ticket={TICKET}")
    desk.page.locator("[name=text]").fill(TYPED)
    idle_for(desk, IDLE)
    desk.button("Send request").click()
    unlock(desk)
    expect(desk.page.get_by_text("Request sent.")).to_be_visible()


def test_a_passkey_alone_unlocks_and_what_was_sent_is_done(desks: Desks) -> None:
    """With the passkey's own check of its holder; and an act that waits for a fresher proof as well."""
    bert = desks.scene.world.member("consultant", manager=desks.scene.boss)
    desks.scene.world.signature(bert)
    desks.scene.world.ticket("ZD-10009", assignee=bert)
    desk = desks.open(bert)
    enrol(desk)
    desk.goto("ask", REFERENCE, query="?ticket=ZD-10009")
    desk.page.locator("[name=text]").fill(TYPED)
    number = desk.session.pk
    idle_for(desk, IDLE)
    desk.button("Send request").click()
    expect(desk.heading("Locked")).to_be_visible()
    desk.button("Use a passkey").click()
    expect(desk.page.get_by_text("Request sent.")).to_be_visible()
    assert AccessRequest.objects.get().member_id == bert.id
    assert (desk.session.pk, Entry.objects.filter(object_repr="unlock").count()) == (number, 1)
    # A page that was asked for is come back to in the same way.
    idle_for(desk, IDLE)
    desk.goto("profile")
    desk.button("Use a passkey").click()
    expect(desk.page.get_by_role("heading", name=f"Member {bert.number}")).to_be_visible()


def test_after_signing_out_the_back_button_shows_nothing(desks: Desks) -> None:
    desk = desks.signed_in(desks.scene.anna)
    desk.goto("profile")
    desk.goto("sessions")
    name = f"Member {desk.person.number}"
    expect(desk.page.get_by_text(name).first).to_be_visible()
    desk.page.get_by_text(name).first.click()
    desk.button("Sign out").click()
    expect(desk.heading("Sign in")).to_be_visible()
    for _ in range(2):
        desk.page.go_back()
        expect(desk.heading("Sign in")).to_be_visible()
        assert name not in desk.page.content()
