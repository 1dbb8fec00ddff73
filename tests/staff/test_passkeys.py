"""Passkeys in Chromium, with a virtual authenticator: what a member does, click by click."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from django.urls import reverse
from django_otp_webauthn.models import WebAuthnCredential
from playwright.sync_api import expect

from audit.models import Entry
from staff.models import Session
from staff.sign_in import factors, sheets
from tests.world.desks import Desk, Desks
from tests.world.devices import NEW_PASSWORD, Device, enrol
from tests.world.keys import with_an_entry
from tests.world.people import PASSWORD, fresh_code, give_factors, member
from tests.world.scene import Scene

if TYPE_CHECKING:
    from tests.world import Person

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True, databases="__all__"),
]

#: Asks the device for any passkey of this site, whoever's, and sends what it says.
ANY_PASSKEY = """async ([begin, complete, token]) => {
    const headers = {"Content-Type": "application/json", "X-CSRFToken": token};
    const send = (address, data) => fetch(address, {method: "POST", headers, body: JSON.stringify(data)});
    const question = await (await send(begin, {})).json();
    const bytes = (text) => Uint8Array.from(
        atob(text.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));
    const publicKey = {...question, challenge: bytes(question.challenge), allowCredentials: []};
    const credential = await navigator.credentials.get({publicKey});
    return (await send(complete, credential.toJSON())).status;
}"""


@pytest.fixture
def newcomer(scene: Scene) -> Person:
    person = scene.world.member("consultant")
    scene.world.signature(person)
    return person


def give_password(desk: Desk, password: str = NEW_PASSWORD) -> None:
    desk.page.goto(desk.origin)
    desk.page.get_by_label("E-mail").fill(member(desk.person).email)
    desk.page.get_by_label("Password").fill(password)
    desk.click(desk.button("Sign in"))


def sign_out(desk: Desk) -> None:
    desk.page.locator(".menu summary").click()
    desk.button("Sign out").click()
    expect(desk.heading("Sign in")).to_be_visible()


def age(desk: Desk, minutes: int) -> None:
    proved = datetime.now(UTC) - timedelta(minutes=minutes)
    desk.world.change("staff_session", desk.session.pk, verified_at=proved)


def refusals() -> list[str]:
    rows = Entry.objects.filter(event="sign_in_failed").order_by("id")
    return [entry.reason for entry in rows]


def test_a_newcomer_enrols_with_a_passkey_in_three_clicks(desks: Desks, newcomer: Person) -> None:
    desk = desks.open(newcomer)
    device = enrol(desk)
    assert desk.clicks == 3
    assert len(device.passkeys) == 1
    assert (desk.session.factor, desk.session.verified_at is not None) == ("passkey", True)
    assert sheets.in_use(member(newcomer)) is not None


def test_signing_in_takes_the_password_and_one_touch(desks: Desks, newcomer: Person) -> None:
    desk = desks.open(newcomer)
    enrol(desk)
    sign_out(desk)
    desk.clicks = 0
    give_password(desk)
    desk.click(desk.button("Use a passkey"))
    expect(desk.page).to_have_url(f"{desk.origin}/")
    assert desk.clicks == 2
    assert desk.session.factor == "passkey"


def test_a_step_up_by_passkey_goes_on(desks: Desks, newcomer: Person) -> None:
    desk = desks.open(newcomer)
    enrol(desk)
    age(desk, 6)
    desk.goto("add_totp")
    expect(desk.heading("Confirm it’s you")).to_be_visible()
    desk.click(desk.button("Use a passkey"))
    expect(desk.heading("Add an application")).to_be_visible()
    assert desk.session.verified_at is not None
    assert desk.session.verified_at > datetime.now(UTC) - timedelta(minutes=1)


def test_what_was_sent_is_done_after_the_touch(desks: Desks) -> None:
    anna = desks.scene.anna
    give_factors(desks.scene.world, anna)
    desk = desks.open(anna)
    desk.sign_in()
    Device.of(desk)
    desk.goto("add_passkey")
    desk.click(desk.button("Set up a passkey"))
    desk.click(desk.button("Use a passkey"))
    expect(desk.heading("Second factors").first).to_be_visible()
    age(desk, 6)
    desk.click(desk.page.get_by_role("button", name="Remove: Code from an application"))
    expect(desk.heading("Confirm it’s you")).to_be_visible()
    desk.click(desk.button("Use a passkey"))
    expect(desk.heading("Two-factor authentication")).to_be_visible()
    assert not factors.has(member(anna), factors.TOTP)


def test_adding_another_and_removing_the_first(desks: Desks) -> None:
    anna = desks.scene.anna
    give_factors(desks.scene.world, anna)
    desk = desks.open(anna)
    desk.sign_in()
    device = Device.of(desk)
    desk.goto("factors")
    desk.click(desk.link("Add a passkey"))
    desk.page.get_by_label("Name").fill("blue key")
    desk.click(desk.button("Set up a passkey"))
    # Whatever was verified counts no more: the new one proves itself.
    expect(desk.heading("Two-factor authentication")).to_be_visible()
    desk.click(desk.button("Use a passkey"))
    expect(desk.heading("Second factors").first).to_be_visible()
    expect(desk.page.get_by_text("blue key")).to_be_visible()
    desk.click(desk.page.get_by_role("button", name="Remove: Code from an application"))
    expect(desk.heading("Two-factor authentication")).to_be_visible()
    desk.click(desk.button("Use a passkey"))
    expect(desk.page.get_by_text("the only one")).to_be_visible()
    assert len(device.passkeys) == 1
    assert [kind for kind, _ in map(kinds, factors.lasting(member(anna)))] == ["passkey"]


def kinds(device: factors.Device) -> tuple[str, factors.Device]:
    return factors.kind_of(device), device


def test_the_same_device_is_not_added_twice(desks: Desks, newcomer: Person) -> None:
    desk = desks.open(newcomer)
    device = enrol(desk)
    desk.goto("add_passkey")
    desk.click(desk.button("Set up a passkey"))
    expect(desk.page.get_by_text("This device holds a passkey of yours already.")).to_be_visible()
    assert len(device.passkeys) == WebAuthnCredential.objects.count() == 1


def test_another_members_passkey_is_refused_and_recorded(desks: Desks, newcomer: Person) -> None:
    scene = desks.scene
    give_factors(scene.world, scene.anna)
    thief = desks.open(scene.anna)
    device = Device.of(thief)
    theirs = desks.open(newcomer)
    own = enrol(theirs)
    device.put(own.passkeys[0])
    give_password(thief, PASSWORD)
    expect(thief.heading("Two-factor authentication")).to_be_visible()
    token = thief.page.locator("main [name=csrfmiddlewaretoken]").first.input_value()
    addresses = [reverse("passkey_begin"), reverse("passkey_complete"), token]
    assert thief.page.evaluate(ANY_PASSKEY, addresses) == 403
    assert refusals() == ["passkey_foreign"]
    assert Session.objects.filter(member=scene.anna.id).latest("pk").verified_at is None


def test_a_copied_passkey_is_refused_and_recorded(desks: Desks, newcomer: Person) -> None:
    desk = desks.open(newcomer)
    device = enrol(desk)
    copy = device.passkeys[0]
    sign_out(desk)
    give_password(desk)
    desk.click(desk.button("Use a passkey"))
    expect(desk.page).to_have_url(f"{desk.origin}/")
    sign_out(desk)
    # The copy has not counted what the other has been used for since.
    device.forget()
    device.put(copy | {"signCount": 0})
    give_password(desk)
    desk.click(desk.button("Use a passkey"))
    expect(desk.page.get_by_text("This passkey could not be used.")).to_be_visible()
    assert refusals() == ["passkey_cloned"]
    assert desk.session.verified_at is None


def test_a_finger_that_is_not_known_proves_nothing_and_a_code_still_does(desks: Desks) -> None:
    anna = desks.scene.anna
    give_factors(desks.scene.world, anna)
    desk = desks.open(anna)
    desk.sign_in()
    device = Device.of(desk)
    desk.goto("add_passkey")
    desk.click(desk.button("Set up a passkey"))
    expect(desk.heading("Two-factor authentication")).to_be_visible()
    device.refuse()
    desk.click(desk.button("Use a passkey"))
    expect(desk.page.get_by_text("The passkey was not used.")).to_be_visible()
    desk.page.get_by_label("Code from your application").fill(fresh_code(desks.scene.world, anna))
    desk.click(desk.button("Go on"))
    expect(desk.heading("Second factors").first).to_be_visible()


def test_without_javascript_there_is_no_button_and_a_code_works(desks: Desks, newcomer: Person) -> None:
    enrol(desks.open(newcomer))
    code = sheets.make(member(newcomer))[0]
    with with_an_entry(member(newcomer)):
        assert sheets.keep(member(newcomer))
    desk = desks.open(newcomer, java_script_enabled=False)
    give_password(desk)
    expect(desk.page.get_by_text("A passkey needs JavaScript")).to_be_visible()
    expect(desk.page.get_by_role("button", name="Use a passkey")).to_have_count(0)
    desk.click(desk.page.get_by_text("Use a recovery code"))
    desk.page.get_by_label("Recovery code").fill(code)
    desk.click(desk.button("Go on"))
    expect(desk.page).to_have_url(f"{desk.origin}/")
    expect(desk.page.get_by_text("You used a recovery code; 9 are left.")).to_be_visible()
