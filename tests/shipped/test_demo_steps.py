"""README's steps through the demo, carried out word for word: each sentence of README has an act here, and
a sentence without an act, or an act without its sentence, fails."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from playwright.sync_api import expect

from tests.shipped.demo import PROJECT, Shipped, folder
from tests.shipped.files import unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Locator, Page

pytestmark = [pytest.mark.browser, pytest.mark.shipped]

HEADING: Final = "Five minutes with the demo"
CONSULTANT: Final = "K-0193"
CODE: Final = re.compile(r"\d{6}")


@dataclass
class Story:
    """What the steps hand on to each other."""

    demo: Shipped
    browser: Browser
    desks: dict[str, Page] = field(default_factory=dict)
    account: str = ""
    ticket: str = ""
    #: The label of the field that was revealed.
    revealed: str = ""
    page: Page = field(init=False)

    def sit_down(self, number: str, role: str) -> None:
        """In a browser of their own, which stays open; pages in English."""
        if number not in self.desks:
            context = self.browser.new_context(locale="en", reduced_motion="reduce")
            self.desks[number] = context.new_page()
            self.demo.sign_in(self.desks[number], number)
        self.page = self.desks[number]
        self.page.get_by_role("button", name="English").first.click()
        self.page.goto(self.demo.origin)
        self.page.locator("details.menu > summary").click()
        expect(self.page.locator("details.menu")).to_contain_text(re.compile(rf"{number} · .*{role}"))
        self.page.locator("details.menu > summary").click()

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name).first

    def link(self, name: str) -> Locator:
        return self.page.get_by_role("link", name=name).first

    def line(self) -> Locator:
        """A ticket of the home's list to which nothing but an approval is missing."""
        return self.page.locator(
            "main table tbody tr", has=self.page.get_by_role("link", name="Request access")
        ).first


ACTS: dict[str, Callable[[Story], None]] = {}


def says(*parts: str) -> Callable[[Callable[[Story], None]], Callable[[Story], None]]:
    """Make an act the one for a sentence of README, in parts that fit a line."""

    def keep(act: Callable[[Story], None]) -> Callable[[Story], None]:
        ACTS[" ".join(parts)] = act
        return act

    return keep


def sentences() -> list[str]:
    """The section's sentences as README has them, in their order, each on one line."""
    readme = (PROJECT / "README.md").read_text("utf-8")
    section = readme.partition(f"## {HEADING}\n")[2].partition("\n## ")[0]
    blocks = re.split(r"\n\s*\n|\n(?=\d\. )", section.strip())
    text = [re.sub(r"^\d\. ", "", " ".join(block.split())) for block in blocks]
    # A sentence ends where the next begins with a capital, a command or an emphasis.
    return [one for block in text for one in re.split(r"(?<=\.)\s+(?=[A-Z`*])|(?<=\.\*\*)\s+", block) if one]


@pytest.fixture
def story(chromium: Browser) -> Iterator[Story]:
    demo = Shipped(folder() / "steps")
    story = Story(demo, chromium)
    try:
        demo.start()
        yield story
    finally:
        for page in story.desks.values():
            page.context.close()
        demo.remove()


def test_the_steps_of_readme_are_true_word_for_word(story: Story) -> None:
    found = sentences()
    assert found == list(ACTS), "README's steps and their acts differ"
    for sentence in found:
        ACTS[sentence](story)


@says(
    "`make demo` prints the address, who can sign in and their password; `make code MEMBER=K-0193` prints a"
    " member's current one-time code."
)
def _(story: Story) -> None:
    assert story.demo.origin.startswith("http://localhost:")
    assert len(story.demo.personas) == 14
    assert all(one.password for one in story.demo.personas.values())
    assert CODE.fullmatch(story.demo.command("code", CONSULTANT))


@says("Work in two browsers, or in a normal and a private window.")
def _(story: Story) -> None:
    assert story.browser.is_connected()


@says("Each persona's pages are in their language; **EN** at the top of a page makes them English.")
def _(story: Story) -> None:
    story.sit_down(CONSULTANT, "consultant")
    story.page.get_by_role("button", name="Polski").click()
    expect(story.page.locator("html")).to_have_attribute("lang", "pl")
    story.page.get_by_role("button", name="English").click()
    expect(story.page.locator("html")).to_have_attribute("lang", "en")


@says("Sign in as **K-0193**, a consultant.")
def _(story: Story) -> None:
    story.sit_down(CONSULTANT, "consultant")


@says("*Home* lists your tickets with the state of each gate.")
def _(story: Story) -> None:
    expect(story.link("Home")).to_have_attribute("aria-current", "page")
    expect(story.page.get_by_role("heading", name="Your tickets")).to_be_visible()
    rows = story.page.locator("main table tbody tr")
    expect(rows.nth(1)).to_be_visible()
    said = story.page.locator("td[data-label=Gate] .mark", has_text=re.compile(r"\S"))
    expect(rows.filter(has_not=said)).to_have_count(0)


@says("Follow an account: the gate is closed, and says what is missing.")
def _(story: Story) -> None:
    story.ticket = story.line().locator("th").inner_text().strip()
    story.account = story.line().locator("td[data-label=Account]").inner_text().strip()
    story.line().locator("td[data-label=Account] a").click()
    expect(story.page.get_by_role("heading", name="Access is closed")).to_be_visible()
    expect(story.page.get_by_text("1 thing missing")).to_be_visible()
    expect(story.page.locator("[data-condition=approval]")).to_contain_text(
        "No access has been requested yet."
    )


@says("**Request access**, send.")
def _(story: Story) -> None:
    story.link("Request access").click()
    story.button("Send request").click()
    expect(story.page.get_by_text("Request sent.")).to_be_visible()


@says("Sign in as **K-0020**, her manager.")
def _(story: Story) -> None:
    story.sit_down("K-0020", "manager")


@says("The *Inbox* has the request with all its facts.")
def _(story: Story) -> None:
    story.link("Inbox").click()
    request = story.page.locator("article.card")
    expect(request).to_have_count(1)
    for fact in (
        "Anna Nowak",
        CONSULTANT,
        story.account,
        story.ticket,
        "Data",
        "Reason",
        "Requested",
        "Checks",
        "min",
    ):
        expect(request).to_contain_text(fact)


@says("**Approve.**")
def _(story: Story) -> None:
    story.button("Approve").click()
    expect(story.page.locator("article.card")).to_have_count(0)


@says("As K-0193: **Open the account**, then **Reveal** one field.")
def _(story: Story) -> None:
    story.page = story.desks[CONSULTANT]
    story.page.reload()
    story.button("Open the account").click()
    reveal = story.page.get_by_role("button", name=re.compile(r"^Reveal\s*:")).first
    story.revealed = reveal.inner_text().partition(":")[2].strip()
    reveal.click()
    expect(story.page.locator(".revealed")).to_have_count(1)
    expect(story.page.locator(".revealed")).not_to_be_empty()


@says("The clock runs.")
def _(story: Story) -> None:
    clock = story.page.locator(".countdown").first
    expect(clock).to_have_text(re.compile(r"^(\d:)?\d?\d:\d\d$"))
    expect(clock).not_to_have_text(clock.inner_text())


@says(
    "`make ticket NUMBER=ZD-… STATE=solved` with that ticket's number: a signed message, as the helpdesk"
    " would send it."
)
def _(story: Story) -> None:
    assert story.demo.command("ticket", story.ticket, "solved") == f"{story.ticket} is solved now."


@says("The next click meets a closed gate.")
def _(story: Story) -> None:
    # In one step, for the page finds out by itself as well, and has no such button then.
    story.page.get_by_role("button", name=re.compile(r"^Reveal")).evaluate_all("them => them[0]?.click()")
    expect(story.page.get_by_role("heading", name="Access is closed")).to_be_visible()
    expect(story.page.locator(".revealed")).to_have_count(0)
    expect(story.page.locator("[data-condition=ticket]")).to_contain_text(story.ticket)


@says("Sign in as **K-0008**, a reviewer.")
def _(story: Story) -> None:
    story.sit_down("K-0008", "reviewer")


@says(
    "The *Log* has the request, the approval, the opening, the view with the name of the field, and the end;"
    " *Review* has what a rule flagged."
)
def _(story: Story) -> None:
    for event in ("request", "approve", "start", "view", "end"):
        story.link("Log").click()
        line = story.page.locator("input[name=line]")
        line.fill(f"{story.account} event:{event} outcome:allowed")
        line.press("Enter")
        story.page.wait_for_url(f"**/log/?q=*event:{event}+outcome:allowed")
        story.page.locator(".found li > a").click()
        expect(story.page.get_by_role("heading", name="Around it")).to_be_visible()
        expect(story.page.locator("main dl")).to_contain_text(story.account)
        if event == "view":
            expect(story.page.locator("main dl")).to_contain_text(story.revealed)
    story.link("Review").click()
    story.page.wait_for_url("**/reviews/**")
    expect(story.page.locator("main table tbody tr").first).to_be_visible()


@says(
    "Sign in as **K-0005**, a privacy officer: type that account's number, pick this month,",
    "**PDF with proof**.",
)
def _(story: Story) -> None:
    story.sit_down("K-0005", "privacy officer")
    story.page.locator("input[name=about]").fill(story.account)
    story.page.locator("[name=month]").select_option(index=0)
    with story.page.expect_download() as coming:
        story.button("PDF with proof").click()
    path = Path(coming.value.path())
    assert unreadable(coming.value.suggested_filename, path.read_bytes()) == ""


@says("`make demo` says where its data lie; `make demo-reset` starts over.")
def _(story: Story) -> None:
    assert f"Data: {story.demo.home}" in story.demo.said
    assert story.demo.stop() == 0
    assert "starts afresh" in story.demo.command("reset")
    assert not story.demo.home.exists()
