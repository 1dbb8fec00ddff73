"""The pages in Chromium, with and without JavaScript, as people at their desks use them.

Each test builds its facts with tests.world; what people do goes through a real browser, a real
server and the real roles. Whatever a browser complains about on any page, a request that leaves
the house included, fails the test in which it happened (`Desks.complaints`).
"""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Error, expect
from standardwebhooks import Webhook

from audit.models import Entry
from gatekeeper.access import more, requests
from gatekeeper.demo.helpdesk import ticket_message
from gatekeeper.models import Grant
from staff.directory import people
from staff.models import Member
from staff.sign_in.invitations import digest_of, path_of
from tests.world.desks import EMAIL, Desk, Desks
from tests.world.entries import entry
from tests.world.people import PASSWORD, fresh_code, give_factors, sign_in
from tests.world.poppler import text_of
from tests.world.scene import REFERENCE, TICKET

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator, Page, ViewportSize


pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True, databases="__all__"),
]

STORED = """async () => ({
    localStorage: Object.keys(localStorage),
    sessionStorage: Object.keys(sessionStorage),
    caches: await caches.keys(),
    databases: await indexedDB.databases(),
    workers: (await navigator.serviceWorker.getRegistrations()).map((one) => one.scope),
})"""
OUT_OF_SIGHT = """() => {
    Object.defineProperty(document, "hidden", {get: () => true});
    document.dispatchEvent(new Event("visibilitychange"));
}"""
WIDER_THAN_THE_SCREEN = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
#: Places of the bar whose words are wider than what they may fill.
CUT = """() => Array.from(document.querySelectorAll(".rail a"))
    .filter(place => place.scrollWidth > place.clientWidth).map(place => place.innerText.trim())"""


def helpdesk_says(origin: str, number: str, state: str) -> int:
    """Send the signed message of `make ticket` and return the answer's status."""
    body, moment, message_id = (
        json.dumps(ticket_message(number, state)),
        datetime.now(UTC),
        f"msg_{secrets.token_hex(12)}",
    )
    connection = HTTPConnection(urlsplit(origin).netloc, timeout=10)
    connection.request(
        "POST",
        reverse("api_tickets"),
        body,
        {
            "Content-Type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(moment.timestamp())),
            "webhook-signature": Webhook(settings.TICKETS_SECRET).sign(message_id, moment, body),
        },
    )
    return connection.getresponse().status


# The way through the house


@pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "plain"])
def test_a_newcomers_way_through_the_house(desks: Desks, javascript: bool) -> None:
    scene = desks.scene
    rita = scene.world.member("reviewer")
    scene.world.signature(rita)
    give_factors(scene.world, scene.anna, scene.boss, rita)
    consultant, manager, reviewer = (
        desks.open(person, java_script_enabled=javascript) for person in (scene.anna, scene.boss, rita)
    )

    consultant.sign_in()
    assert consultant.clicks == 2

    # She meets a closed gate that says what is missing, and asks.
    consultant.click(consultant.link(REFERENCE))
    expect(consultant.heading("Access is closed")).to_be_visible()
    expect(consultant.page.get_by_text("1 thing missing")).to_be_visible()
    expect(consultant.condition("approval")).to_contain_text("No access has been requested yet.")
    consultant.click(consultant.link("Request access"))
    consultant.click(consultant.button("Send request"))
    expect(consultant.page.get_by_text("Request sent.")).to_be_visible()
    expect(consultant.condition("approval")).to_contain_text("Requested at")
    assert consultant.clicks == 2 + 3

    # The manager approves.
    manager.sign_in()
    manager.click(manager.link("Inbox"))
    manager.click(manager.button("Approve"))
    expect(manager.page.get_by_text("Approved. The clock starts")).to_be_visible()
    assert manager.clicks == 2 + 2

    # She opens the account and reveals one field; nothing else comes with it.
    consultant.page.reload()
    consultant.click(consultant.button("Open the account"))
    assert consultant.secrets_in_page() == set()
    consultant.click(consultant.reveals("E-mail"))
    expect(consultant.page.get_by_text(EMAIL)).to_be_visible()
    assert consultant.secrets_in_page() == {"contact.email"}
    assert consultant.clicks == 2 + 3 + 2

    # The ticket is solved: the next click meets a closed gate.
    assert helpdesk_says(desks.origin, TICKET, "solved") < 300
    consultant.click(consultant.reveals("Name or nickname"))
    expect(consultant.heading("Access is closed")).to_be_visible()
    expect(consultant.condition("ticket")).to_contain_text(f"Ticket {TICKET} is closed.")
    assert consultant.secrets_in_page() == set()

    # The reviewer finds all of it.
    reviewer.sign_in()
    reviewer.click(reviewer.link("Log"))
    reviewer.page.get_by_label("Search the log").fill(REFERENCE)
    reviewer.click(reviewer.page.locator(".ask").get_by_role("button", name="Search"))
    found = reviewer.page.locator("ol.entries a")
    expect(found).to_contain_text(["view", "end", "view", "access opened", "approval", "request"])
    refused, viewed = found.nth(0), found.nth(2)
    expect(refused).to_contain_text("Refused")
    expect(viewed).to_contain_text("Allowed")
    reviewer.click(viewed)
    facts = reviewer.page.locator("main .facts")
    expect(facts.locator("dt:text-is('Fields') + dd")).to_contain_text("E-mail")
    expect(facts).to_contain_text(scene.anna.number)
    expect(facts).to_contain_text(scene.boss.number)
    assert reviewer.secrets_in_page() == set()
    assert reviewer.clicks == 2 + 3


# The customer's report


@pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "plain"])
def test_account_month_and_pdf_are_three_actions(desks: Desks, javascript: bool) -> None:
    scene = desks.scene
    scene.opened(categories=["contact"])
    scene.reveal("contact.name")
    eve = scene.world.member("privacy")
    scene.world.signature(eve)
    desk = desks.signed_in(eve, java_script_enabled=javascript)
    desk.goto("home")
    desk.page.get_by_label("Account, accounts of one customer, or participant").fill(REFERENCE)  # one
    desk.page.get_by_label("Month").select_option(f"{timezone.localdate():%Y-%m}")  # two
    with desk.page.expect_download() as downloading:
        desk.click(desk.button("PDF with proof"))  # three
    assert desk.clicks == 1
    paper = Path(downloading.value.path()).read_bytes()
    assert scene.anna.number in text_of(paper)
    desk.click(desk.button("Show here"))
    expect(desk.page.locator("article.report")).to_contain_text(TICKET)
    assert desk.secrets_in_page() == set()


# The log


@pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "plain"])
def test_three_actions_lead_from_an_account_to_who_looked_without_good_reason(
    desks: Desks, javascript: bool
) -> None:
    """Somebody looked at MOC-40017 last week without good reason: that is all that the reviewer is told."""
    world = desks.scene.world
    rita = world.member("reviewer")
    world.signature(rita)
    noon = timezone.localtime().replace(hour=12, minute=0, second=0)
    monday = noon - timedelta(days=noon.weekday() + 7)

    def looked(*, at: datetime, **facts: Any) -> int:
        """A view, and before it the sign-in of whoever looks."""
        who = {name: facts[name] for name in ("member", "member_name") if name in facts}
        entry(world, event="sign_in", object_repr="code", account=None, at=at - timedelta(minutes=5), **who)
        return entry(world, at=at, **facts)

    for week in range(8, -1, -1):
        for account in ("MOC-40017", "MOC-40018"):
            looked(account=account, at=monday - timedelta(weeks=week))
    curious = looked(member="K-0555", member_name="Piotr Zych", at=monday + timedelta(days=2, hours=11))
    for account in ("MOC-40017", "MOC-40018"):
        looked(account=account, at=monday + timedelta(days=3))
    call_command("detect")

    reviewer, actions = desks.signed_in(rita, java_script_enabled=javascript), 0
    reviewer.goto("home")
    reviewer.page.get_by_label("Account or ticket number").fill("MOC-40017")
    reviewer.page.keyboard.press("Enter")
    actions += 1
    row = reviewer.page.locator("ol.entries li.flagged").first
    expect(row).to_contain_text("K-0555")
    reviewer.click(row.get_by_role("link"))
    actions += 1

    expect(reviewer.page).to_have_url(re.compile(rf"/log/{curious}\?"))
    expect(reviewer.page.locator("main")).to_contain_text("Outside the working hours")
    expect(reviewer.page.locator("main .facts")).to_contain_text("Piotr Zych")
    assert actions <= 3


def test_the_counts_follow_the_rows_and_each_click_narrows(desks: Desks) -> None:
    world = desks.scene.world
    rita = world.member("reviewer")
    world.signature(rita)
    for place in range(12):
        entry(world, member=f"K-05{place % 3}0", at=datetime.now(UTC) - timedelta(hours=60 - place))
    reviewer = desks.signed_in(rita)
    reviewer.goto("entries", query="?q=account:MOC-40017")
    expect(reviewer.page.locator("#histogram")).to_contain_text("12 entries match.")
    expect(reviewer.button("Export 12 rows as CSV")).to_be_visible()
    reviewer.click(reviewer.page.locator("#facets").get_by_role("link", name=re.compile(r"^K-0500")))
    expect(reviewer.page.locator("ol.entries li")).to_have_count(4)
    expect(reviewer.button("Export 4 rows as CSV")).to_be_visible()
    reviewer.click(reviewer.page.locator(".bars a").first)
    expect(reviewer.page).to_have_url(re.compile(r"since:.*until:"))
    expect(reviewer.page.locator("ol.entries li").first).to_contain_text("K-0500")
    with reviewer.page.expect_download() as download:
        reviewer.click(reviewer.button("Export 1 row as JSON lines"))
    assert download.value.suggested_filename.endswith(".jsonl")


# What stays in the browser


@pytest.fixture
def opened(desks: Desks) -> Desk:
    """The consultant before her open account, all of it hidden; the page's clock is the test's."""
    desks.scene.opened()
    desk = desks.signed_in(desks.scene.anna)
    desk.page.clock.install()
    desk.goto("account", REFERENCE)
    return desk


def reveal(desk: Desk) -> Locator:
    """Reveal the e-mail, and return where it stands."""
    desk.click(desk.reveals("E-mail"))
    value = desk.page.get_by_text(EMAIL)
    expect(value).to_be_visible()
    return value


def test_a_value_hides_itself(opened: Desk) -> None:
    value = reveal(opened)
    opened.pass_time(5)
    expect(value).to_be_visible()
    opened.pass_time(26)
    expect(value).to_have_count(0)
    assert opened.secrets_in_page() == set()

    value = reveal(opened)
    opened.page.keyboard.press("Escape")
    expect(value).to_have_count(0)

    value = reveal(opened)
    opened.page.evaluate(OUT_OF_SIGHT)
    expect(value).to_be_hidden()


def back(desk: Desk) -> None:
    """The back button. A POST is not repeated unasked: then the browser has no page to show."""
    try:
        desk.page.go_back(wait_until="commit")
    except Error as error:
        assert "ERR_CACHE_MISS" in error.message  # noqa: PT017 - what else fails is a surprise
    expect(desk.page.locator("body")).not_to_contain_text(EMAIL)
    desk.page.wait_for_load_state("networkidle")


@pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "plain"])
def test_what_a_script_does_is_said_where_one_runs_alone(desks: Desks, javascript: bool) -> None:
    desks.scene.opened()
    desk = desks.signed_in(desks.scene.anna, java_script_enabled=javascript)
    desk.goto("account", REFERENCE)
    expect(desk.page.get_by_text("Values hide themselves")).to_be_visible(visible=javascript)
    expect(desk.page.get_by_text("values stay in sight until")).to_be_visible(visible=not javascript)
    manager = desks.signed_in(desks.scene.boss, java_script_enabled=javascript)
    manager.goto("inbox")
    expect(manager.page.get_by_text("New requests show here by themselves")).to_be_visible(visible=javascript)
    expect(manager.page.get_by_text("Reload this page")).to_be_visible(visible=not javascript)


def test_leaving_the_page_leaves_nothing_behind(opened: Desk) -> None:
    reveal(opened)
    opened.click(opened.link("Home"))
    expect(opened.heading("Hello")).to_be_visible()
    back(opened)
    assert opened.secrets_in_page() == set()


def test_after_sign_out_the_back_button_shows_nothing(opened: Desk) -> None:
    reveal(opened)
    opened.click(opened.page.locator(".menu summary"))
    opened.click(opened.button("Sign out"))
    expect(opened.heading("Sign in")).to_be_visible()
    for _page in ("the revealed one", "the hidden one"):
        back(opened)
        assert opened.secrets_in_page() == set()
    assert settings.SESSION_COOKIE_NAME not in {one["name"] for one in opened.page.context.cookies()}


def test_the_browser_stores_two_cookies_and_nothing_else(opened: Desk) -> None:
    reveal(opened)
    opened.goto("home")
    stored = opened.page.evaluate(STORED)
    assert {kind: names for kind, names in stored.items() if names} == {}
    cookies = opened.page.context.cookies()
    assert {one["name"] for one in cookies} == {settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME}
    assert all(one["secure"] and one["httpOnly"] and one["sameSite"] == "Lax" for one in cookies)
    assert all(one["expires"] == -1 for one in cookies)  # gone with the browser


# Pages that refresh themselves


def age(desk: Desk) -> datetime:
    """Let the session be unseen for a minute, so that any activity would show."""
    seen = datetime.now(UTC) - timedelta(minutes=1)
    desk.world.change("staff_session", desk.session.pk, last_seen_at=seen)
    return seen


def test_the_inbox_refreshes_itself_and_keeps_no_session_alive(desks: Desks) -> None:
    manager = desks.signed_in(desks.scene.boss)
    manager.page.clock.install()
    manager.goto("inbox")
    expect(manager.page.get_by_text("Nothing to decide. New requests")).to_be_visible()
    seen = age(manager)

    desks.scene.ask()
    manager.poll()
    expect(manager.button("Approve")).to_be_visible()
    expect(manager.page.locator("#live")).to_have_text("1 request to decide")
    manager.poll()
    assert manager.session.last_seen_at == seen
    manager.page.reload()
    assert manager.session.last_seen_at > seen

    # Idle for too long, and the page locks by itself.
    desks.scene.world.change(
        "staff_session", manager.session.pk, last_seen_at=datetime.now(UTC) - timedelta(hours=1)
    )
    manager.poll()
    expect(manager.heading("Locked")).to_be_visible()


def test_the_gate_shows_and_announces_the_approval_by_itself(desks: Desks) -> None:
    request = desks.scene.ask()
    consultant = desks.signed_in(desks.scene.anna)
    consultant.page.clock.install()
    consultant.goto("account", REFERENCE)
    live = consultant.page.locator("#live")
    expect(consultant.heading("Your request")).to_be_visible()
    seen = age(consultant)
    consultant.poll()
    expect(live).to_be_empty()  # nothing is new

    assert desks.scene.approve(request) == ""
    consultant.poll()
    expect(consultant.button("Open the account")).to_be_visible()
    expect(live).to_contain_text("Approved for 60 min.")
    expect(consultant.heading("Your request")).to_have_count(0)
    expect(consultant.heading("Approved access")).to_be_visible()
    assert consultant.session.last_seen_at == seen

    # Opened in another window: the gate of this one is open too.
    grant = Grant.objects.get(request=request).pk
    other = sign_in(desks.scene.world, desks.scene.anna)
    other.post(reverse("open_window", args=[REFERENCE]), {"grant": grant})
    consultant.poll()
    expect(live).to_have_text("Access is open.")
    expect(consultant.reveals("E-mail")).to_be_visible()


# For everybody

# Everything that WCAG 2.2 asks for at levels A and AA.
AXE = {
    "resultTypes": ["violations"],
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
}
# All that folds, but of a list of entries only the newest two: they are alike.
UNFOLD = """() => document.querySelectorAll("details:not(.entries li:nth-child(n + 3) details)").forEach(
    (one) => { one.open = true; })"""
WIDE: ViewportSize = {"width": 1280, "height": 900}
NARROW: ViewportSize = {"width": 360, "height": 740}
#: A screen of 1280 by 1024 at 400 per cent (WCAG 2.2, 1.4.10).
MAGNIFIED: ViewportSize = {"width": 320, "height": 256}
#: What stays in sight while the page scrolls, and so takes from what can be read of it.
STAYS = """() => [...document.querySelectorAll(".frame *")].filter((one) => one.checkVisibility()
    && ["fixed", "sticky"].includes(getComputedStyle(one).position)).map((one) => one.className)"""
#: Tablets, and a screen of 1280 at 125 and 200 per cent: on either side of where the layout changes.
BETWEEN = (640, 768, 820, 1024, 1200)


@dataclass
class Inspection:
    """Looks at pages with axe, and at 360 pixels; keeps what is wrong with each."""

    language: str
    axe: Axe = field(default_factory=Axe)
    faults: list[str] = field(default_factory=list)

    def see(self, page: Page) -> None:
        """Inspect the page as it stands, all that folds unfolded."""
        if page.evaluate("document.documentElement.lang") != self.language:
            self.faults.append(f"{page.url} is not in {self.language!r}")
        page.evaluate(UNFOLD)
        found = self.axe.run(page, options=AXE).response["violations"]
        self.faults += [
            f"{page.url}: {one['id']} ({one['impact']}) at {node['target']}"
            for one in found
            if one["impact"] in ("serious", "critical")
            for node in one["nodes"]
        ]
        for width in BETWEEN:
            self._measure(page, {"width": width, "height": WIDE["height"]})
        self._measure(page, MAGNIFIED)
        if bars := page.evaluate(STAYS):
            self.faults.append(f"{bars} of {page.url} stay in sight of a screen of 256 pixels")
        self._measure(page, NARROW)
        if cut := page.evaluate(CUT):
            self.faults.append(f"the bar of {page.url} cuts {cut}")
        page.set_viewport_size(WIDE)

    def _measure(self, page: Page, size: ViewportSize) -> None:
        page.set_viewport_size(size)
        if wider := page.evaluate(WIDER_THAN_THE_SCREEN):
            self.faults.append(f"{page.url} is {wider} pixels wider than a screen of {size['width']}")


class Town:
    """One of each role at their desks, with something to see on each page."""

    def __init__(self, desks: Desks, language: str, theme: str) -> None:
        scene, world = desks.scene, desks.scene.world
        self.scene = scene
        world.participants(REFERENCE, 30)
        scene.opened(categories=["contact", "company", "support", "participants"])
        world.account("MOC-40002")
        world.account("MOC-40003")
        world.ticket("ZD-10002", accounts=["MOC-40002", "MOC-40003"], assignee=scene.anna)
        denied = scene.ask(account="MOC-40002", ticket="ZD-10002")
        requests.deny(scene.manager, denied, denial="too_wide")
        self.request = scene.ask(account="MOC-40003", ticket="ZD-10002", text="Nie słychać dźwięku.")
        self.deputy = world.member("manager", manager=scene.boss)
        roles = ("reviewer", "people", "administrator", "privacy")
        people = {role: world.member(role) for role in roles}
        for person in (*people.values(), self.deputy):
            world.signature(person)
        people |= {"consultant": scene.anna, "manager": scene.boss}
        for person in (*people.values(), scene.carl):
            world.change("staff_member", person.id, language=language, theme=theme)
        self.desks = {role: desks.signed_in(person) for role, person in people.items()}
        self.visitor = desks.open(scene.carl, locale=language, color_scheme=theme)


def see_the_consultants_pages(town: Town, see: Callable[[Page], None]) -> None:
    desk = town.desks["consultant"]
    for name, arguments, query in (
        ("home", [], ""),
        ("account", ["MOC-40002"], "?ticket=ZD-10002"),  # shut: rejected
        ("account", ["MOC-40003"], "?ticket=ZD-10002"),  # shut: waiting
        ("account", ["MOC-99999"], ""),  # none of hers
        ("ask", ["MOC-40002"], "?ticket=ZD-10002"),
        ("ticket", ["ZD-10002"], ""),
        ("ticket", ["ZD-99999"], ""),
        ("approval", [town.request], ""),
        ("profile", [], ""),
        ("factors", [], ""),
        ("sessions", [], ""),
        ("own_entries", [], ""),
        ("change_password", [], ""),
        ("nda", [], ""),
        ("step_up", [], ""),
        ("inbox", [], ""),  # not hers
        ("account", [REFERENCE], ""),
    ):
        desk.goto(name, *arguments, query=query)
        see(desk.page)
    for form in ("[name=category][value=contact]", "#participants [name=page]"):
        desk.click(desk.page.locator(form))
        expect(desk.page.locator(".revealed").first).to_be_visible()
        see(desk.page)
    desk.goto("ask", "MOC-40002", query="?ticket=ZD-10002")
    desk.page.locator("[name=text]").fill("Write to aldona@klient.example")
    desk.click(desk.page.locator("main form .primary"))
    expect(desk.page.locator(".errors")).to_be_focused()
    see(desk.page)


def see_the_officers_pages(town: Town, see: Callable[[Page], None]) -> None:
    anna = town.scene.anna.number
    for role, name, arguments in (
        ("manager", "home", []),
        ("manager", "inbox", []),
        ("manager", "approval", [town.request]),
        ("manager", "team", []),
        ("reviewer", "team", []),
        ("reviewer", "entries", []),
        ("reviewer", "log_figures", []),
        ("reviewer", "entry", [Entry.objects.earliest("id").pk]),
        ("people", "members", []),
        ("people", "member", [anna]),
        ("people", "new_member", []),
        ("people", "proposals", []),
        ("people", "ndas", []),
        ("people", "nda_draft", []),
        ("people", "nda_version", [1]),
        ("people", "nda_upload", [anna]),
        ("people", "unconfirmed_scans", []),
        ("people", "nda_countersign", []),
        ("people", "nda_register", []),
        ("people", "authorisations", []),
        ("people", "member_authorisations", [anna]),
        ("administrator", "proposals", []),
        ("administrator", "checks", []),
        ("administrator", "home", []),
        ("privacy", "home", []),
        ("privacy", "reports", []),
    ):
        town.desks[role].goto(name, *arguments)
        see(town.desks[role].page)


def see_what_waits(town: Town, see: Callable[[Page], None]) -> None:
    """A suspension that one person began, officers brought back, more for today, and a one-time link."""
    world, scene, desks = town.scene.world, town.scene, town.desks
    world.insert("staff_recovery", at=timezone.now(), source="recover (root)", numbers=["K-0003", "K-0004"])
    officer = Member.objects.get(roles=["people"])
    people.change_member(scene.manager, officer.number, "suspended", True)
    more.ask(scene.caller)
    for role, name in (
        ("administrator", "proposals"),
        ("reviewer", "proposals"),
        ("people", "proposals"),
        ("manager", "proposals"),
        ("manager", "inbox"),
        ("reviewer", "reviews"),
    ):
        desks[role].goto(name)
        see(desks[role].page)
    desk = desks["people"]
    desk.goto("member", scene.carl.number)
    desk.page.locator("main details.more summary").first.click()
    desk.click(desk.page.locator("form[action$='/invite/'] button"))
    expect(desk.page.locator("main .note code")).to_be_visible()
    see(desk.page)


def see_the_visitors_pages(town: Town, see: Callable[[Page], None]) -> None:
    world, desk, person = town.scene.world, town.visitor, town.scene.carl
    token = secrets.token_urlsafe(32)
    world.insert(
        "staff_invitation",
        purpose="invitation",
        member_id=person.id,
        digest=digest_of(token),
        created_at=datetime.now(UTC),
        expires_at=datetime.now(UTC) + timedelta(hours=1),
    )
    for path in ("/sign-in/?why=session_expired", "/nothing", path_of("unknown"), path_of(token)):
        desk.page.goto(desk.origin + path)
        see(desk.page)
    for place in range(2):
        desk.page.locator("[type=password]").nth(place).fill(PASSWORD)
    desk.click(desk.page.locator("main form .primary"))
    expect(desk.page.locator("[data-passkey]")).to_be_visible()
    see(desk.page)


# Colours do not depend on the language, nor words on the theme: two runs show each of the four.
@pytest.mark.parametrize(("language", "theme"), [("en", "light"), ("pl", "dark")])
def test_every_page_is_for_everybody(desks: Desks, language: str, theme: str) -> None:
    town, inspection = Town(desks, language, theme), Inspection(language)
    for see_pages in (
        see_the_consultants_pages,
        see_the_officers_pages,
        see_what_waits,
        see_the_visitors_pages,
    ):
        see_pages(town, inspection.see)
    assert inspection.faults == []


# Two at once


def test_two_managers_at_once_have_one_effect(desks: Desks) -> None:
    scene = desks.scene
    chief = scene.world.member("manager")
    scene.world.signature(chief)
    scene.world.change("staff_member", scene.boss.id, manager_id=chief.id)
    request = scene.ask()
    managers = [desks.signed_in(person) for person in (scene.boss, chief)]
    for manager in managers:
        manager.goto("inbox")
        expect(manager.button("Approve")).to_be_visible()

    for manager in managers:
        manager.button("Approve").click(no_wait_after=True)

    said = {manager.person.id: manager.page.locator(".messages") for manager in managers}
    for message in said.values():
        expect(message).to_be_visible()
    grant = Grant.objects.select_related("approver").get(request=request)
    expect(said.pop(grant.approver_id)).to_contain_text("Approved. The clock starts")
    (second,) = said.values()
    expect(second).to_contain_text(f"Already decided: Approved, {grant.approver.name}")


def test_the_second_click_of_a_double_click_decides_nothing_else(desks: Desks) -> None:
    """The next request may stand where the first one stood."""
    scene = desks.scene
    scene.ask()
    manager = desks.signed_in(scene.boss)
    manager.goto("inbox")
    place = manager.button("Approve").bounding_box()
    assert place is not None
    middle = place["x"] + place["width"] / 2, place["y"] + place["height"] / 2
    manager.page.mouse.move(*middle)
    manager.page.mouse.down(click_count=2)
    manager.page.mouse.up(click_count=2)
    manager.page.reload()
    assert not Grant.objects.exists()
    manager.page.mouse.click(*middle)
    expect(manager.page.get_by_text("Approved. The clock starts")).to_be_visible()


# Reviewing


def test_one_key_decides_and_the_next_opens_by_itself(desks: Desks) -> None:
    world = desks.scene.world
    rita = world.member("reviewer")
    world.signature(rita)
    for place in (1, 2):
        entry(world, event="export", member=f"K-100{place}", at=timezone.now(), account="", grant_id=None)
    call_command("detect")
    reviewer = desks.signed_in(rita)
    reviewer.goto("reviews")
    reviewer.click(reviewer.link("Start review"))
    keys = reviewer.page.locator("[data-keys]")
    expect(keys).to_be_focused()
    first = reviewer.page.url
    reviewer.page.keyboard.press("f")
    expect(reviewer.page.get_by_label("The question")).to_be_focused()
    reviewer.page.keyboard.type("v, as in a text")  # where no key decides anything
    expect(reviewer.page).to_have_url(first)
    reviewer.page.reload()
    expect(keys).to_be_focused()
    reviewer.page.keyboard.press("v")
    expect(reviewer.page.get_by_text("In order. Here is the next.")).to_be_visible()
    expect(reviewer.page).not_to_have_url(first)
    expect(keys).to_be_focused()
    reviewer.page.keyboard.press("v")
    expect(reviewer.page.get_by_text("Nothing to review.")).to_be_visible()


def test_a_key_that_is_held_down_decides_once(desks: Desks) -> None:
    world = desks.scene.world
    rita = world.member("reviewer")
    world.signature(rita)
    for place in (1, 2):
        entry(world, event="export", member=f"K-100{place}", at=timezone.now(), account="", grant_id=None)
    call_command("detect")
    reviewer = desks.signed_in(rita)
    reviewer.goto("reviews")
    reviewer.click(reviewer.link("Start review"))
    keys = reviewer.page.locator("[data-keys]")
    expect(keys).to_be_focused()
    reviewer.page.keyboard.down("v")
    expect(reviewer.page.get_by_text("In order. Here is the next.")).to_be_visible()
    expect(keys).to_be_focused()
    reviewer.page.keyboard.down("v")  # the same press, which repeats itself
    reviewer.page.keyboard.up("v")
    reviewer.goto("reviews")
    expect(reviewer.page.get_by_text("1 access to review.")).to_be_visible()


def test_after_a_file_the_page_of_the_proof_shows_the_way_back(desks: Desks) -> None:
    officer = desks.scene.world.member("people")
    desks.scene.world.signature(officer)
    desk = desks.signed_in(officer)
    desk.goto("authorisations")
    desks.scene.world.change(
        "staff_session", desk.session.pk, verified_at=datetime.now(UTC) - timedelta(hours=1)
    )
    desk.click(desk.button("Download as CSV"))
    expect(desk.heading("Confirm it’s you")).to_be_visible()
    desk.page.get_by_label("Code from your application").fill(fresh_code(desk.world, officer))
    with desk.page.expect_download() as saved:
        desk.click(desk.button("Confirm"))
    assert saved.value.suggested_filename.endswith(".csv")
    expect(desk.page.get_by_text("your browser has it now")).to_be_visible()
    expect(desk.button("Confirm")).to_be_hidden()
    desk.click(desk.link("Go back"))
    expect(desk.page).to_have_url(re.compile(f"{reverse('authorisations')}$"))
