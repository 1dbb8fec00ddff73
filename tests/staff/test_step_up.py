"""Proving presence once more, in the middle of an act: the act is done at once, and nothing is lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import Entry
from gatekeeper.models import AccessRequest, Grant
from tests.world import VALUES, Person
from tests.world.forms import NASTY, form_of
from tests.world.keys import session_of
from tests.world.people import PASSWORD, device_of, fresh_code
from tests.world.scene import REFERENCE, Scene, digest_in

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
HOUR_AGO = timedelta(hours=1)


def stale(scene: Scene, client: Client, minutes: int = 60) -> None:
    """The last proof of this browser's session was given so long ago."""
    scene.world.setup.execute(
        "UPDATE staff_session SET verified_at = now() - make_interval(mins => %s) WHERE digest = %s",
        [minutes, digest_in(client)],
    )


def confirm(scene: Scene, client: Client, response: Any, person: Person, code: str = "") -> Any:
    """Send the page's own form back, with the code of now."""
    form = form_of(response)
    code = code or fresh_code(scene.world, person)
    return client.post(form.action, form.with_proof(_code=code))


def test_a_reveal_goes_on_at_once(scene: Scene) -> None:
    client = scene.browser()
    scene.opened()
    stale(scene, client)
    asked = scene.post_reveal(client, fields=["contact.name", "contact.email"])
    assert asked.status_code == 403
    assert asked["Cache-Control"] == "no-store"
    assert form_of(asked).action == reverse("reveal", args=[REFERENCE])
    assert str(VALUES["contact.name"]) not in asked.content.decode()
    shown = confirm(scene, client, asked, scene.anna)
    assert shown.status_code == 200
    assert str(VALUES["contact.name"]) in shown.content.decode()
    assert str(VALUES["contact.email"]) in shown.content.decode()
    assert Entry.objects.filter(event="sign_in").latest("id").object_repr == "step-up"


def test_an_approval_goes_on_at_once_as_it_was_chosen(scene: Scene) -> None:
    request = scene.ask()
    client = scene.browser(scene.boss)
    stale(scene, client)
    chosen = {"categories": ["contact"], "minutes": "30", "stretch": "once"}
    asked = client.post(reverse("approve", args=[request]), chosen)
    assert AccessRequest.objects.get(pk=request).state == "pending"
    done = confirm(scene, client, asked, scene.boss)
    assert done["Location"] == "/inbox/"
    grant = Grant.objects.get(request=request)
    assert (grant.categories, grant.minutes, grant.while_open) == (["contact"], 30, False)


def test_opening_and_participants_go_on_at_once(scene: Scene) -> None:
    scene.world.participants(REFERENCE, 2)
    client = scene.browser()
    grant = scene.approved(categories=["contact", "participants"])
    stale(scene, client)
    asked = client.post(reverse("open_window", args=[REFERENCE]), {"grant": grant})
    assert confirm(scene, client, asked, scene.anna).status_code == 302
    assert Grant.objects.get(pk=grant).opened_at is not None
    stale(scene, client)
    asked = client.post(reverse("participants", args=[REFERENCE]), {"grant": grant, "page": 1})
    assert "p1@gosc.example" in confirm(scene, client, asked, scene.anna).content.decode()


def test_a_wrong_code_shows_the_page_again_with_everything_kept(scene: Scene) -> None:
    request = scene.ask()
    client = scene.browser(scene.boss)
    stale(scene, client)
    sent = {"denial": "unclear", "text": NASTY, "more": ["a", "b", ""]}
    asked = client.post(reverse("deny", args=[request]) + "?x=1&y=2", sent)
    again = confirm(scene, client, asked, scene.boss, "000000")
    assert again.status_code == 403
    assert "not right" in again.content.decode()
    kept = form_of(again)
    assert kept.action == reverse("deny", args=[request]) + "?x=1&y=2"
    carried = kept.with_proof()
    assert carried["text"] == [NASTY]
    assert carried["more"] == ["a", "b", ""]
    assert "<script>alert" not in again.content.decode()
    scene.world.change("staff_totpdevice", device_of(scene.boss).pk, throttling_failure_count=0)
    assert confirm(scene, client, again, scene.boss)["Location"] == "/inbox/"
    assert AccessRequest.objects.get(pk=request).state == "denied"


def test_the_page_that_was_left_is_come_back_to_whatever_came_between(scene: Scene) -> None:
    """The browser names the page of the proof as the one from which the proof is sent."""
    grant = scene.opened()
    client = scene.browser(scene.boss)
    stale(scene, client)
    address, team = reverse("end_grant", args=[grant]), "http://testserver/team/?x=1"
    asked = client.post(reverse("deny", args=[1]), {"denial": "unclear"}, headers={"Referer": team})
    again = client.post(
        form_of(asked).action,
        form_of(asked).with_proof(_code="000000"),
        headers={"Referer": f"http://testserver{form_of(asked).action}"},
    )
    assert 'href="/team/?x=1"' in again.content.decode()  # where 'Cancel' leads
    scene.world.setup.execute("UPDATE staff_session SET last_seen_at = now() - interval '1 hour'")
    scene.world.change("staff_totpdevice", device_of(scene.boss).pk, throttling_failure_count=0)
    asked = client.post(address, headers={"Referer": team})
    proof = {"_password": PASSWORD, "_code": fresh_code(scene.world, scene.boss)}
    done = client.post(
        address, form_of(asked).with_proof(**proof), headers={"Referer": f"http://testserver{address}"}
    )
    assert done["Location"] == "/team/?x=1"
    assert Grant.objects.get(pk=grant).ended_at is not None


@pytest.mark.parametrize("elsewhere", ["https://elsewhere.test/", "//elsewhere.test/", "javascript:1", "\\x"])
def test_nobody_is_led_elsewhere_by_the_page_of_a_proof(scene: Scene, elsewhere: str) -> None:
    grant = scene.opened()
    client = scene.browser(scene.boss)
    done = client.post(reverse("end_grant", args=[grant]), {"_from": elsewhere})
    assert done["Location"] == "/"
    again = client.post(reverse("end_grant", args=[grant]), {}, headers={"Referer": elsewhere})
    assert again["Location"] == "/"


def test_what_is_carried_stands_in_the_page_alone(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    client = scene.browser(scene.boss)
    request = scene.ask()
    stale(scene, client)
    asked = client.post(reverse("deny", args=[request]), {"denial": "unclear", "text": "canary-71c2"})
    assert "canary-71c2" in asked.content.decode()
    assert "canary-71c2" not in repr(list(asked.headers.items())) + repr(client.cookies) + caplog.text
    tables = connection.introspection.table_names()
    for table in tables:
        if table.startswith(("staff_", "audit_", "gatekeeper_")):
            rows = scene.world.setup.execute(f'SELECT * FROM "{table}"').fetchall()
            assert "canary-71c2" not in repr(rows)


def test_no_field_of_ours_is_carried_or_seen_by_a_view(scene: Scene) -> None:
    client = scene.browser(scene.boss)
    request = scene.ask()
    stale(scene, client)
    sent = {"denial": "unclear", "_password": "x", "csrfmiddlewaretoken": "y"}
    for more in ({}, {"_code": ""}):
        asked = client.post(reverse("deny", args=[request]), sent | more)
        names = [name for name, _value in form_of(asked).fields]
        assert [names.count(one) for one in ("_code", "denial", "csrfmiddlewaretoken")] == [1, 1, 1]
        assert "_password" not in names
    assert "Enter the code" in asked.content.decode()


def test_an_empty_code_is_no_attempt(scene: Scene) -> None:
    client = scene.browser(scene.boss)
    request = scene.ask()
    stale(scene, client)
    asked = client.post(reverse("deny", args=[request]), {"denial": "unclear"})
    form = form_of(asked)
    again = client.post(form.action, form.with_proof(_code=" "))
    assert again.status_code == 403
    assert not Entry.objects.filter(event="sign_in_failed").exists()
    assert AccessRequest.objects.get(pk=request).state == "pending"


def test_a_code_sent_along_gets_nobody_past_the_first_proof(scene: Scene) -> None:
    """Half a sign-in has no proof to renew: the code belongs on the page of signing in."""
    request = scene.ask()
    client = scene.browser(scene.boss)
    scene.world.setup.execute("UPDATE staff_session SET verified_at = NULL")
    code = fresh_code(scene.world, scene.boss)
    answer = client.post(reverse("deny", args=[request]), {"denial": "unclear", "_code": code})
    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in/code/")
    assert AccessRequest.objects.get(pk=request).state == "pending"


def test_another_members_code_proves_nothing(scene: Scene) -> None:
    client = scene.browser(scene.boss)
    scene.browser(scene.carl)
    request = scene.ask()
    stale(scene, client)
    asked = client.post(reverse("deny", args=[request]), {"denial": "unclear"})
    again = confirm(scene, client, asked, scene.boss, fresh_code(scene.world, scene.carl))
    assert again.status_code == 403
    assert AccessRequest.objects.get(pk=request).state == "pending"


def test_a_proof_needs_the_token_against_forgery(scene: Scene) -> None:
    client = scene.browser(scene.boss, enforce_csrf_checks=False)
    request = scene.ask()
    stale(scene, client)
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client.cookies
    form = {"denial": "unclear", "_code": fresh_code(scene.world, scene.boss)}
    assert strict.post(reverse("deny", args=[request]), form).status_code == 403
    assert AccessRequest.objects.get(pk=request).state == "pending"
    row = session_of(digest_in(client))
    assert row.verified_at is not None
    assert row.verified_at < timezone.now() - timedelta(minutes=30)


def test_a_proof_renews_the_key_and_the_old_one_is_dead(scene: Scene) -> None:
    client = scene.browser()
    scene.opened()
    stale(scene, client)
    old = client.cookies[settings.SESSION_COOKIE_NAME].value
    confirm(scene, client, scene.post_reveal(client), scene.anna)
    assert client.cookies[settings.SESSION_COOKIE_NAME].value != old
    thief = Client()
    thief.cookies[settings.SESSION_COOKIE_NAME] = old
    answer = thief.get(reverse("profile"))
    assert (answer.status_code, scene.anna.number in answer.content.decode()) == (409, False)


def test_a_file_cannot_be_carried_and_the_page_says_so(scene: Scene) -> None:
    client = scene.browser(scene.boss)
    request = scene.ask()
    stale(scene, client)
    form = {"denial": "unclear", "scan": SimpleUploadedFile("scan.pdf", b"%PDF")}
    asked = client.post(reverse("deny", args=[request]), form)
    assert "choose it again" in asked.content.decode()
    assert form_of(asked).with_proof()["denial"] == ["unclear"]


def test_a_page_that_needs_a_fresh_proof_is_come_back_to(scene: Scene) -> None:
    client = scene.browser(scene.world.member("people"))
    officer = session_of(digest_in(client)).member
    assert officer is not None
    person = Person(officer.pk, officer.number)
    scene.world.signature(person)
    stale(scene, client)
    asked = client.get(reverse("new_member"))
    assert asked["Location"] == "/step-up/?next=%2Fmembers%2Fnew%2F"
    page = client.get(asked["Location"])
    again = client.post(form_of(page).action, form_of(page).with_proof(_code="000000"))
    assert form_of(again).with_proof()["next"] == ["/members/new/"]
    scene.world.change("staff_totpdevice", device_of(person).pk, throttling_failure_count=0)
    assert confirm(scene, client, again, person)["Location"] == "/members/new/"
    assert client.get("/members/new/").status_code == 200


def test_the_page_of_its_own_asks_again_where_nothing_was_typed(scene: Scene) -> None:
    client = scene.browser()
    stale(scene, client)
    answer = client.post(reverse("step_up"), {"_code": "", "next": "/profile/"})
    assert answer.status_code == 200
    assert "Enter the code" in answer.content.decode()
