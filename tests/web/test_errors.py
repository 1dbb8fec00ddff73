"""What goes wrong is answered by a page of ours, in the reader's language; machines get JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import InterfaceError, OperationalError, connections
from django.test import Client
from django.urls import reverse

from staff.sign_in.views import profile, sign_in
from tests.world.scene import enter, signed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.world.scene import Scene

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
WORDS = {
    400: ("The request could not be read", "Nie można odczytać żądania"),
    403: ("You don’t have permission", "Nie masz uprawnień"),
    404: ("There is no such page", "Nie ma takiej strony"),
    405: ("This cannot be done here", "Tego nie można tu zrobić"),
    413: ("That was too much at once", "To za dużo naraz"),
    500: ("Something went wrong", "Wystąpił problem"),
    503: ("The database does not answer", "Baza danych nie odpowiada"),
}
RAISED = {400: SuspiciousOperation, 403: PermissionDenied, 500: ValueError, 503: OperationalError}


def ours(answer: Any, status: int, language: str) -> None:
    page = answer.content.decode()
    assert (answer.status_code, answer["Content-Language"]) == (status, language)
    assert f"<h1>{WORDS[status][language == 'pl']}</h1>" in page
    assert f'<html lang="{language}"' in page
    assert "staff/app.css" in page
    assert 'href="/"' in page
    assert "Django" not in page
    assert answer["Cache-Control"] == "no-store"


def visitor(language: str) -> Client:
    return Client(headers={"Accept-Language": language}, raise_request_exception=False)


def signed_in(scene: Scene, language: str) -> Client:
    """Their browser speaks another language than they do."""
    scene.world.change("staff_member", scene.anna.id, language=language)
    other = {"Accept-Language": "pl" if language == "en" else "en"}
    return scene.browser(headers=other, raise_request_exception=False)


def fail(monkeypatch: pytest.MonkeyPatch, error: type[Exception]) -> None:
    """The profile's view, and the sign-in's, meet what they do not expect."""

    def render(*_args: object, **_facts: object) -> None:
        raise error("a value that nobody may see")

    monkeypatch.setattr(profile, "render", render)
    monkeypatch.setattr(sign_in, "render", render)


@pytest.mark.parametrize(
    ("language", "title"),
    [("en", "The database cannot store anything"), ("pl", "Baza danych nie może niczego zapisać")],
)
def test_a_full_disk_is_no_silence(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, language: str, title: str
) -> None:
    """It does not come back by itself, and the page does not say so."""
    member = signed_in(scene, language)

    def render(*_args: object, **_facts: object) -> None:
        with connections["default"].cursor() as cursor:
            cursor.execute("DO $$ BEGIN RAISE disk_full; END $$")

    monkeypatch.setattr(profile, "render", render)
    answer = member.get(reverse("profile"))
    assert (answer.status_code, answer["Retry-After"]) == (503, "10")
    assert f"<h1>{title}</h1>" in answer.content.decode()
    assert WORDS[503][language == "pl"] not in answer.content.decode()


@pytest.mark.parametrize("language", ["en", "pl"])
@pytest.mark.parametrize("status", sorted(RAISED))
def test_whatever_a_view_raises(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, status: int, language: str
) -> None:
    member = signed_in(scene, language)
    fail(monkeypatch, RAISED[status])
    for answer in (visitor(language).get(reverse("sign_in")), member.get(reverse("profile"))):
        ours(answer, status, language)
        assert "a value" not in answer.content.decode()
        assert answer.get("Retry-After") == ("10" if status == 503 else None)


@pytest.mark.parametrize("language", ["en", "pl"])
def test_no_such_page_other_methods_and_too_much(scene: Scene, settings: Any, language: str) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 2000
    for client in (visitor(language), signed_in(scene, language)):
        ours(client.get("/nowhere/"), 404, language)
        ours(client.get("/accounts/NOT-A-NUMBER"), 404, language)
        answer = client.delete(reverse("sign_in"))
        ours(answer, 405, language)
        assert set(answer["Allow"].split(", ")) == {"GET", "HEAD", "POST"}
        ours(client.post(reverse("sign_in"), {"email": "x" * 3000}), 413, language)
    member = signed_in(scene, language)
    assert scene.anna.number in member.get("/nowhere/").content.decode()  # within their frame


@pytest.mark.parametrize("language", ["en", "pl"])
def test_a_host_that_is_not_ours(scene: Scene, language: str) -> None:
    for host in ("evil.example", "a b", "127.0.0.1:port"):
        answer = visitor(language).get("/", headers={"Host": host})
        ours(answer, 400, language)
        assert host not in answer.content.decode()


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_machines_are_answered_in_json(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    client = visitor("en")
    answer = client.get(reverse("api_tickets"))
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert answer.json() == {"reason": "method not allowed"}
    assert client.get("/api/nothing").json() == {"reason": "not found"}

    def away(*_args: object) -> None:
        raise error("gone")

    monkeypatch.setattr("gatekeeper.feeds.ticket_api.read", away)
    answer = client.post(reverse("api_heartbeat"), "{}", content_type="application/json")
    assert (answer.status_code, answer["Retry-After"]) == (503, "10")
    assert answer.json() == {"reason": "service unavailable"}


def test_only_a_page_that_was_looked_at_asks_again_by_itself(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail(monkeypatch, OperationalError)
    assert visitor("en").get(reverse("sign_in"))["Refresh"] == "10"
    assert "Refresh" not in visitor("en").post(reverse("sign_in"), {"email": "x"})


@pytest.fixture
def full(scene: Scene) -> Iterator[Scene]:
    """The disk is full: no row of a session can be changed."""
    setup = scene.world.setup
    setup.execute(
        "CREATE FUNCTION public.full_disk() RETURNS trigger LANGUAGE plpgsql"
        " AS $$ BEGIN RAISE disk_full; END $$"
    )
    setup.execute(
        "CREATE TRIGGER full_disk BEFORE UPDATE ON staff_session"
        " FOR EACH ROW WHEN (session_user <> 'postgres') EXECUTE FUNCTION public.full_disk()"
    )
    yield scene
    setup.execute("DROP TRIGGER full_disk ON staff_session")
    setup.execute("DROP FUNCTION public.full_disk()")


def late(scene: Scene) -> None:
    """So long after the last click that the next page would note that somebody is active."""
    scene.world.setup.execute("UPDATE staff_session SET last_seen_at = now() - interval '1 minute'")


def test_the_checks_are_read_while_nothing_can_be_written(full: Scene) -> None:
    administrator = enter(full.world, signed(full, "administrator"))
    late(full)
    assert administrator.get(reverse("checks")).status_code == 200
    assert administrator.get(reverse("home")).status_code == 200


@pytest.mark.parametrize(("language", "words"), [("en", "has forgotten your session"), ("pl", "nie pamięta")])
def test_the_browser_forgets_also_what_the_database_cannot_end(
    full: Scene, language: str, words: str
) -> None:
    member = enter(full.world, full.anna)
    late(full)
    answer = member.post(reverse("sign_out"))
    assert answer.status_code == 302
    assert answer.cookies[settings.SESSION_COOKIE_NAME].value == ""
    page = member.get(answer["Location"], headers={"Accept-Language": language})
    assert words in page.content.decode()
    assert member.get(reverse("home")).status_code == 302  # to signing in
