"""A button's address without the press leads to its page; a page loaded again does nothing twice."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import get_resolver, resolve, reverse
from playwright.sync_api import expect

from audit.models import Entry
from staff.models import RecoveryDevice
from tests.world import VALUES
from tests.world.people import PASSWORD, fresh_code, give_factors, member
from tests.world.scene import REFERENCE, TICKET, Scene

if TYPE_CHECKING:
    from tests.world.desks import Desks

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
PATTERNS: list[Any] = get_resolver().url_patterns
PAGES = [one for one in PATTERNS if not one.name.startswith("api_")]
BUTTONS = [one for one in PAGES if hasattr(one.callback, "post_only")]
TOKEN = "c" * 32


def address(scene: Scene, pattern: Any) -> str:
    known = {"reference": REFERENCE, "token": "x", "action": "suspend"}
    arguments = {name: known.get(name, 1) for name in re.findall(r"<(?:\w+:)?(\w+)>", str(pattern.pattern))}
    if "number" in arguments:
        kinds = {"ticket:": TICKET, "member:": scene.anna.number}
        arguments["number"] = next((kinds[kind] for kind in kinds if kind in str(pattern.pattern)), 1)
    return reverse(pattern.name, kwargs=arguments)


def views() -> int:
    return int(Entry.objects.filter(event="view", outcome="allowed").count())


@pytest.mark.parametrize("pattern", PAGES, ids=lambda one: one.name)
def test_no_address_answers_get_with_405(scene: Scene, pattern: Any) -> None:
    for client in (Client(), scene.browser()):
        assert client.get(address(scene, pattern)).status_code != 405


@pytest.mark.parametrize("pattern", BUTTONS, ids=lambda one: one.name)
def test_a_buttons_address_leads_to_a_page_and_says_that_nothing_was_done(scene: Scene, pattern: Any) -> None:
    client = scene.browser()
    before = Entry.objects.count()
    answer = client.get(address(scene, pattern))
    assert answer.status_code == 302
    target = resolve(answer["Location"])
    assert not hasattr(target.func, "post_only")
    assert Entry.objects.count() == before
    page = client.get("/")
    assert "Nothing was done" in page.content.decode()
    visited = Client().get(address(scene, pattern))
    assert visited.status_code == 302
    assert settings.SESSION_COOKIE_NAME not in visited.cookies


@pytest.mark.parametrize("form", [{"fields": "contact.name"}, {"category": "contact"}])
def test_the_same_form_reveals_once(scene: Scene, form: dict[str, str]) -> None:
    client = scene.browser()
    scene.opened()
    sent = form | {"grant": scene.grant, "csrfmiddlewaretoken": TOKEN}
    name = str(VALUES["contact.name"])
    page = reverse("reveal", args=[REFERENCE])
    assert name in client.post(page, sent).content.decode()
    assert views() == 1
    for _ in range(2):
        again = client.post(page, sent)
        assert again["Location"] == reverse("account", args=[REFERENCE])
        shown = client.get(again["Location"]).content.decode()
        assert "not done a second time" in shown
        assert name not in shown
    assert views() == 1
    other = client.post(page, sent | {"csrfmiddlewaretoken": "d" * 32})  # another page's button
    assert name in other.content.decode()
    assert views() == 2


def test_a_refusal_may_be_sent_again(scene: Scene) -> None:
    client = scene.browser()
    scene.opened()
    sent = {"grant": scene.grant, "fields": "contact.name", "csrfmiddlewaretoken": TOKEN}
    scene.world.setup.execute("UPDATE gatekeeper_feed SET contact_at = now() - interval '1 day'")
    page = reverse("reveal", args=[REFERENCE])
    assert client.post(page, sent).status_code == 403
    scene.world.contact()
    assert str(VALUES["contact.name"]) in client.post(page, sent).content.decode()


def test_new_recovery_codes_are_made_once(scene: Scene) -> None:
    client = scene.browser()
    sent = {"csrfmiddlewaretoken": TOKEN}
    assert client.post(reverse("recovery_codes"), sent).status_code == 200
    waiting = RecoveryDevice.objects.get(user_id=scene.anna.id, confirmed=False).pk
    assert client.post(reverse("recovery_codes"), sent)["Location"] == reverse("factors")
    assert RecoveryDevice.objects.get(user_id=scene.anna.id, confirmed=False).pk == waiting


def test_a_page_of_participants_is_shown_once(scene: Scene) -> None:
    client = scene.browser()
    scene.world.participants(REFERENCE, 3)
    scene.opened(categories=["participants"])
    sent = {"grant": scene.grant, "page": 1, "csrfmiddlewaretoken": TOKEN}
    page = reverse("participants", args=[REFERENCE])
    assert "p1@gosc.example" in client.post(page, sent).content.decode()
    before = Entry.objects.count()
    assert client.post(page, sent)["Location"] == reverse("account", args=[REFERENCE])
    assert Entry.objects.count() == before


# In the browser


@pytest.mark.browser
@pytest.mark.parametrize("scripts", [True, False])
def test_loading_the_page_again_after_a_reveal(desks: Desks, scripts: bool) -> None:
    scene = desks.scene
    scene.opened()
    desk = desks.signed_in(scene.anna, java_script_enabled=scripts)
    desk.goto("account", REFERENCE)
    desk.reveals("Name or nickname").click()
    page, name = desk.page, str(VALUES["contact.name"])
    expect(page.get_by_text(name)).to_be_visible()
    if scripts:
        expect(page).to_have_url(
            re.compile(re.escape(desks.origin + reverse("account", args=[REFERENCE])) + "(#.*)?$")
        )
    for _ in range(2):
        page.reload()
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page).to_have_url(
            re.compile(re.escape(desks.origin + reverse("account", args=[REFERENCE])) + "(#.*)?$")
        )
        assert name not in page.content()
    assert views() == 1


@pytest.mark.browser
def test_a_kept_address_after_a_new_sign_in(desks: Desks) -> None:
    scene = desks.scene
    scene.opened()
    give_factors(scene.world, scene.anna)
    desk = desks.open(scene.anna)
    desk.goto("reveal", REFERENCE)
    desk.page.get_by_label("E-mail").fill(member(scene.anna).email)
    desk.page.get_by_label("Password").fill(PASSWORD)
    desk.button("Sign in").click()
    desk.page.get_by_label("Code from your application").fill(fresh_code(scene.world, scene.anna))
    desk.button("Go on").click()
    expect(desk.page).to_have_url(f"{desks.origin}{reverse('account', args=[REFERENCE])}")
    expect(desk.page.get_by_text("Nothing was done")).to_be_visible()
    assert views() == 0
