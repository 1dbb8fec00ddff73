"""Browsers for the tests: Chromium, and who sits before it. The fixtures stand in conftest for all tests."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.urls import reverse
from playwright.sync_api import expect, sync_playwright

from gatekeeper.access.views.live import EVERY
from staff.models import Session
from tests.world import SOON, VALUES
from tests.world.people import PASSWORD, fresh_code, give_factors, member, sign_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page
    from pytest_django.live_server_helper import LiveServer

    from tests.world import Person, World
    from tests.world.scene import Scene

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# A closed gate is a page with status 403, and Chromium logs each such answer as an error.
EXPECTED = "Failed to load resource: the server responded with a status of 40"
SECOND = 1000  # in milliseconds, as the browser counts
PATIENCE = SOON * SECOND
POLL = EVERY * SECOND + 500  # a little more than the pages wait between two questions

# Values that could not stand on a page by chance.
SECRETS = {
    name: value
    for name, value in VALUES.items()
    if isinstance(value, str) and name != "activity.last_visit_at"
}
EMAIL = str(VALUES["contact.email"])


@dataclass
class Desk:
    """Somebody at a browser of their own. Clicks are counted; typing and reloading are none."""

    world: World
    person: Person
    page: Page
    origin: str
    clicks: int = 0

    def click(self, target: Locator) -> None:
        """Click once more, and wait until the page that this leads to stands there whole."""
        self.clicks += 1
        target.click()
        self.page.wait_for_load_state()

    def link(self, name: str) -> Locator:
        return self.page.get_by_role("link", name=name).first

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name).first

    def reveals(self, field: str) -> Locator:
        """The button that reveals a field: "Reveal", and the field's label for those who listen."""
        return self.page.get_by_role("button", name=re.compile(rf"^Reveal\s*: {field}$"))

    def heading(self, name: str) -> Locator:
        return self.page.get_by_role("heading", name=name)

    def condition(self, name: str) -> Locator:
        """A row of the gate."""
        return self.page.locator(f"[data-condition={name}]")

    def goto(self, name: str, *arguments: object, query: str = "") -> None:
        self.page.goto(self.origin + reverse(name, args=arguments) + query)

    def poll(self) -> None:
        """Let the time pass (the page's clock is the test's) until the page asks, and wait for the answer."""
        with self.page.expect_response(lambda answer: answer.request.headers.get("hx-request") == "true"):
            self.page.clock.fast_forward(POLL)

    def pass_time(self, seconds: int) -> None:
        """Let so much time pass, with the questions that a page asks meanwhile."""
        while seconds * SECOND >= POLL:
            self.poll()
            seconds -= POLL // SECOND + 1
        self.page.clock.fast_forward(seconds * SECOND)

    def sign_in(self) -> None:
        """Through the pages: the password, then the one-time code."""
        self.page.goto(self.origin)
        self.page.get_by_label("E-mail").fill(member(self.person).email)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.click(self.button("Sign in"))
        self.page.get_by_label("Code from your application").fill(fresh_code(self.world, self.person))
        self.click(self.button("Go on"))
        expect(self.page).to_have_url(f"{self.origin}/")

    def secrets_in_page(self) -> set[str]:
        """Which fields' values the page holds, seen or unseen."""
        content = self.page.content()
        return {name for name, value in SECRETS.items() if value in content}

    @property
    def session(self) -> Session:
        """The member's newest session."""
        return Session.objects.filter(member=self.person.id).latest("id")


@dataclass
class Desks:
    """Opens browsers, each with its own cookies, and writes down what goes wrong in any of them."""

    browser: Browser
    scene: Scene
    origin: str
    complaints: list[str] = field(default_factory=list)
    contexts: list[BrowserContext] = field(default_factory=list)

    def open(self, person: Person, **options: Any) -> Desk:
        """A browser in which nobody is signed in."""
        context = self.browser.new_context(reduced_motion="reduce", **{"locale": "en"} | options)
        context.set_default_timeout(PATIENCE)
        self.contexts.append(context)
        page = context.new_page()
        self._watch(page)
        return Desk(self.scene.world, person, page, self.origin)

    def signed_in(self, person: Person, **options: Any) -> Desk:
        """A browser with the session of a member who proved both factors."""
        give_factors(self.scene.world, person)
        cookie = sign_in(self.scene.world, person).cookies[settings.SESSION_COOKIE_NAME]
        desk = self.open(person, **options)
        desk.page.context.add_cookies(
            [
                {
                    "name": settings.SESSION_COOKIE_NAME,
                    "value": cookie.value,
                    "url": self.origin.replace("http:", "https:"),
                    "secure": True,
                    "httpOnly": True,
                    "sameSite": "Lax",
                }
            ]
        )
        return desk

    def _watch(self, page: Page) -> None:
        def hear(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning") and not message.text.startswith(EXPECTED):
                self.complaints.append(f"{page.url}: {message.text}")

        page.on("console", hear)
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        page.on(
            "request",
            lambda asked: (
                None if asked.url.startswith(f"{self.origin}/") else self.complaints.append(asked.url)
            ),
        )

    def close(self) -> None:
        for context in self.contexts:
            context.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright runs an event loop in this thread, in which Django refuses the ORM.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        expect.set_options(timeout=PATIENCE)
        # Playwright switches the back-forward cache off; people have it on.
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=FLAGS, ignore_default_args=["--disable-back-forward-cache"]
        )
        yield browser
        browser.close()


@pytest.fixture
def desks(chromium: Browser, scene: Scene, live_server: LiveServer, settings: Any) -> Iterator[Desks]:
    # The server of the tests has a port of its own; everywhere else the origin is SITE_URL.
    settings.OTP_WEBAUTHN_ALLOWED_ORIGINS = [live_server.url]
    desks = Desks(chromium, scene, live_server.url)
    yield desks
    desks.close()
    assert desks.complaints == []
