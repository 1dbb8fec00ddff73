"""A session's new key costs no session; the key before it may look, for ten seconds, and nothing else."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from django.conf import settings
from django.contrib.sessions.backends.base import UpdateError
from django.db import connections
from django.test import Client
from django.urls import reverse
from playwright.sync_api import expect

from audit.models import Entry
from gatekeeper.access import grants, requests
from gatekeeper.gate import answers, decision
from gatekeeper.installation import roles
from gatekeeper.models import AccessRequest, Grant
from staff.directory import people
from staff.session import sessions
from tests.world import SOON, keys, racing, raw
from tests.world.keys import session_of
from tests.world.people import PASSWORD, fresh_code, give_factors, give_password, member
from tests.world.scene import CHANGES, REFERENCE, TICKET, Scene, digest_in

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.conftest import AsRole
    from tests.world import Person
    from tests.world.desks import Desks

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
COOKIE = settings.SESSION_COOKIE_NAME


def prove(scene: Scene, client: Client, person: Person) -> Any:
    """A fresh code on the page that asks for one: the session gets a new key."""
    return client.post(reverse("step_up"), {"_code": fresh_code(scene.world, person)})


def renewed(scene: Scene, person: Person | None = None) -> tuple[Client, Client]:
    """A browser whose session has just got a new key, and one that still sends the key before."""
    who = person or scene.anna
    client, late = scene.browser(who), Client()
    late.cookies[COOKIE] = client.cookies[COOKIE].value
    assert prove(scene, client, who).status_code == 302
    assert client.cookies[COOKIE].value != late.cookies[COOKIE].value
    if who == scene.anna:
        scene.caller = replace(scene.caller, digest=digest_in(client))
    return client, late


def ten_seconds_later(scene: Scene) -> None:
    scene.world.setup.execute("UPDATE staff_session SET renewed_at = renewed_at - interval '10 seconds'")


def is_open(client: Client) -> bool:
    return client.get(reverse("profile")).status_code == 200


# Under way while the key is renewed


@pytest.mark.parametrize("name", ["session_left", "gate_state"])
def test_a_poll_with_the_key_before_is_answered_and_costs_nothing(scene: Scene, name: str) -> None:
    client, late = renewed(scene)
    scene.opened()
    poll = late.get(reverse(name, args=[REFERENCE] if name == "gate_state" else []))
    assert poll.status_code == 200
    assert COOKIE not in poll.cookies
    assert is_open(client)


def test_the_inboxs_poll_with_the_key_before_is_answered(scene: Scene) -> None:
    client, late = renewed(scene, scene.boss)
    poll = late.get(reverse("inbox_list"), headers={"HX-Request": "true"})
    assert poll.status_code == 200
    assert COOKIE not in poll.cookies
    assert is_open(client)


def test_a_page_asks_for_itself_again_and_a_form_waits(scene: Scene) -> None:
    client, late = renewed(scene)
    page = late.get(reverse("profile"))
    assert (page.status_code, page["Refresh"]) == (409, "1")
    assert member(scene.anna).email not in page.content.decode()
    before = Entry.objects.count()
    sent = late.post(reverse("ask", args=[REFERENCE]), {"ticket": TICKET, "text": "unsent words"})
    assert sent.status_code == 409
    assert "unsent words" not in sent.content.decode()  # nobody says that a page of ours sent it
    ours = late.post(
        reverse("ask", args=[REFERENCE]),
        {"ticket": TICKET, "text": "unsent words"},
        headers={"Origin": "http://testserver"},
    )
    assert "unsent words" in ours.content.decode()
    assert not AccessRequest.objects.exists()
    assert Entry.objects.count() == before
    for answer in (page, sent, ours):
        assert COOKIE not in answer.cookies
    assert is_open(client)


def test_a_script_is_told_to_ask_again(scene: Scene) -> None:
    _client, late = renewed(scene)
    json = late.post(reverse("passkey_begin"), "{}", content_type="application/json")
    assert (json.status_code, json["Content-Type"]) == (409, "application/json")
    assert json.json()["words"]
    part = late.get(reverse("log_figures"), headers={"HX-Request": "true"})
    assert (part.status_code, part["HX-Reswap"]) == (409, "none")


def test_the_second_of_two_clicks_goes_where_the_first_led(scene: Scene) -> None:
    client, late = renewed(scene)
    code = {"_code": fresh_code(scene.world, scene.anna), "next": reverse("sessions")}
    assert late.post(reverse("step_up"), code)["Location"] == reverse("sessions")
    assert is_open(client)


@pytest.mark.parametrize("first", ["the poll", "the code"])
def test_two_requests_at_once(scene: Scene, monkeypatch: pytest.MonkeyPatch, first: str) -> None:
    """One is inside while the other renews the key; whoever answers last, the newer cookie stays."""
    client = scene.browser()
    late = Client()
    late.cookies[COOKIE] = client.cookies[COOKIE].value
    inside, go_on = Event(), Event()
    usual = vars(sessions.SessionStore)["seconds_left"].fget

    def slowly(session: sessions.SessionStore) -> int:
        session["something"] = "that a stale copy would overwrite"
        inside.set()
        assert go_on.wait(SOON)
        return int(usual(session))

    monkeypatch.setattr(sessions.SessionStore, "seconds_left", property(slowly))
    with ThreadPoolExecutor(1) as other:
        polled = other.submit(polling, late)
        assert inside.wait(SOON)
        if first == "the poll":
            go_on.set()
            answer = polled.result()
        assert prove(scene, client, scene.anna).status_code == 302
        go_on.set()
        answer = polled.result()
    monkeypatch.undo()
    assert answer.status_code == 200
    assert COOKIE not in answer.cookies
    assert is_open(client)
    kept = keys.remembered(digest_in(client))
    assert ("something" in kept) is (first == "the poll")


def polling(client: Client) -> Any:
    """A request in a thread of its own, with connections of its own."""
    try:
        return client.get(reverse("session_left"))
    finally:
        connections.close_all()


def test_two_renewals_at_once_leave_one_key(scene: Scene) -> None:
    """The later one finds the key renewed: it does nothing, and says so by leading back."""
    client = scene.browser()
    key = client.cookies[COOKIE].value
    first, second = sessions.SessionStore(key), sessions.SessionStore(key)
    assert first.number == second.number
    first.cycle_key()
    with pytest.raises(UpdateError):
        second.cycle_key()
    assert sessions.SessionStore(first.session_key).number == first.number


def test_an_unknown_key_deletes_no_newer_cookie(scene: Scene) -> None:
    for key in ("nobody-knows-this-key", scene.browser().cookies[COOKIE].value):
        scene.world.setup.execute("UPDATE staff_session SET ended_at = now()")
        client = Client()
        client.cookies[COOKIE] = key
        for address in (reverse("profile"), reverse("sign_in"), reverse("session_left"), "/nowhere/"):
            assert COOKIE not in client.get(address).cookies, address


def test_signing_out_does_delete_it(scene: Scene) -> None:
    answer = scene.browser().post(reverse("sign_out"))
    assert answer.cookies[COOKIE].value == ""


# What the key before cannot do


def test_sql_refuses_the_key_before_whatever_locks_writes_or_reveals(scene: Scene, as_role: AsRole) -> None:
    client, late = renewed(scene)
    scene.opened()
    boss, boss_late = renewed(scene, scene.boss)
    old = replace(scene.caller, digest=digest_in(late))
    old_boss = replace(scene.manager, digest=digest_in(boss_late))
    assert decision.evaluate(old, account=REFERENCE, grant=scene.grant).open  # it may look

    vault = as_role(roles.VAULT)
    mine = raw.recorded(vault, scene)
    assert raw.record(vault, scene, caller=old)[1] == "session_missing"
    released = raw.release(vault, scene, mine, caller=old)
    assert released.reason
    assert released.nothing
    refused = decision.reveal(old, account=REFERENCE, grant=scene.grant, fields=["contact.name"])
    assert isinstance(refused, answers.Refusal)
    assert refused.reason == "session_missing"

    waiting = scene.ask()
    assert requests.ask(old, CHANGES).reason == "session_missing"
    assert scene.approve(waiting, by=old_boss) == "session_missing"
    assert grants.end(old, scene.grant) == "session_missing"
    assert requests.withdraw(old, waiting) == "session_missing"
    assert people.change_member(old_boss, scene.anna.number, "suspended", True) == "session_missing"
    assert AccessRequest.objects.get(pk=waiting).state == "pending"
    assert Grant.objects.get(pk=scene.grant).ended_at is None
    assert scene.approve(waiting, by=replace(old_boss, digest=digest_in(boss))) == ""
    assert is_open(client)


def test_the_key_before_neither_touches_nor_verifies_nor_keeps_anything(scene: Scene) -> None:
    client, late = renewed(scene)
    moment = "now() - interval '5 minutes'"
    scene.world.setup.execute(f"UPDATE staff_session SET last_seen_at = {moment}".encode())
    before = keys.row(digest_in(client))
    for answer in (
        late.get(reverse("profile")),
        late.get(reverse("session_left")),
        late.post(reverse("session_stay")),
        late.post(reverse("step_up"), {"_code": fresh_code(scene.world, scene.anna)}),
        late.post(reverse("change_password"), {"old": PASSWORD}),
    ):
        assert COOKIE not in answer.cookies
    assert keys.row(digest_in(client)) == before


def test_after_ten_seconds_it_answers_nothing(scene: Scene, as_role: AsRole) -> None:
    client, late = renewed(scene)
    scene.opened()
    web = as_role(roles.WEB)
    known = "SELECT id, outdated FROM staff.session_by(%s)"
    assert racing.row(web, known, [digest_in(late)]) == (session_of(digest_in(client)).pk, True)
    ten_seconds_later(scene)
    assert web.execute(known, [digest_in(late)]).fetchone() is None
    assert (
        decision.evaluate(replace(scene.caller, digest=digest_in(late)), account=REFERENCE).reason
        == "session_missing"
    )
    for name in ("profile", "session_left", "sessions"):
        assert reverse("sign_in") in late.get(reverse(name))["Location"]
    assert is_open(client)


@pytest.mark.parametrize("end", ["signing out", "ending it", "suspending"])
def test_it_ends_with_its_session(scene: Scene, as_role: AsRole, end: str) -> None:
    client, late = renewed(scene)
    if end == "signing out":
        client.post(reverse("sign_out"))
    elif end == "ending it":
        scene.browser().post(reverse("end_other_sessions"))
    else:
        assert people.change_member(scene.manager, scene.anna.number, "suspended", True) == ""
    assert reverse("sign_in") in late.get(reverse("session_left"))["Location"]
    web = as_role(roles.WEB)
    assert web.execute("SELECT FROM staff.session_by(%s)", [digest_in(late)]).fetchone() is None
    assert decision.evaluate(replace(scene.caller, digest=digest_in(late)), account=REFERENCE).reason in (
        "session_missing",
        "member_suspended",
    )


def test_signing_out_with_the_key_before_ends_the_session(scene: Scene) -> None:
    client, late = renewed(scene)
    late.post(reverse("sign_out"))
    assert not is_open(client)


def test_a_key_from_before_both_factors_answers_nothing(scene: Scene) -> None:
    """Whoever knows the key of half a sign-in has nothing of the whole one (ASVS 7.2.4)."""
    give_factors(scene.world, scene.anna)
    client, planted = Client(), Client()
    give_password(client, scene.anna)
    planted.cookies[COOKIE] = client.cookies[COOKIE].value
    client.post(reverse("sign_in_code"), {"code": fresh_code(scene.world, scene.anna)})
    assert is_open(client)
    assert reverse("sign_in") in planted.get(reverse("session_left"))["Location"]
    assert keys.row(digest_in(client))["old_digest"] is None


def test_a_key_of_a_locked_session_answers_nothing_when_it_is_resumed(scene: Scene) -> None:
    client, late = scene.browser(), Client()
    late.cookies[COOKIE] = client.cookies[COOKIE].value
    scene.world.setup.execute("UPDATE staff_session SET last_seen_at = now() - interval '1 hour'")
    proof = {"_password": PASSWORD, "_code": fresh_code(scene.world, scene.anna)}
    assert client.post(reverse("profile"), proof | {"_page": "1"}).status_code == 302
    assert is_open(client)
    assert reverse("sign_in") in late.get(reverse("session_left"))["Location"]


@pytest.mark.parametrize("role", roles.RUN_TIME)
def test_no_role_names_an_old_key(scene: Scene, as_role: AsRole, role: str) -> None:
    _client, _late = renewed(scene)
    connection = as_role(role)
    for statement in (
        "UPDATE public.staff_session SET old_digest = sha256('x'), renewed_at = now()",
        "INSERT INTO public.staff_session (digest, started_at, last_seen_at, user_agent, factor, data,"
        " old_digest) VALUES (sha256('y'), now(), now(), '', '', '{}', sha256('x'))",
        "SELECT staff.renewed_session(sha256('x'))",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement.encode())


# In the browser


def type_code(desks: Desks, *, scripts: bool) -> Page:
    """Anna at the page that asks for the code, with the code typed."""
    scene = desks.scene
    give_factors(scene.world, scene.anna)
    page = desks.open(scene.anna, java_script_enabled=scripts).page
    page.goto(desks.origin)
    page.get_by_label("E-mail").fill(member(scene.anna).email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").dblclick()
    page.get_by_label("Code from your application").fill(fresh_code(scene.world, scene.anna))
    return page


@pytest.mark.browser
@pytest.mark.parametrize("scripts", [True, False])
def test_a_double_click_signs_in(desks: Desks, scripts: bool) -> None:
    page = type_code(desks, scripts=scripts)
    page.get_by_role("button", name="Go on").dblclick()
    expect(page).to_have_url(f"{desks.origin}/")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.goto(f"{desks.origin}{reverse('sessions')}")
    expect(page).to_have_url(re.compile(reverse("sessions")))


@pytest.mark.browser
def test_what_is_pressed_is_disabled_and_sent_once(desks: Desks) -> None:
    """With its own value; and where the page stays, it can be pressed again."""
    page = desks.signed_in(desks.scene.anna).page
    posts = []
    page.goto(f"{desks.origin}{reverse('profile')}")
    page.on("request", lambda asked: posts.append(asked.post_data) if asked.method == "POST" else None)
    page.route("**/preferences/", lambda route: route.fulfill(status=204))  # the page stays
    button = page.locator("button[name=language][value=pl]")
    with page.expect_request("**/preferences/"):
        button.click()
    expect(button).to_be_disabled()
    page.evaluate("document.getElementById('preferences').requestSubmit()")
    expect(button).to_be_enabled()
    assert len(posts) == 1
    assert "language=pl" in posts[0]
