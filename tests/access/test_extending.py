"""Extend and Add to request in Chromium, as a consultant and her manager use them."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from audit.models import Entry
from gatekeeper.models import AccessRequest, Grant
from tests.world import VALUES
from tests.world.desks import EMAIL, Desk, Desks
from tests.world.scene import REFERENCE

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True, databases="__all__"),
]

either = pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "plain"])


def decide(manager: Desk, button: str) -> None:
    manager.goto("inbox")
    if button == "Approve":
        manager.click(manager.button("Approve"))
        expect(manager.page.get_by_text("Approved. The clock starts")).to_be_visible()
    else:
        manager.click(manager.page.get_by_text("Reject…"))
        manager.click(manager.button("Not needed for this ticket"))
        expect(manager.page.get_by_text("Rejected.", exact=True)).to_be_visible()


def reveals(desk: Desk, field: str, value: object) -> None:
    desk.goto("account", REFERENCE)
    desk.click(desk.reveals(field))
    expect(desk.page.get_by_text(str(value))).to_be_visible()


def expect_checked(page: Page, category: str) -> None:
    """This category is ticked, and no other."""
    ticked = page.locator("[name=categories]:checked")
    expect(ticked).to_have_count(1)
    expect(ticked).to_have_value(category)


def two_desks(desks: Desks, *, javascript: bool) -> tuple[Desk, Desk]:
    scene = desks.scene
    scene.opened(categories=["contact"], minutes=30)
    people = (scene.anna, scene.boss)
    consultant, manager = (desks.signed_in(one, java_script_enabled=javascript) for one in people)
    consultant.goto("account", REFERENCE)
    return consultant, manager


@either
def test_adding_joins_the_page_and_each_field_is_shown_under_its_own_access(
    desks: Desks, javascript: bool
) -> None:
    consultant, manager = two_desks(desks, javascript=javascript)
    page = consultant.page
    consultant.click(page.locator("#billing").get_by_role("link", name="Add to request"))
    expect_checked(page, "billing")
    consultant.click(consultant.button("Send request"))

    # While it waits, what is open is at hand, on the page that she is led to.
    waiting = page.locator(".beside")
    expect(waiting).to_contain_text("Pending")
    expect(waiting).to_contain_text("billing")
    expect(consultant.reveals("E-mail")).to_be_visible()
    reveals(consultant, "E-mail", EMAIL)
    expect(waiting).to_contain_text("Pending")  # the page of a reveal says so as well

    decide(manager, "Approve")
    reveals(consultant, "E-mail", EMAIL)
    expect(waiting).to_contain_text("Approved by")
    expect(page.locator("#billing")).to_contain_text("Not covered by the approval.")
    consultant.click(consultant.button("Open this as well"))

    # Both are open, each with its own time and its own end.
    first, second = Grant.objects.order_by("id")
    rows = page.locator("table.cards tbody tr")
    expect(rows).to_have_count(2)
    for grant in (first, second):
        assert grant.window_ends_at is not None
        expect(rows.locator(f"[data-ends='{int(grant.window_ends_at.timestamp())}']")).to_have_count(1)
    reveals(consultant, "E-mail", EMAIL)
    reveals(consultant, r"Bank account \(IBAN\)", VALUES["billing.bank_account"])
    shown = (
        Entry.objects.filter(event="view", outcome="allowed")
        .order_by("-id")
        .values_list("fields", "grant_id")
    )
    assert list(shown[:2]) == [(["billing.bank_account"], second.pk), (["contact.email"], first.pk)]

    # One is given back; the other stays.
    consultant.goto("account", REFERENCE)
    consultant.click(rows.filter(has_text="billing").get_by_role("button", name="End my access"))
    reveals(consultant, "E-mail", EMAIL)
    expect(page.locator("#billing")).to_contain_text("Not covered by the approval.")
    assert not Grant.objects.get(pk=first.pk).ended_at


@either
def test_extending_keeps_what_is_open_and_a_rejection_closes_nothing(desks: Desks, javascript: bool) -> None:
    consultant, manager = two_desks(desks, javascript=javascript)
    page = consultant.page
    consultant.click(consultant.link("Extend"))
    expect_checked(page, "contact")
    page.locator("[name=minutes][value='120']").check()
    consultant.click(consultant.button("Send request"))
    reveals(consultant, "E-mail", EMAIL)

    decide(manager, "Reject")
    reveals(consultant, "E-mail", EMAIL)
    expect(page.locator(".beside")).to_contain_text("Rejected by")
    expect(page.locator(".beside")).to_contain_text("What is open stays open until its own end.")

    # Asked once more, it is approved and opened: the later end counts.
    consultant.click(consultant.link("Extend"))
    page.locator("[name=minutes][value='120']").check()
    consultant.click(consultant.button("Send request"))
    decide(manager, "Approve")
    consultant.goto("account", REFERENCE)
    consultant.click(consultant.button("Open this as well"))
    reveals(consultant, "E-mail", EMAIL)
    longer = Grant.objects.get(minutes=120)
    assert Entry.objects.filter(event="view").latest("id").grant_id == longer.pk


def test_what_is_asked_while_a_request_waits_takes_its_place_and_says_so(desks: Desks) -> None:
    consultant, _manager = two_desks(desks, javascript=True)
    page = consultant.page
    consultant.click(page.locator("#billing").get_by_role("link", name="Add to request"))
    consultant.click(consultant.button("Send request"))
    consultant.click(page.locator("#activity").get_by_role("link", name="Add to request"))
    expect(page.get_by_text("The one that you send now takes its place.")).to_be_visible()
    consultant.click(consultant.button("Send request"))
    expect(page.locator(".beside")).to_have_count(1)
    assert set(AccessRequest.objects.get(state="pending").categories) == {"billing", "activity"}
