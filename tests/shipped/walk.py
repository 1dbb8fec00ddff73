"""A walk over an installation as somebody who is signed in: links, forms and files, in Chromium.

What it meets is written down as complaints; a test asserts that there are none.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlsplit

from django.urls import Resolver404, resolve
from playwright.sync_api import Error

from tests.shipped.demo import post
from tests.shipped.files import unreadable
from tests.shipped.words import Page as Words
from tests.shipped.words import plain, read

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import (
        APIResponse,
        BrowserContext,
        ConsoleMessage,
        Download,
        Page,
        Request,
        Response,
    )

#: So many addresses of a pattern and a shape of question are visited; of some, as many as have other states.
EACH: Final = 2
MORE: Final = {"account": 6, "review": 3, "member": 3}
SECONDS: Final = 30
#: Where a page says what is wrong with what was sent, or what stands in the way.
SAYS_WHAT_IS_WRONG: Final = ".errors, .field-error, .note, .messages, [data-condition], [role=alert]"
#: A page that links pages lead to even where they are shut: it says which condition fails.
GATE: Final = "[data-condition]"
#: No form of a page may lead there.
UNANNOUNCED: Final = {400, 404, 405}
#: What scripts and machines ask for: no person meets their answers.
FOR_SCRIPTS: Final = {
    *("passkey_begin", "passkey_complete", "passkey_add_begin", "passkey_add_complete"),
    *("session_left", "session_stay", "api_tickets", "api_heartbeat", "api_account"),
}
#: Parts of pages, which come by themselves.
PARTS: Final = {"home_list", "inbox_list", "log_figures", "pulse"}

LINKS: Final = """() => [...document.querySelectorAll("a[href]")].map(link => link.getAttribute("href"))"""
FORMS: Final = """() => [...document.forms].map((form, number) => ({
    number,
    action: new URL(form.getAttribute("action") || location.href, location.href).href,
    method: (form.getAttribute("method") || "get").toLowerCase(),
    buttons: [...form.elements].filter(one => one.type === "submit").map(one => one.name + "=" + one.value),
    fields: [...form.elements].filter(one => one.name && one.type !== "submit").map(one => one.name),
}))"""
SEND: Final = """([number, button, empty]) => {
    const form = document.forms[number];
    const typed = [...form.elements].filter(one => one.type !== "submit" && one.type !== "hidden");
    if (empty) for (const one of typed) {
        if (one.type === "checkbox" || one.type === "radio") one.checked = false;
        else if (one.tagName === "SELECT") one.selectedIndex = -1;
        else if ("value" in one) one.value = "";
    }
    form.noValidate = true;
    window.sentFrom = true;
    form.requestSubmit([...form.elements].filter(one => one.type === "submit")[button]);
}"""
ARRIVED: Final = "() => !window.sentFrom && document.readyState === 'complete'"


@dataclass(frozen=True)
class Form:
    """One way to send a form: where it stands, and which of its buttons is pressed."""

    page: str
    number: int
    action: str
    method: str
    button: int
    pressed: str
    fields: tuple[str, ...]

    @classmethod
    def of(cls, page: str, found: dict[str, Any], button: int, pressed: str) -> Form:
        """In: one of what FORMS finds."""
        fields = tuple(found["fields"])
        return cls(page, found["number"], found["action"], found["method"], button, pressed, fields)

    @property
    def shape(self) -> tuple[object, ...]:
        """What makes two forms the same for the walk."""
        pressed = self.pressed if len(self.pressed) < 40 else ""
        return (pattern_of(self.action), self.method, pressed, tuple(sorted(set(self.fields))))


@dataclass
class Walk:
    """Where somebody was, what was said to them, and what was wrong with it."""

    origin: str
    context: BrowserContext
    page: Page
    complaints: list[str] = field(default_factory=list)
    #: Language → text → the address where it was first said.
    said: dict[str, dict[str, str]] = field(default_factory=lambda: {"en": {}, "pl": {}})
    forms: dict[tuple[object, ...], Form] = field(default_factory=dict)
    visited: Counter[object] = field(default_factory=Counter)
    language: str = ""

    def __post_init__(self) -> None:
        self._downloads: list[Download] = []
        self._answers: list[Response] = []
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complain(f"error {error}"))
        self.page.on("download", lambda one: self._downloads.append(one))
        self.page.on("response", self._answered)
        self.page.on("request", self._asked)

    def complain(self, what: str, where: str = "") -> None:
        place = (where or self.page.url).removeprefix(self.origin)
        self.complaints.append(f"{self.language} {place}: {what}")

    def speak(self, language: str) -> None:
        """Change the language as the switch in a page's head does."""
        if language != self.language:
            post(self.context, f"{self.origin}/", f"{self.origin}/preferences/", language=language)
            self.language = language

    # Links

    def follow(self, start: str = "/") -> None:
        """Visit every page that a page shows a link to, each pattern and shape of question a few times."""
        self.visited.clear()
        queue = deque([start])
        while queue:
            address = queue.popleft()
            shape = shape_of(address)
            if address in self.visited or self.visited[shape] >= most_of(shape[0]):
                continue
            self.visited[address] += 1
            self.visited[shape] += 1
            queue.extend(self.visit(address))

    def visit(self, address: str) -> list[str]:
        """Open a page that a page showed, and return what it links to."""
        status = self._open(address)
        if self._downloads:
            self._take_downloads()
            return []
        self.judge(status, self.page.content(), self.page.url)
        if status >= 400 and not self.page.locator(GATE).count():
            self.complain(f"a link led to {status}")
        self._note_forms()
        return self._links()

    def _open(self, address: str) -> int:
        self._answers.clear()
        try:
            response = self.page.goto(self.origin + address)
        except Error as error:
            if "Download is starting" not in str(error):
                raise
            self._until(lambda: bool(self._downloads))
            return 200
        return response.status if response else 200

    def _links(self) -> list[str]:
        found = []
        for href in dict.fromkeys(self.page.evaluate(LINKS)):
            if href.startswith("#"):
                if not self.page.evaluate("id => !!document.getElementById(id)", href[1:]):
                    self.complain(f"{href} is nowhere in the page")
                continue
            url = urlsplit(str(self.page.evaluate("href => new URL(href, location.href).href", href)))
            if f"{url.scheme}://{url.netloc}" != self.origin:
                self.complain(f"a link leaves the house: {href}")
                continue
            address = url._replace(scheme="", netloc="", fragment="").geturl()
            if not pattern_of(address):
                self.complain(f"a link to {address}, which is no address of ours")
            found.append(address)
        return found

    # Forms

    def _note_forms(self) -> None:
        page = self.page.url.removeprefix(self.origin)
        for one in self.page.evaluate(FORMS):
            if one["method"] == "dialog":  # closes a window of the page, and sends nothing
                continue
            if not pattern_of(one["action"]):
                self.complain(f"a form for {one['action']}, which is no address of ours")
            if pattern_of(one["action"]) == "sign_out":
                continue
            for at, pressed in enumerate(one["buttons"]):
                form = Form(
                    page, one["number"], one["action"], one["method"], at, pressed, tuple(one["fields"])
                )
                self.forms.setdefault(form.shape, form)

    def send(self, form: Form, *, empty: bool) -> bool:
        """Send a form from its page, if the page still has it; the answer is judged."""
        self._open(form.page)
        found = next(
            (
                (one["number"], at)
                for one in self.page.evaluate(FORMS)
                for at, pressed in enumerate(one["buttons"])
                if Form.of(form.page, one, at, pressed).shape == form.shape
            ),
            None,
        )
        if found is None:
            return False
        self._answers.clear()
        if form.pressed.startswith("language="):
            self.language = form.pressed.removeprefix("language=")
        self.page.evaluate(SEND, [*found, empty])
        if not self._until(self._has_arrived):
            self.complain(f"{form.shape} was sent, and nothing came")
        if self._downloads:
            self._take_downloads()
            return True
        documents = [one for one in self._answers if one.request.is_navigation_request()]
        if documents:
            self.judge(documents[-1].status, self.page.content(), self.page.url)
            if documents[-1].status in UNANNOUNCED:
                self.complain(f"{form.shape} was answered {documents[-1].status}")
            if empty and form.method == "post" and documents[-1].status >= 400:
                self._expect_reason(form)
        return True

    def sign_out(self) -> None:
        """The last form: the page after it is a visitor's, in the language of the browser."""
        self._open("/")
        for one in self.page.evaluate(FORMS):
            if pattern_of(one["action"]) == "sign_out":
                self.page.evaluate(SEND, [one["number"], 0, False])
        if not self._until(lambda: "/sign-in/" in self.page.url and self._has_arrived()):
            self.complain("signing out led nowhere")

    def _expect_reason(self, form: Form) -> None:
        if not self.page.locator(SAYS_WHAT_IS_WRONG).count():
            self.complain(f"{form.shape} was sent empty, and nothing says what is wrong: {self._lead()!r}")

    def _lead(self) -> str:
        return plain(self.page.locator("main").inner_text())[:200]

    def _has_arrived(self) -> bool:
        if self._downloads or any(
            one.request.method == "POST" and not one.request.is_navigation_request() for one in self._answers
        ):
            return True
        try:
            return bool(self.page.evaluate(ARRIVED))
        except Error:  # between two pages
            return False

    def _until(self, holds: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + SECONDS
        while not (held := holds()) and time.monotonic() < deadline:
            self.page.wait_for_timeout(20)
        return held

    # What comes

    def judge(self, status: int, html: str, where: str) -> None:
        """A page as it came: none of our failures, ours, in the language, and with a way on."""
        words = read(html)
        if status >= 500:
            self.complain(f"status {status}", where)
        if pattern_of(where) not in PARTS:
            if 'class="brand" href="/"' not in html:
                self.complain(f"no page of ours ({status}): {html[:80]!r}", where)
            if words.language != self.language:
                self.complain(f"a page in {words.language!r}", where)
        self._note(words, where)

    def _note(self, words: Words, where: str) -> None:
        for text in words.said:
            self.said[self.language].setdefault(text, where.removeprefix(self.origin))

    def _take_downloads(self) -> None:
        while self._downloads:
            download = self._downloads.pop(0)
            problem = unreadable(download.suggested_filename, download.path().read_bytes())
            if problem:
                self.complain(problem, download.url)

    def _hear(self, message: ConsoleMessage) -> None:
        # An answer of 4xx is an error for Chromium; what may be one is judged with its page.
        document = (
            message.location.get("url") == self.page.url and "the server responded with" in message.text
        )
        if message.type in ("error", "warning") and not document:
            self.complain(f"console: {message.text} ({message.location.get('url')})")

    def _answered(self, response: Response) -> None:
        self._answers.append(response)
        if response.status >= 400 and not response.request.is_navigation_request():
            self.complain(f"{response.request.method} {response.url} answered {response.status}")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self.origin, "data:", "blob:")):
            self.complain(f"asked for {request.url}")


def judge_answer(walk: Walk, answer: APIResponse) -> None:
    """The same for what came by HTTP, a file, a page, or what a script of ours asks for."""
    name = pattern_of(answer.url)
    if name in FOR_SCRIPTS:
        return
    if "attachment" in answer.headers.get("content-disposition", ""):
        name = answer.headers["content-disposition"].rpartition("filename=")[2].strip('"')
        if problem := unreadable(name, answer.body()):
            walk.complain(problem, answer.url)
    else:
        walk.judge(answer.status, answer.text(), answer.url)


def pattern_of(address: str) -> str:
    """The name of an address in the table of addresses; empty where there is none."""
    try:
        return resolve(urlsplit(address).path).url_name or ""
    except Resolver404:
        return ""


def most_of(name: str) -> int:
    return MORE.get(name, EACH)


def shape_of(address: str) -> tuple[str, tuple[str, ...]]:
    """A pattern, and the names of what is asked in its query."""
    return pattern_of(address), tuple(sorted({name for name, _ in parse_qsl(urlsplit(address).query)}))
