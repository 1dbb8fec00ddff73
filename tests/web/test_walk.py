"""The whole way of a newcomer in Chromium, from the one-time link to the front of an account's gate; and
what a withdrawn agreement does to a gate that is open in another window."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connections
from playwright.sync_api import expect

from staff.models import Member, Signature, SignatureFile
from staff.nda.documents.checking import problems
from staff.sign_in import invitations
from tests.world.devices import NEW_PASSWORD, Device
from tests.world.people import give_factors, member
from tests.world.scene import REFERENCE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.world.desks import Desk, Desks

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True, databases="__all__"),
]

MOST_CLICKS = 12


def test_from_the_link_to_the_gate_in_at_most_twelve_clicks(desks: Desks) -> None:
    world, boss = desks.scene.world, desks.scene.boss
    newcomer = world.member("consultant", manager=boss)
    account, ticket = "MOC-40077", "ZD-10077"
    world.account(account)
    world.ticket(ticket, accounts=[account], assignee=newcomer)
    desk = desks.open(newcomer)
    Device.of(desk)
    desk.page.goto(desk.origin + invitations.path_of(invitations.invite(member(newcomer))))

    # A password, a passkey, the recovery codes.
    desk.page.get_by_label("New password").fill(NEW_PASSWORD)
    desk.page.get_by_label("The same password again").fill(NEW_PASSWORD)
    desk.click(desk.button("Set password"))
    desk.click(desk.button("Set up a passkey"))
    desk.click(desk.button("I have kept them"))

    # The agreement: read, the name, the sentence, the step-up a moment ago.
    desk.click(desk.link("Read and sign it"))
    expect(desk.heading("Your NDA")).to_be_visible()
    desk.page.get_by_label("Your first and last name").fill(Member.objects.get(pk=newcomer.id).name)
    desk.click(desk.page.get_by_role("checkbox"))
    desk.click(desk.button("Sign"))
    expect(desk.page.get_by_text("In force").first).to_be_visible()

    # The account of the ticket: the front of its gate, at which only the approval is missing.
    desk.click(desk.link("Gatekeeper"))
    desk.click(desk.link(account))
    expect(desk.heading("Access is closed")).to_be_visible()
    expect(desk.page.get_by_text("1 thing missing")).to_be_visible()
    expect(desk.condition("approval")).to_contain_text("No access has been requested yet.")

    signature = Signature.objects.get(member=newcomer.id)
    sealed = SignatureFile.objects.get(signature=signature)
    assert signature.form == "documentary"
    assert signature.evidence is not None
    assert signature.evidence["method"] == "passkey"
    assert in_another_thread(lambda: list(problems(sealed))) == []
    assert desk.clicks <= MOST_CLICKS
    sys.stdout.write(f"from the link to the gate: {desk.clicks} clicks\n")


def test_a_withdrawn_nda_shuts_the_gate_in_another_window(desks: Desks) -> None:
    world, anna = desks.scene.world, desks.scene.anna
    officer = world.member("people")
    world.signature(officer)
    give_factors(world, officer)
    desks.scene.opened()
    consultant = desks.signed_in(anna)
    consultant.goto("account", REFERENCE)
    consultant.click(consultant.reveals("E-mail"))
    expect(consultant.heading("Access is closed")).to_have_count(0)

    people = desks.signed_in(officer)
    withdraw(people, anna.number)

    consultant.click(consultant.reveals("Name or nickname"))
    expect(consultant.heading("Access is closed")).to_be_visible()
    expect(consultant.condition("nda")).to_contain_text("withdrawn")
    assert consultant.secrets_in_page() == set()
    assert Signature.objects.get(pk=desks.scene.signatures[anna.id]).withdrawn_at is not None


def in_another_thread(act: Callable[[], Any]) -> Any:
    """Where no event loop runs: the browser has one in this thread, and reading a seal starts its own."""

    def done() -> Any:
        try:
            return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as threads:
        return threads.submit(done).result()


def withdraw(desk: Desk, number: str) -> None:
    """As a people officer does it, from the member's page."""
    desk.goto("member", number)
    desk.click(desk.page.locator("summary", has_text="Withdraw…"))
    desk.click(desk.button("Withdraw"))
