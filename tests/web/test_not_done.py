"""What was sent and not done: a page of ours, with what was typed where that is safe, and a way on."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import get_resolver, reverse
from playwright.sync_api import expect

from audit.models import Entry
from gatekeeper.access import typed_reasons
from gatekeeper.models import AccessRequest
from staff.models import Member
from tests.world import now
from tests.world.people import PASSWORD, fresh_code, give_factors, give_password, member
from tests.world.scene import REFERENCE, TICKET, Scene

if TYPE_CHECKING:
    from tests.world.desks import Desk, Desks

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
OURS = {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}
TYPED = 'a reason with "quotes" & <b>tags</b>'
ASKED = {
    "ticket": TICKET,
    "purpose": "support_request",
    "categories": ["contact"],
    "minutes": "60",
    "stretch": "once",
    "reason": "other",
    "text": TYPED,
}


def strict(scene: Scene, **options: Any) -> Client:
    """Anna's browser, whose forms have no token that is any good."""
    client = scene.browser(**options)
    client.handler.enforce_csrf_checks = True
    client.cookies[settings.CSRF_COOKIE_NAME] = "a" * 32
    return client


def asked(client: Client, **headers: str) -> Any:
    return client.post(reverse("ask", args=[REFERENCE]), ASKED, headers=headers or OURS)


def words(response: Any) -> str:
    return str(response.content.decode())


def test_what_was_typed_is_kept_and_sent_again(scene: Scene) -> None:
    client = strict(scene)
    answer = asked(client)
    assert (answer.status_code, answer["Cache-Control"]) == (403, "no-store")
    page = words(answer)
    assert "a reason with &quot;quotes&quot; &amp; &lt;b&gt;tags&lt;/b&gt;" in page
    assert "goes to the approvers" in page
    assert scene.anna.number in page
    assert not AccessRequest.objects.exists()
    token = re.findall(r'csrfmiddlewaretoken" value="([^"]+)"', page)[-1]
    client.post(reverse("ask", args=[REFERENCE]), ASKED | {"csrfmiddlewaretoken": token}, headers=OURS)
    assert typed_reasons.of(AccessRequest.objects.get()) == TYPED


@pytest.mark.parametrize("language", ["en", "pl"])
def test_it_is_our_page_in_the_members_language(scene: Scene, language: str) -> None:
    scene.world.change("staff_member", scene.anna.id, language=language)
    page = words(asked(strict(scene)))
    assert ("Not done" if language == "en" else "Nie wykonano") in page
    assert "CSRF" not in page
    assert "DEBUG" not in page
    assert 'href="/"' in page


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Referer": "https://evil.example/form"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://testserver"},
        {"X-Nothing": "said"},
    ],
)
def test_nothing_is_kept_of_what_another_site_may_have_sent(scene: Scene, headers: dict[str, str]) -> None:
    answer = asked(strict(scene), **headers)
    assert answer.status_code == 403
    assert "a reason" not in words(answer)
    assert f'action="{reverse("ask", args=[REFERENCE])}"' not in words(answer)


SECRET = "a-secret-that-nobody-may-see-again"


PATTERNS: list[Any] = get_resolver().url_patterns
FORMS = [one for one in PATTERNS if not one.name.startswith("api_")]


@pytest.mark.parametrize("pattern", FORMS, ids=lambda one: one.name)
def test_no_address_echoes_a_secret_or_does_anything(scene: Scene, pattern: Any) -> None:
    client = strict(scene)
    known = {"reference": REFERENCE, "token": "x", "action": "suspend"}
    arguments = {name: known.get(name, 1) for name in re.findall(r"<(?:\w+:)?(\w+)>", str(pattern.pattern))}
    if "number" in arguments:
        kinds = {"ticket:": TICKET, "member:": scene.anna.number}
        arguments["number"] = next((kinds[kind] for kind in kinds if kind in str(pattern.pattern)), 1)
    entries, people = Entry.objects.count(), list(Member.objects.order_by("pk").values())
    secrets = dict.fromkeys(("password", "old", "new", "code", "codes", "_password", "_code"), SECRET)
    answer = client.post(reverse(pattern.name, kwargs=arguments), secrets, headers=OURS)
    assert answer.status_code in (302, 403)
    assert "Django" not in words(answer)
    carried = set(re.findall(rf'name="(\w+)" value="{SECRET}"', words(answer)))
    if not hasattr(pattern.callback, "resendable"):
        assert SECRET not in words(answer)
    assert not carried & {"_password", "_code"}
    assert (entries, people) == (Entry.objects.count(), list(Member.objects.order_by("pk").values()))


def test_what_is_kept_has_no_secret_among_its_fields() -> None:
    kept = {one.name for one in FORMS if hasattr(one.callback, "resendable")}
    assert kept == {
        "ask",
        "review_decide",
        "review_answer",
        "nda_draft",
        "new_member",
        "member_authorisations",
    }


def test_a_reveal_leads_back_to_its_page_instead(scene: Scene) -> None:
    client = strict(scene)
    scene.opened()
    address = reverse("account", args=[REFERENCE])
    form = {"grant": scene.grant, "fields": ["contact.name"]}
    answer = client.post(
        reverse("reveal", args=[REFERENCE]), form, headers=OURS | {"Referer": f"http://testserver{address}"}
    )
    assert answer.status_code == 403
    assert f'href="{address}"' in words(answer)
    assert f'action="{reverse("reveal", args=[REFERENCE])}"' not in words(answer)
    assert not Entry.objects.filter(event="view").exists()


def test_only_the_question_of_a_review_is_kept(scene: Scene) -> None:
    client = strict(scene)
    address = reverse("review_decide", args=[1])
    for verdict, kept in (("question", True), ("serious", False), ("in_order", False)):
        answer = client.post(address, {"verdict": verdict, "text": TYPED}, headers=OURS)
        assert ("a reason with" in words(answer)) is kept, verdict


def test_signing_in_where_another_tab_has_leads_on(scene: Scene) -> None:
    client = strict(scene)
    form = {"email": member(scene.anna).email, "password": PASSWORD, "next": reverse("sessions")}
    answer = client.post(reverse("sign_in"), form, headers=OURS)
    assert client.get(answer["Location"])["Location"] == reverse("sessions")
    code = client.post(reverse("sign_in_code"), {"code": "123456"}, headers=OURS)
    assert client.get(code["Location"])["Location"] == "/"


def test_a_visitors_failure_is_a_page_of_ours(scene: Scene) -> None:
    client = Client(enforce_csrf_checks=True)
    form = {"email": "anna@firma.example", "password": PASSWORD}
    answer = client.post(reverse("sign_in"), form, headers=OURS | {"Accept-Language": "pl"})
    assert answer.status_code == 403
    assert "Nie wykonano" in words(answer)
    assert "cookie" in words(answer)
    assert PASSWORD not in words(answer)
    assert "anna@firma.example" not in words(answer)


def test_scripts_are_answered_in_their_own_way(scene: Scene) -> None:
    client = strict(scene)
    json = client.post(reverse("passkey_begin"), "{}", content_type="application/json", headers=OURS)
    assert (json.status_code, list(json.json())) == (403, ["words"])
    here = f"http://testserver{reverse('inbox')}"
    part = client.post(reverse("go"), {}, headers=OURS | {"HX-Request": "true", "HX-Current-URL": here})
    assert part["HX-Redirect"] == reverse("inbox")


@pytest.mark.parametrize("end", ["ended", "unknown", "too old"])
def test_what_was_typed_outlives_the_session(scene: Scene, end: str) -> None:
    """Kept in the page, sent by whoever has signed in meanwhile, in another tab of the same browser."""
    client = scene.browser()
    if end == "unknown":
        del client.cookies[settings.SESSION_COOKIE_NAME]
    else:
        column = "ended_at" if end == "ended" else "started_at"
        scene.world.setup.execute(f"UPDATE staff_session SET {column} = now() - interval '1 day'".encode())
    answer = asked(client)
    assert answer.status_code == 403
    assert "a reason with" in words(answer)
    assert "not signed in" in words(answer)
    give_factors(scene.world, scene.anna)
    give_password(client, scene.anna)
    client.post(reverse("sign_in_code"), {"code": fresh_code(scene.world, scene.anna)})
    assert asked(client).status_code == 302
    assert typed_reasons.of(AccessRequest.objects.get()) == TYPED


@pytest.mark.parametrize("facts", [{"suspended_at": now()}, {"left_on": date(2020, 1, 1)}])
def test_who_is_barred_is_told_that_and_not_to_sign_in(scene: Scene, facts: dict[str, Any]) -> None:
    client = scene.browser()
    scene.world.change("staff_member", scene.anna.id, **facts)
    answer = asked(client)
    assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, reverse("sign_in"))
    said = words(client.get(answer["Location"]))
    assert ("Your access was suspended" in said) == ("suspended_at" in facts)
    assert ("The last day at work has passed" in said) == ("left_on" in facts)
    assert not AccessRequest.objects.exists()


# In the browser


def open_form(desks: Desks) -> Desk:
    desk = desks.open(desks.scene.anna)
    give_factors(desks.scene.world, desk.person)
    desk.sign_in()
    desk.goto("ask", REFERENCE, query=f"?ticket={TICKET}")
    desk.page.get_by_label("In a sentence").fill("typed before the new sign-in")
    return desk


@pytest.mark.browser
def test_a_form_outlives_a_new_sign_in_in_another_tab(desks: Desks) -> None:
    desk = open_form(desks)
    form = desk.page
    tab = desk.page = form.context.new_page()
    tab.goto(desks.origin)
    tab.locator("details.menu summary").click()
    desk.button("Sign out").click()
    expect(tab.get_by_label("E-mail")).to_be_visible()
    desk.sign_in()
    form.get_by_role("button", name="Send request").click()
    expect(form.get_by_role("heading", name="Not done")).to_be_visible()
    expect(form.get_by_text("typed before the new sign-in")).to_be_visible()
    form.get_by_role("button", name="Send again").click()
    expect(form.get_by_text("Request sent.")).to_be_visible()
    assert typed_reasons.of(AccessRequest.objects.get()) == "typed before the new sign-in"


@pytest.mark.browser
def test_signing_in_in_two_tabs_at_once(desks: Desks) -> None:
    desk = desks.open(desks.scene.anna)
    give_factors(desks.scene.world, desk.person)
    first, second = desk.page, desk.page.context.new_page()
    second.goto(desks.origin)
    desk.sign_in()
    second.get_by_label("E-mail").fill(member(desk.person).email)
    second.get_by_label("Password").fill(PASSWORD)
    second.get_by_role("button", name="Sign in").click()
    expect(second).to_have_url(f"{desks.origin}/")
    first.reload()
    expect(first).to_have_url(f"{desks.origin}/")
