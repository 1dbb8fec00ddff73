"""The idle end locks rather than loses: what is shut, what resumes it, and what never does."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import Entry
from gatekeeper.models import AccessRequest
from staff.models import Session
from staff.session.sessions import SessionStore
from tests.conftest import AsRole
from tests.world import VALUES, Person
from tests.world.forms import NASTY, form_of
from tests.world.keys import session_of
from tests.world.people import PASSWORD, device_of, fresh_code, give_factors, give_password, password_of
from tests.world.scene import REFERENCE, Scene, digest_in

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
IDLE = timedelta(minutes=settings.LIMITS["session_idle_minutes"])
HOURS = timedelta(hours=settings.LIMITS["session_hours"])


def row_of(client: Client) -> Session:
    return session_of(digest_in(client))


def idle(scene: Scene, client: Client, since: timedelta = IDLE) -> None:
    """Nothing was done in this browser for so long."""
    at = timezone.now() - since
    scene.world.setup.execute(
        "UPDATE staff_session SET last_seen_at = %s WHERE digest = %s", [at, digest_in(client)]
    )


def unlock(scene: Scene, client: Client, page: Any, person: Person, **proof: str) -> Any:
    """Send the page's own form back, with both factors or with what is given."""
    form = form_of(page)
    proof = proof or {"_password": PASSWORD, "_code": fresh_code(scene.world, person)}
    return client.post(form.action, form.with_proof(**proof))


# What is shut


def test_a_locked_page_resumes_where_the_member_was_under_a_new_key(scene: Scene) -> None:
    client = scene.browser()
    number, old = row_of(client).pk, client.cookies[settings.SESSION_COOKIE_NAME].value
    begun = row_of(client).started_at
    idle(scene, client)
    page = client.get("/profile/?x=1")
    assert page.status_code == 403
    assert page["Cache-Control"] == "no-store"
    assert client.cookies[settings.SESSION_COOKIE_NAME].value == old
    resumed = unlock(scene, client, page, scene.anna)
    assert resumed["Location"] == "/profile/?x=1"
    assert client.get("/profile/").status_code == 200
    row = row_of(client)
    assert (row.pk, row.started_at, row.ended_at) == (number, begun, None)
    assert client.cookies[settings.SESSION_COOKIE_NAME].value != old
    entry = Entry.objects.latest("id")
    assert (entry.event, entry.object_repr, entry.session, entry.member) == (
        ("sign_in", "unlock", number, scene.anna.number)
    )


def test_every_address_answers_with_the_same_lock(scene: Scene) -> None:
    client = scene.browser()
    scene.opened()
    account = reverse("account", args=[REFERENCE])
    addresses = ["/", account, f"{account}/gate", "/inbox/", "/members/", "/log/", "/step-up/"]
    idle(scene, client)
    for address in addresses:
        page = client.get(address)
        assert page.status_code == 403
        assert "Member K-" not in page.content.decode()  # no name
        assert REFERENCE not in page.content.decode().replace(address, "")
    assert client.head("/profile/").content == b""  # which says no more to anybody
    assert client.get("/sign-in/")["Location"] == "/"
    assert row_of(client).ended_at is None


def test_a_locked_session_reveals_nothing_and_does_it_after_unlocking(scene: Scene) -> None:
    client = scene.browser()
    scene.opened()
    idle(scene, client)
    page = scene.post_reveal(client)
    assert page.status_code == 403
    assert str(VALUES["contact.name"]) not in page.content.decode()
    assert not Entry.objects.filter(event="view").exists()
    shown = unlock(scene, client, page, scene.anna)
    assert shown.status_code == 200
    assert str(VALUES["contact.name"]) in shown.content.decode()


def test_no_locked_page_holds_a_password_or_a_recovery_code(scene: Scene) -> None:
    client = scene.browser()
    secret = "another four quiet otters"
    forms = {
        "change_password": {"old": PASSWORD, "password": secret, "again": secret},
        "recovery_file": {"codes": secret},
    }
    for name, form in forms.items():
        idle(scene, client)
        page = client.post(reverse(name), form)
        assert page.status_code == 403
        assert PASSWORD not in page.content.decode()
        assert secret not in page.content.decode()
        assert unlock(scene, client, page, scene.anna)["Location"] == reverse(name)


def test_nothing_typed_is_lost_also_after_a_wrong_proof(scene: Scene) -> None:
    request = scene.ask()
    client = scene.browser(scene.boss)
    idle(scene, client)
    page = client.post(reverse("deny", args=[request]), {"denial": "unclear", "text": NASTY})
    for wrong in ({"_password": "x" * 20, "_code": "000000"}, {"_password": PASSWORD, "_code": "000000"}, {}):
        proof = wrong or {"_password": "", "_code": ""}
        page = unlock(scene, client, page, scene.boss, **proof)
        assert page.status_code == 403
        assert form_of(page).with_proof()["text"] == [NASTY]
        assert row_of(client).last_seen_at < timezone.now() - IDLE
    assert PASSWORD not in page.content.decode()
    scene.world.change("staff_totpdevice", device_of(scene.boss).pk, throttling_failure_count=0)
    assert unlock(scene, client, page, scene.boss)["Location"] == "/inbox/"
    assert AccessRequest.objects.get(pk=request).state == "denied"


@pytest.mark.parametrize("missing", ["_password", "_code"])
def test_one_of_both_unlocks_nothing(scene: Scene, missing: str) -> None:
    client = scene.browser()
    idle(scene, client)
    proof = {"_password": PASSWORD, "_code": fresh_code(scene.world, scene.anna)} | {missing: ""}
    page = unlock(scene, client, client.get("/profile/"), scene.anna, **proof)
    assert page.status_code == 403
    assert "Enter the password and the code" in page.content.decode()


def test_another_members_password_and_code_unlock_nothing(scene: Scene) -> None:
    client = scene.browser()
    scene.browser(scene.carl)
    scene.world.change("staff_member", scene.carl.id, password=password_of(scene.anna))
    idle(scene, client)
    proof = {"_password": PASSWORD, "_code": fresh_code(scene.world, scene.carl)}
    assert unlock(scene, client, client.get("/profile/"), scene.anna, **proof).status_code == 403
    assert client.get("/profile/").status_code == 403


# What is no activity


def test_polling_neither_keeps_awake_nor_unlocks_and_is_told(scene: Scene) -> None:
    client = scene.browser(scene.boss)
    idle(scene, client, IDLE - timedelta(minutes=2))
    before = row_of(client).last_seen_at
    assert client.get(reverse("inbox_list")).status_code == 200
    assert client.get(reverse("session_left")).json()["left"] in range(60, 121)
    assert row_of(client).last_seen_at == before
    idle(scene, client)
    for address, headers in ((reverse("inbox_list"), {"HX-Request": "true"}), (reverse("session_left"), {})):
        answer = client.get(address, headers=headers)
        assert answer.status_code == 403
        assert answer["HX-Trigger"] == "session-locked"
        assert answer.content == b""
    assert row_of(client).last_seen_at < before + timedelta(minutes=1)
    assert client.get("/inbox/").status_code == 403


def test_staying_signed_in_is_a_post_and_does_it_for_all_tabs(scene: Scene) -> None:
    client = scene.browser()
    idle(scene, client, IDLE - timedelta(seconds=100))
    assert client.get(reverse("session_stay"))["Location"] == "/"
    idle(scene, client, IDLE - timedelta(seconds=100))
    left = client.post(reverse("session_stay")).json()["left"]
    assert left > IDLE.total_seconds() - 60
    assert client.get(reverse("session_left")).json()["left"] > IDLE.total_seconds() - 60


def test_staying_comes_too_late_for_a_locked_session(scene: Scene) -> None:
    client = scene.browser()
    idle(scene, client)
    assert client.post(reverse("session_stay")).status_code == 403
    assert client.get(reverse("session_left")).status_code == 403


def test_the_last_seconds_of_twelve_hours_are_counted(scene: Scene) -> None:
    client = scene.browser()
    nearly = timezone.now() - HOURS + timedelta(seconds=60)
    scene.world.change("staff_session", row_of(client).pk, started_at=nearly)
    assert client.get(reverse("session_left")).json()["left"] <= 60


# What stays ended


@pytest.mark.parametrize("what", ["ended", "twelve hours", "half a sign-in"])
def test_what_is_over_stays_over(scene: Scene, what: str) -> None:
    client = scene.browser()
    idle(scene, client)
    if what == "ended":
        scene.world.setup.execute("UPDATE staff_session SET ended_at = now()")
    elif what == "twelve hours":
        scene.world.change("staff_session", row_of(client).pk, started_at=timezone.now() - HOURS)
    else:
        scene.world.change("staff_session", row_of(client).pk, verified_at=None)
    assert client.get("/profile/")["Location"].startswith("/sign-in/?why=")
    assert Session.objects.order_by("-pk")[0].ended_at is not None


@pytest.mark.parametrize("column", ["suspended_at", "left_on"])
def test_whoever_is_barred_cannot_unlock(scene: Scene, column: str) -> None:
    client = scene.browser()
    idle(scene, client)
    page = client.get("/profile/")
    yesterday = timezone.now() - timedelta(days=1)
    value = yesterday if column == "suspended_at" else yesterday.date()
    scene.world.quietly("staff_member", scene.anna.id, **{column: value})
    answer = unlock(scene, client, page, scene.anna)
    assert "/sign-in/?why=member_" in answer["Location"]
    scene.world.quietly("staff_member", scene.anna.id, **{column: None})
    assert "/sign-in/" in client.get("/profile/").get("Location", "")


def test_a_changed_password_leaves_nothing_to_unlock(scene: Scene) -> None:
    client = scene.browser()
    idle(scene, client)
    page = client.get("/profile/")
    scene.world.quietly("staff_member", scene.anna.id, password=make_password("another four quiet otters"))
    proof = {"_password": "another four quiet otters", "_code": fresh_code(scene.world, scene.anna)}
    assert unlock(scene, client, page, scene.anna, **proof).status_code == 403
    assert client.get("/profile/").status_code != 200


def test_signing_out_of_a_locked_session_ends_it_and_is_recorded(scene: Scene) -> None:
    client = scene.browser()
    number = row_of(client).pk
    idle(scene, client)
    assert reverse("sign_out") in client.get("/profile/").content.decode()
    client.post(reverse("sign_out"))
    assert Session.objects.get(pk=number).ended_at is not None
    entry = Entry.objects.latest("id")
    assert (entry.event, entry.session, entry.member) == ("sign_out", number, scene.anna.number)


def test_somebody_else_may_sign_in_and_the_locked_session_ends(scene: Scene) -> None:
    client = scene.browser()
    number = row_of(client).pk
    scene.browser(scene.carl)
    idle(scene, client)
    assert give_password(client, scene.carl).status_code == 302
    assert Session.objects.get(pk=number).ended_at is not None


# The database's part


def test_a_touch_does_not_wake_it_and_only_a_proof_does(scene: Scene, as_role: AsRole) -> None:
    client = scene.browser()
    give_factors(scene.world, scene.anna)
    idle(scene, client)
    web, signin, now = as_role("gatekeeper_web"), as_role("gatekeeper_signin"), timezone.now()
    before, digest = row_of(client), digest_in(client)
    assert web.execute("SELECT staff.touch_session(%s)", [digest]).fetchone() == (False,)
    assert signin.execute("SELECT staff.renew_session(%s, sha256('x'))", [digest]).fetchone() == (False,)
    verify = "SELECT staff.verify_session(%s, sha256('x'), '{\"cid\": \"c-1\"}', 'totp', %s, 'unlock')"
    assert signin.execute(verify, [digest, 0]).fetchone() == (False,)  # a factor that is not hers
    assert row_of(client).last_seen_at == before.last_seen_at
    device = device_of(scene.anna).pk
    assert signin.execute(verify, [digest, device]).fetchone() == (True,)
    assert Session.objects.get(pk=before.pk).last_seen_at >= now - timedelta(seconds=5)


def test_the_gate_is_shut_while_it_is_locked_whatever_a_request_sees(scene: Scene) -> None:
    scene.browser()
    scene.opened()
    scene.world.setup.execute("UPDATE staff_session SET last_seen_at = now() - interval '1 hour'")
    assert scene.evaluate().reason == "session_expired"
    assert scene.reason() == "session_expired"


def test_tidying_leaves_locked_sessions_alone(scene: Scene) -> None:
    client = scene.browser()
    idle(scene, client)
    SessionStore.clear_expired()
    assert row_of(client).ended_at is None


def test_language_and_theme_stay(scene: Scene) -> None:
    client = scene.browser()
    scene.world.quietly("staff_member", scene.anna.id, language="pl", theme="dark")
    idle(scene, client)
    page = client.get("/profile/", headers={"Accept-Language": "en"})
    assert page["Content-Language"] == "pl"
    assert 'data-theme="dark"' in page.content.decode()


def test_the_warning_stands_on_every_page_of_a_session_and_nowhere_else(scene: Scene) -> None:
    client = scene.browser()
    page = client.get("/profile/").content.decode()
    assert 'role="alertdialog"' in page
    [left] = re.findall(r'data-left="(\d+)"', page)
    assert 0 < int(left) < IDLE.total_seconds()
    idle(scene, client)
    assert 'id="idle"' not in client.get("/profile/").content.decode()
    assert 'id="idle"' not in Client().get("/sign-in/").content.decode()
