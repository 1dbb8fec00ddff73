"""Pages that stay true by themselves, in Chromium: what has closed is gone from them, and they say why.

Deadlines are a busy machine's; that a page asks often enough is a test of its own. Where the page's clock
is the test's, it stands still for the server.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from gatekeeper.access import grants, requests
from gatekeeper.access.views import live
from gatekeeper.models import Grant
from tests.world.desks import EMAIL, SECOND, Desk, Desks
from tests.world.scene import REFERENCE, TICKET, Scene

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True, databases="__all__"),
]

IN_SIGHT = """is => {
    Object.defineProperty(document, "hidden", {get: () => !is, configurable: true});
    document.dispatchEvent(new Event("visibilitychange"));
}"""


def test_a_page_asks_often_enough() -> None:
    assert live.EVERY < 5


def consultant(desks: Desks) -> Desk:
    """Anna at her desk, with a second session for what she does elsewhere."""
    desk = desks.signed_in(desks.scene.anna)
    desks.scene.caller = desks.scene.world.session(desks.scene.anna)
    return desk


def revealed(desk: Desk) -> Locator:
    """The account's page with the e-mail in sight."""
    desk.goto("account", REFERENCE)
    desk.click(desk.reveals("E-mail"))
    value = desk.page.get_by_text(EMAIL)
    expect(value).to_be_visible()
    return value


def solve(scene: Scene) -> None:
    scene.world.change("gatekeeper_ticket", scene.ticket, state="solved")


def revoke(scene: Scene) -> None:
    assert grants.end(scene.manager, scene.grant) == ""


def give_back(scene: Scene) -> None:
    assert grants.end(scene.caller, scene.grant) == ""


def reassign(scene: Scene) -> None:
    scene.world.change("gatekeeper_ticket", scene.ticket, assignee_id=scene.carl.id)


def restrict(scene: Scene) -> None:
    scene.world.change("gatekeeper_account", scene.account, restricted_at=timezone.now())


def silence(scene: Scene) -> None:
    scene.world.contact(datetime.now(UTC) - timedelta(hours=3))


@pytest.mark.parametrize(
    ("close", "said"),
    [
        (solve, f"Ticket {TICKET} was closed at"),
        (revoke, "revoked the access at"),
        (give_back, "You ended the access at"),
        (reassign, f"Ticket {TICKET} stopped being assigned to you at"),
        (restrict, "Processing is restricted"),
        (silence, "have not been confirmed since"),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_when_the_gate_closes_the_values_go_and_the_page_says_why(
    desks: Desks, close: Callable[[Scene], None], said: str
) -> None:
    desks.scene.opened()
    desk = consultant(desks)
    value = revealed(desk)
    desk.click(desk.page.locator("#gate summary"))  # unfolded, and the focus is in it
    close(desks.scene)
    expect(value).to_have_count(0)
    expect(desk.heading("Access is closed")).to_be_visible()
    expect(desk.page.locator("#now")).to_contain_text(said)
    expect(desk.page.locator("#live")).to_contain_text(said)
    expect(desk.page).to_have_title(re.compile("^Access closed"))
    assert desk.secrets_in_page() == set()
    expect(desk.page.locator(".thin")).to_have_count(0)
    expect(desk.page.locator("[name=fields]")).to_have_count(0)
    expect(desk.page.locator("#main")).to_be_focused()  # where reading goes on


def test_what_ended_leaves_what_runs_and_the_page_says_so(desks: Desks) -> None:
    scene = desks.scene
    first = scene.opened(categories=["contact"])
    scene.opened(categories=["billing"])
    desk = desks.signed_in(scene.anna)
    value = revealed(desk)
    assert grants.end(scene.manager, first) == ""
    expect(value).to_have_count(0)
    expect(desk.page.locator("#now > .note")).to_contain_text("revoked the access at")
    expect(desk.page.locator("#contact")).to_contain_text("Not covered by the approval.")
    expect(desk.reveals(r"Bank account \(IBAN\)")).to_be_visible()


def test_two_tabs_agree(desks: Desks) -> None:
    desks.scene.opened()
    desk = desks.signed_in(desks.scene.anna)
    value = revealed(desk)
    other = desk.page.context.new_page()
    other.goto(desk.origin + reverse("home"))
    other.get_by_role("button", name=f"End {REFERENCE}").click()
    expect(other.get_by_text("Access has ended.")).to_be_visible()
    expect(value).to_have_count(0)
    expect(desk.page.locator("#now")).to_contain_text("You ended the access at")


def test_what_is_typed_and_the_focus_stay_while_the_page_changes(desks: Desks) -> None:
    scene = desks.scene
    scene.world.participants(REFERENCE, 3)
    scene.opened(categories=["contact", "participants"])
    desk = consultant(desks)
    value = revealed(desk)
    search = desk.page.get_by_label("Exact e-mail or reference")
    search.fill("p1@gosc.ex")
    request = scene.ask(categories=["billing"])
    expect(desk.page.locator(".beside")).to_contain_text("Pending")
    assert scene.approve(request) == ""
    expect(desk.button("Open this as well")).to_be_visible()
    expect(desk.page.locator("#live")).to_contain_text("Approved: billing.")
    # Nothing of what is open has changed: the field that is read stays in sight.
    expect(value).to_be_visible()

    # Opened elsewhere: the fields are drawn again, around what is typed.
    grant = Grant.objects.get(request=request).pk
    assert grants.open_window(scene.caller, grant=grant, account=REFERENCE) is None
    expect(desk.reveals(r"Bank account \(IBAN\)")).to_be_visible()
    expect(search).to_have_value("p1@gosc.ex")
    expect(search).to_be_focused()


# The clock


def cut_off(desk: Desk) -> None:
    """The server cannot be reached any more; the browser's complaints about that are expected."""
    desk.page.route("**/gate?*", lambda route: route.abort())


def expected_complaints(desks: Desks) -> None:
    desks.complaints[:] = [one for one in desks.complaints if not re.search(r"ERR_FAILED|: htmx:", one)]


def test_at_nothing_the_values_go_without_the_server(desks: Desks) -> None:
    scene = desks.scene
    grant = scene.opened()
    desk = desks.signed_in(scene.anna)
    desk.page.clock.install(time=datetime.now(UTC) - timedelta(hours=2))  # by a clock that is wrong
    value = revealed(desk)
    cut_off(desk)
    gate = desk.page.locator("#gate")
    gate.locator(".countdown").evaluate("one => { one.dataset.ends = Number(one.dataset.now) + 8; }")
    # Less than what a server may be silent for: it is the time alone that hides them.
    desk.page.clock.fast_forward(9 * SECOND)
    expect(gate.locator(".countdown")).to_have_text("0:00")
    assert desk.secrets_in_page() == set()
    expect(value).to_have_count(0)
    expect(gate).to_contain_text("Being checked again")
    expect(gate.get_by_text("all conditions met")).to_be_hidden()
    scene.world.quietly(
        "gatekeeper_grant", grant, window_ends_at=datetime.now(UTC)
    )  # as the server's clock says
    desk.page.unroute("**/gate?*")
    desk.poll()
    expect(desk.heading("Access is closed")).to_be_visible()
    expect(desk.page.locator("#now")).to_contain_text("The approved time was over at")
    expected_complaints(desks)


def test_a_silent_server_hides_the_values_and_one_that_answers_is_believed(desks: Desks) -> None:
    desks.scene.opened()
    desk = desks.signed_in(desks.scene.anna)
    desk.page.clock.install()
    value = revealed(desk)
    cut_off(desk)
    lost = desk.page.get_by_text("The server has not answered for 15 seconds.")
    desk.page.clock.fast_forward(10 * SECOND)
    expect(value).to_be_visible()
    expect(lost.locator("visible=true")).to_have_count(0)
    desk.page.clock.fast_forward(6 * SECOND)
    expect(desk.page.locator("#lost")).to_be_visible()
    assert desk.secrets_in_page() == set()  # at once, long before they hide by themselves
    expect(value).to_have_count(0)
    expect(lost.locator("visible=true")).to_have_count(2)  # the note, and what is read out
    expect(desk.page.get_by_text("all conditions met")).to_be_hidden()
    desk.page.unroute("**/gate?*")
    desk.poll()
    expect(desk.page.locator("#lost")).to_be_hidden()
    expect(desk.page.get_by_text("all conditions met")).to_be_visible()
    expected_complaints(desks)


def test_a_browsers_clock_that_is_set_back_takes_nothing_from_the_silence(desks: Desks) -> None:
    desks.scene.opened()
    desk = desks.signed_in(desks.scene.anna)
    desk.page.clock.install()
    revealed(desk)
    cut_off(desk)
    left = desk.page.locator("#gate .countdown")
    left.evaluate("one => { one.dataset.ends = Number(one.dataset.now) + 20; }")
    desk.page.clock.set_system_time(datetime.now(UTC) - timedelta(hours=1))
    desk.page.clock.fast_forward(16 * SECOND)
    expect(left).to_have_text(re.compile("^0:0"))
    expect(desk.page.locator("#lost")).to_be_visible()
    assert desk.secrets_in_page() == set()
    expected_complaints(desks)


def test_out_of_sight_nothing_is_shown_and_coming_back_asks_at_once(desks: Desks) -> None:
    desks.scene.opened()
    desk = desks.signed_in(desks.scene.anna)
    desk.page.clock.install()
    value = revealed(desk)
    desk.page.evaluate(IN_SIGHT, False)
    expect(value).to_be_hidden()
    solve(desks.scene)
    desk.page.clock.pause_at(datetime.now(UTC) + timedelta(seconds=1))
    with desk.page.expect_response(lambda answer: answer.request.headers.get("hx-request") == "true"):
        desk.page.evaluate(IN_SIGHT, True)


# Home, inbox, and the frame of every page


def test_home_follows_what_opens_and_what_closes(desks: Desks) -> None:
    scene = desks.scene
    scene.opened()
    desk = consultant(desks)
    desk.goto("home")
    opened = desk.page.locator("#now").get_by_role("link", name=re.compile(rf"^Open\s+{REFERENCE}"))
    expect(opened).to_have_count(2)  # among what is open, and in the ticket's line
    desk.page.get_by_label("Account or ticket number").fill("MOC-4")
    opened.first.focus()
    scene.ask(categories=["billing"])
    expect(desk.page.locator("#now")).to_contain_text("Pending")
    expect(opened.first).to_be_focused()
    scene.world.account("MOC-40002")
    scene.world.ticket("ZD-10002", accounts=["MOC-40002"], assignee=scene.anna)
    expect(desk.link("MOC-40002")).to_be_visible()
    solve(scene)
    expect(desk.page.get_by_text("Nothing is open. The clock")).to_be_visible()
    expect(desk.page.locator(".thin")).to_have_count(0)
    expect(desk.page.get_by_label("Account or ticket number")).to_have_value("MOC-4")


def test_the_inbox_goes_on_while_somebody_is_at_work_in_it(desks: Desks) -> None:
    scene = desks.scene
    first = scene.ask()
    desk = desks.signed_in(scene.boss)
    desk.goto("inbox")
    card = desk.page.locator(f"#request-{first}")
    desk.click(card.get_by_text("Change…"))
    card.locator("[name=minutes][value='30']").check()
    card.locator("[name=categories][value=support]").uncheck()
    scene.world.account("MOC-40002")
    scene.world.ticket("ZD-10002", accounts=["MOC-40002"], assignee=scene.anna)
    second = scene.ask(account="MOC-40002", ticket="ZD-10002")
    expect(desk.page.locator(f"#request-{second}")).to_be_visible()
    expect(card.locator("[name=minutes][value='30']")).to_be_checked()
    expect(card.locator("[name=categories][value=support]")).not_to_be_checked()
    expect(card.locator("[name=categories][value=support]")).to_be_focused()
    assert requests.withdraw(scene.caller, second) == ""
    expect(desk.page.locator(f"#request-{second}")).to_have_count(0)
    desk.click(card.get_by_role("button", name="Approve"))
    expect(desk.page.get_by_text("Approved. The clock starts")).to_be_visible()
    grant = Grant.objects.get(request=first)
    assert (grant.minutes, sorted(grant.categories)) == (30, ["company", "contact"])


def test_the_counts_and_the_bar_of_open_accesses_are_live_on_every_page(desks: Desks) -> None:
    scene = desks.scene
    scene.world.change("staff_member", scene.anna.id, roles=["consultant", "manager"])
    scene.world.change("staff_member", scene.carl.id, manager_id=scene.anna.id)
    scene.world.account("MOC-40002")
    scene.world.ticket("ZD-10002", accounts=["MOC-40002"], assignee=scene.carl)
    scene.opened()
    desk = desks.signed_in(scene.anna)
    desk.goto("team")
    title = desk.page.title()
    expect(desk.page.locator(".thin")).to_contain_text("1 open access")
    scene.ask(scene.world.session(scene.carl), account="MOC-40002", ticket="ZD-10002")
    expect(desk.page.locator(".rail .count")).to_contain_text("1")
    solve(scene)
    expect(desk.page.locator(".thin")).to_have_count(0)
    expect(desk.page).to_have_title(title)


# What a question costs, and what it is not


def asked_again(scene: Scene, name: str, *arguments: str) -> tuple[Any, list[int]]:
    """A page, then its own question: the answer, and how many statements each connection saw."""
    client = scene.browser()
    page = client.get(reverse(name, args=arguments)).content.decode()
    found = re.search(r'id="pulse"\s+hx-get="([^"]+)"', page)
    assert found
    asked = [CaptureQueriesContext(connections[alias]) for alias in ("default", "vault")]
    with asked[0], asked[1]:
        answer = client.get(found[1].replace("&amp;", "&"), headers={"HX-Request": "true"})
    return answer, [len(one) for one in asked]


@pytest.mark.parametrize(
    ("name", "arguments", "statements"), [("account", [REFERENCE], 2), ("home", [], 7), ("sessions", [], 2)]
)
def test_a_question_to_which_nothing_is_new_is_cheap_and_decided_anew(
    scene: Scene, name: str, arguments: list[str], statements: int
) -> None:
    scene.opened()
    answer, asked = asked_again(scene, name, *arguments)
    assert (answer.status_code, answer.content, answer["Cache-Control"]) == (204, b"", "no-store")
    assert asked[0] <= statements
    assert asked[1] == 0


def test_a_closed_gates_question_is_cheap_as_well(scene: Scene) -> None:
    scene.ask()
    answer, asked = asked_again(scene, "account", REFERENCE)
    assert answer.status_code == 204
    assert asked[0] <= 4
    solve(scene)
    assert asked_again(scene, "account", REFERENCE)[0].status_code == 204


def test_a_questions_answer_keeps_what_the_next_page_has_to_say(scene: Scene) -> None:
    scene.opened()
    client = scene.browser()
    client.post(reverse("end_grant", args=[scene.grant]))  # leads to a page that says so
    assert client.get(reverse("pulse")).status_code == 200
    assert "Access has ended." in client.get(reverse("home")).content.decode()


def test_of_anothers_access_a_question_tells_nothing(scene: Scene) -> None:
    scene.opened()
    revoke(scene)
    query = {"was": str(scene.grant)}
    page = scene.browser(scene.carl).get(reverse("gate_state", args=[REFERENCE]), query).content.decode()
    assert "revoked the access" not in page
    assert 'data-code="ticket_missing"' in page
