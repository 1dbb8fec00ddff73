"""The demo as it is shipped, walked over as each of its personas in both languages."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.shipped import furnished, words
from tests.shipped.demo import Shipped, folder, get
from tests.shipped.walk import SECONDS, Form, Walk, judge_answer, pattern_of
from tests.world.doors import expected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext

pytestmark = [pytest.mark.browser, pytest.mark.shipped]


#: Whom the table of tests.web.test_doors calls how.
ACTORS = {
    "K-0001": "administrator",
    "K-0002": "administrator",
    "K-0003": "people",
    "K-0004": "people",
    "K-0005": "privacy",
    "K-0007": "reviewer",
    "K-0008": "reviewer",
    "K-0020": "manager of the team",
    "K-0021": "another manager",
    "K-0022": "manager of the team",
    "K-0193": "consultant with a claim",
    "K-0201": "consultant without",
    "K-0207": "consultant without",
    "K-0215": "consultant without",
}
PERSONAS = list(ACTORS)
#: Addresses of a consultant's own documents.
OWN_DOCUMENTS = {"nda_file", "member_authorisations"}
SWAPPED = {
    "consultant with a claim": "consultant without",
    "consultant without": "consultant with a claim",
}
LANGUAGES = ("pl", "en")
#: Who comes with a password alone, and has the language.
HALF = {"pl": "K-0193", "en": "K-0207"}
#: What ends what the walk stands on comes last, in this order.
LATE = (
    *("member_action", "review_decide", "end_grant", "withdraw_authorisation", "nda_publish"),
    *("end_session", "end_other_sessions", "remove_factor"),
)


@dataclass
class World:
    """A demo in which people have been at work. It stands still, and is copied for each walk."""

    template: Shipped
    addresses: dict[str, str]

    @contextmanager
    def copied(self, name: str) -> Iterator[Shipped]:
        """A demo of one's own, started."""
        demo = self.template.copied_to(self.template.home.with_name(name))
        try:
            demo.start()
            yield demo
        finally:
            demo.remove()


@pytest.fixture(scope="module")
def world(chromium: Browser) -> Iterator[World]:
    demo = Shipped(folder() / "template")
    contexts: dict[str, BrowserContext] = {}

    def enter(number: str) -> BrowserContext:
        if number not in contexts:
            contexts[number] = chromium.new_context(locale="en")
            demo.sign_in(contexts[number].new_page(), number)
        return contexts[number]

    try:
        demo.start()
        assert sorted(demo.personas) == PERSONAS
        known = furnished.furnish(demo, enter)
        addresses = furnished.addresses(demo, enter, known)
        demo.stop()
        yield World(demo, addresses)
    finally:
        for context in contexts.values():
            context.close()
        demo.remove()


@pytest.mark.parametrize("number", PERSONAS)
def test_whatever_a_persona_meets(world: World, chromium: Browser, number: str) -> None:
    with world.copied(number) as demo, browser(chromium) as context:
        walk = Walk(demo.origin, context, context.new_page())
        demo.sign_in(walk.page, number)
        for language in LANGUAGES:
            walk.speak(language)
            walk.follow()
            visit_every(walk, world.addresses, number)
        for language in LANGUAGES:
            send_all(walk, language)
        walk.sign_out()
        expect_nothing(walk)


@pytest.mark.parametrize("language", LANGUAGES)
def test_whatever_a_stranger_meets_and_who_has_but_the_password(
    world: World, chromium: Browser, language: str
) -> None:
    with world.copied(f"stranger-{language}") as demo, browser(chromium, language) as context:
        walk = Walk(demo.origin, context, context.new_page(), language=language)
        walk.follow()
        walk.follow(world.addresses["invitation"])
        visit_every(walk, world.addresses, "anonymous")
        for form in walk.forms.values():
            for empty in (True, False):
                walk.language = language
                walk.send(form, empty=empty)
        walk.language = language
        demo.type_password(walk.page, HALF[language])
        visit_every(walk, world.addresses, "password only")
        expect_nothing(walk)


@contextmanager
def browser(chromium: Browser, language: str = "en") -> Iterator[BrowserContext]:
    # What is asked beside the pages says the browser's language as well.
    spoken = {"Accept-Language": language}
    context = chromium.new_context(locale=language, reduced_motion="reduce", extra_http_headers=spoken)
    context.set_default_timeout(SECONDS * 1000)
    yield context
    context.close()


def visit_every(walk: Walk, addresses: dict[str, str], number: str) -> None:
    """Each address by GET, with the answer that the table of doors has for such a person."""
    for name, address in addresses.items():
        answer = get(walk.context, walk.origin + address, redirects=0)
        wanted = wanted_answer(name, number)
        if answer.status != wanted:
            walk.complain(f"answered {answer.status}, not {wanted}", address)
        if answer.status == 302:
            answer = get(walk.context, walk.origin + address)
        judge_answer(walk, answer)


def wanted_answer(name: str, number: str) -> int:
    """In: an address's name; a persona's number, or an actor of the table of doors."""
    actor = ACTORS.get(number, number)
    if name in OWN_DOCUMENTS:
        # Here they are those of the consultant with the claim; in the table, of the one without.
        actor = SWAPPED.get(actor, actor)
    door = "member_action:withdraw" if name == "member_action" else name
    return int(expected(door)["GET"][actor].strip("+-"))


def send_all(walk: Walk, language: str) -> None:
    """Every form that was met: empty, then as it stands."""
    for form in sorted(walk.forms.values(), key=late):
        for empty in (True, False):
            walk.speak(language)
            walk.send(form, empty=empty)


def late(form: Form) -> int:
    name = pattern_of(form.action)
    return LATE.index(name) + 1 if name in LATE else 0


def expect_nothing(walk: Walk) -> None:
    """Neither a complaint, nor a word on a page of one language in the other."""
    found = dict.fromkeys(walk.complaints)
    for language, said in walk.said.items():
        for text in words.foreign(language, said, typed=furnished.TYPED):
            found[f"{language}, another language: {text}"] = None
    for text in words.alike(walk.said["en"], walk.said["pl"], typed=furnished.TYPED):
        found[f"{walk.said['pl'][text]}: alike in both languages: {text!r}"] = None
    assert not found, "\n".join(found)
