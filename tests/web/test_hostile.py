"""Whatever is sent to whatever address by whomever: an answer of ours, and never one of 500."""

from __future__ import annotations

from contextlib import ExitStack
from functools import reduce
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode
from wsgiref.util import setup_testing_defaults

import pytest
from django.db import DataError, connections
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from audit.models import Entry
from gatekeeper.access.prints import grant_print
from gatekeeper.models import Deputy, Grant
from gatekeeper.serving.handler import Handler
from staff.frame.reasons import words_of
from tests.world.people import member
from tests.world.scene import REFERENCE, enter

if TYPE_CHECKING:
    from tests.world.scene import Scene

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

BIG: Final = "9223372036854775808"
#: What people's browsers never send, and what others do.
HOSTILE: Final = (
    *("\0", "a\0b", "", " ", "x", "\ufffd", "\u202e", "\U0001f642", "²", "٣", "\\ud800", "%", "<b>"),
    *("0", "-1", "1", "2147483648", BIG, "9" * 25, "9" * 5000, "1e400", "NaN"),
    *(
        "9999-12-31",
        "10000-01-01",
        "0001-01-01",
        "9999-12",
        "0001-01",
        "9999-12-31T23:59",
        "0001-01-01T00:00",
    ),
    *("//elsewhere.test", "/\\elsewhere.test", "http://[", "x y", "/" + "a" * 20_000, "a" * 20_000),
    *("K-9999", "MOC-99999", "ZD-999999999999"),
)
#: Of each part of an address that has a form, what has it.
PARTS: Final = {
    "reference": (REFERENCE, "MOC-99999"),
    "token": ("x", "a" * 43, "\0"),
    "action": ("suspend", "roles", "start", "nonsense"),
}
NUMBERS: Final = {"Reference": "MOC-99999", "TicketNumber": "ZD-1", "MemberNumber": "K-9999"}
IDS: Final = ("0", "1", "99999999", "2147483648", BIG, "9" * 400)
#: Every name that a view or a form of ours reads.
NAMES: Final = (
    *("q", "page", "next", "lang", "ticket", "was", "data", "seen", "before", "after", "zone", "top", "form"),
    *("text", "line", "since", "until", "grant", "fields", "category", "open", "language", "theme", "email"),
    *("password", "again", "old", "code", "codes", "_code", "_password", "_page", "name", "kind", "pk"),
    *("minutes", "categories", "stretch", "reason", "purpose", "denial", "deputy", "begins", "ends", "month"),
    *("verdict", "days", "about", "number", "roles", "manager", "starts_on", "ends_on", "scope", "on", "day"),
    *("state", "role", "version", "signature", "why", "text_en", "text_pl", "effective_on", "term_days"),
    *("roles-roles", "leave-day", "start-day", "manager-manager", "name-name", "email-email", "sure"),
)
CHARSETS: Final = ("utf-8", "rot13", "base64", "zlib", "utf-7", "unicode_escape", "idna", "undefined", "none")
#: What works and ends the session, so that nobody would ask the rest.
ENDINGS: Final = ("sign-out", "end", "recovery-codes")
ACTORS: Final = ("nobody", "consultant", "manager", "reviewer", "people", "privacy", "administrator")


def addresses() -> list[str]:
    """Every pattern, with every value that its parts may have."""
    found: list[str] = []
    for pattern in get_resolver().url_patterns:
        assert isinstance(pattern, URLPattern)
        made = [str(pattern.pattern)]
        for name, converter in pattern.pattern.converters.items():
            kind = type(converter).__name__
            values = PARTS.get(name, (NUMBERS[kind],) if kind in NUMBERS else IDS)
            part = next(one for one in made[0].split("<")[1:] if f":{name}>" in one).split(">")[0]
            made = [one.replace(f"<{part}>", quote(value)) for one in made for value in values]
        found += [f"/{one}" for one in made]
    return found


@pytest.fixture
def clients(scene: Scene) -> dict[str, Client]:
    return browsers(scene)


def browsers(scene: Scene) -> dict[str, Client]:
    """A browser of each role; what fails is answered, as it is outside tests."""
    world = scene.world
    people = {role: world.member(role) for role in ("reviewer", "people", "privacy", "administrator")}
    for one in people.values():
        world.signature(one)
    people |= {"consultant": scene.anna, "manager": scene.boss}
    made = {"nobody": Client()} | {name: enter(world, one) for name, one in people.items()}
    for client in made.values():
        client.raise_request_exception = False
    return made


ASKED = st.fixed_dictionaries(
    {
        "actor": st.sampled_from(ACTORS),
        "method": st.sampled_from(["GET", "POST", "POST"]),
        "fields": st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(HOSTILE)), max_size=12),
    }
)


@effort(
    max_examples=400,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_no_address_fails_whatever_is_sent(clients: dict[str, Client], data: st.DataObject) -> None:
    address = data.draw(st.sampled_from(addresses()))
    asked: dict[str, Any] = data.draw(ASKED)
    if any(word in address for word in ENDINGS):
        return
    given_fields = urlencode(asked["fields"])
    content_type = "application/x-www-form-urlencoded"
    client = clients[asked["actor"]]
    if asked["method"] == "GET":
        answer = client.generic("GET", f"{address}?{given_fields}"[:4000], content_type=content_type)
    else:
        answer = client.generic("POST", address, given_fields, content_type=content_type)
    assert answer.status_code < 500, (address, asked)


# One by one


@pytest.mark.parametrize("target", ["x", "x y", "sign_in", "a.b", "home", f"/{'a' * 20_000}", "//x", "/\\x"])
@pytest.mark.parametrize("name", ["sign_in", "step_up", "sign_in_code", "preferences"])
def test_where_to_go_next_is_an_address_of_ours_or_the_first_page(
    scene: Scene, target: str, name: str
) -> None:
    client = enter(scene.world, scene.anna)
    client.raise_request_exception = False
    answer = client.post(reverse(name), {"next": target, "theme": "dark"})
    assert (answer.status_code, answer["Location"]) == (302, "/")
    page = Client().get(reverse("sign_in"), {"next": target})
    assert (page.status_code, page.context["next"]) == (200, "")


def test_a_number_beyond_the_database_is_no_page(clients: dict[str, Client]) -> None:
    for number in (BIG, "9" * 19, "9" * 400):
        for address in (f"/requests/{number}", f"/grants/{number}/end", f"/proposals/{number}/confirm"):
            assert clients["people"].post(address).status_code == 404
    assert clients["people"].post("/ndas/2147483648/recall").status_code == 404


def test_a_nul_is_read_as_what_cannot_be_read(scene: Scene) -> None:
    scene.opened()
    client = scene.browser()
    assert scene.post_reveal(client, fields=["contact.name\0"]).status_code == 403
    entry = Entry.objects.latest("id")
    # Not as a condition that failed: the member and the grant stand in it, what was sent does not.
    assert (entry.outcome, entry.reason, entry.member) == ("refused", "check_failed", scene.anna.number)
    assert (entry.grant_id, entry.fields) == (scene.grant, [])
    assert client.get("/", {"page": "\0", "\0": "1"}).status_code == 200


def asked(method: str, query: str, content_type: str, body: bytes = b"") -> tuple[str, str]:
    """What our handler answers a visitor: the status, and the page."""
    environ: dict[str, Any] = {"REQUEST_METHOD": method, "PATH_INFO": "/sign-in/", "QUERY_STRING": query}
    environ |= {"CONTENT_TYPE": content_type, "CONTENT_LENGTH": str(len(body)), "wsgi.input": BytesIO(body)}
    setup_testing_defaults(environ)
    environ["HTTP_HOST"] = "localhost"
    said: list[str] = []

    def start(status: str, _headers: Any, _error: Any = None, /) -> Any:
        said.append(status)

    page = b"".join(Handler()(environ, start))
    return said[0][:3], page.decode()


@pytest.mark.parametrize("charset", CHARSETS)
def test_forms_are_utf8_whatever_their_type_says(charset: str) -> None:
    for form in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=a", "text/plain"):
        status, page = asked("GET", "lang=%70l&x=%5Cud800", f"{form}; charset={charset}")
        assert (status, '<html lang="pl"' in page) == ("200", True)
        part = b'--a\r\nContent-Disposition: form-data; name="email"\r\n\r\n\\ud800\r\n--a--\r\n'
        status, page = asked("POST", "", f"{form}; charset={charset}", part)
        assert (status, 'class="brand"' in page) == ("403", True)  # it has no token


def test_lists_without_end_in_one_another_are_no_ceremony(scene: Scene) -> None:
    client = enter(scene.world, scene.anna)
    client.raise_request_exception = False
    answer = client.post(reverse("passkey_complete"), "[" * 100_000, content_type="application/json")
    assert (answer.status_code, "words" in answer.json()) == (403, True)


@pytest.mark.parametrize("month", ["9999-12", "0001-01", "2100-01", "1999-12", "2026-13", "x"])
def test_a_month_that_cannot_be_is_asked_for_again(clients: dict[str, Client], month: str) -> None:
    answer = clients["reviewer"].post(reverse("review_report"), {"month": month})
    assert (answer.status_code, answer["Location"]) == (302, reverse("reviews"))


@pytest.mark.parametrize("since", ["0001-01-01T00:00", "9999-12-31T23:59", "1999-12-31"])
def test_a_time_that_cannot_be_is_no_search(clients: dict[str, Client], since: str) -> None:
    answer = clients["reviewer"].post(reverse("entries"), {"line": "", "since": since})
    assert (answer.status_code, "since" in answer.context["form"].errors) == (422, True)


@pytest.mark.parametrize("ends", ["9999-12-31", "2999-01-01"])
def test_nobody_is_a_deputy_for_a_thousand_years(scene: Scene, ends: str) -> None:
    other = scene.world.member("manager")
    scene.world.signature(other)
    client = enter(scene.world, scene.boss)
    client.raise_request_exception = False
    sent = {"deputy": other.number, "begins": timezone.localdate().isoformat(), "ends": ends}
    assert client.post(reverse("deputies"), sent).status_code == 422
    assert not Deputy.objects.exists()


def test_a_field_named_a_hundred_times_is_refused_and_stands_once_in_the_log(scene: Scene) -> None:
    scene.opened()
    client = scene.browser()
    assert scene.post_reveal(client, fields=["contact.name"] * 500).status_code == 403
    entry = Entry.objects.latest("id")
    assert (entry.outcome, entry.reason, entry.fields) == ("refused", "check_failed", ["contact.name"])
    assert Grant.objects.get(pk=scene.grant).views == 0
    assert grant_print(scene.grant, at=timezone.now()).startswith(b"%PDF-")


#: Which fields of which form hold a number, and what stands beside them where the rest is asked first.
NUMBERED: Final[tuple[tuple[str, str, str, dict[str, Any]], ...]] = (
    ("consultant", "GET", f"/accounts/{REFERENCE}/gate?was=NUMBER", {}),
    ("consultant", "GET", f"/accounts/{REFERENCE}/ask?ticket=ZD-10001&again=NUMBER", {}),
    ("consultant", "GET", "/?page=NUMBER", {}),
    ("consultant", "GET", "/list?page=NUMBER", {}),
    ("consultant", "POST", f"/accounts/{REFERENCE}/reveal", {"grant": "NUMBER", "fields": "contact.name"}),
    ("consultant", "POST", f"/accounts/{REFERENCE}/open", {"grant": "NUMBER"}),
    ("consultant", "POST", f"/accounts/{REFERENCE}/participants", {"grant": "NUMBER", "page": "NUMBER"}),
    ("consultant", "POST", f"/accounts/{REFERENCE}/participants", {"grant": "GRANT", "page": "NUMBER"}),
    (
        "consultant",
        "POST",
        f"/accounts/{REFERENCE}/participants",
        {"grant": "GRANT", "q": "ONE-PNUMBER"},
    ),
    ("consultant", "POST", "/today/more", {"grant": "NUMBER"}),
    ("consultant", "POST", "/nda/", {"version": "NUMBER", "language": "en", "name": "NAME", "consent": "on"}),
    ("consultant", "POST", "/profile/factors/remove", {"kind": "totp", "pk": "NUMBER"}),
    ("manager", "POST", "/team/", {"page": "NUMBER"}),
    ("manager", "POST", "/team/deputies", {"deputy": "NUMBER"}),
    ("reviewer", "GET", "/log/?before=NUMBER", {}),
    ("reviewer", "GET", "/log/?after=NUMBER", {}),
    ("reviewer", "GET", "/log/?q=grant:NUMBER", {}),
    ("reviewer", "GET", "/log/figures?q=session:NUMBER", {}),
    ("reviewer", "POST", "/log/", {"line": "since:NUMBERw"}),
    ("reviewer", "POST", "/log/export", {"form": "csv", "top": "NUMBER"}),
    ("reviewer", "GET", "/reviews/?page=NUMBER", {}),
    ("people", "POST", "/members/", {"page": "NUMBER"}),
    ("people", "POST", "/ndas/register", {"page": "NUMBER"}),
    ("people", "GET", "/ndas/register?page=NUMBER", {}),
    ("people", "POST", "/ndas/countersign", {"signature": "NUMBER"}),
    ("people", "POST", "/ndas/papers", {"signature": "NUMBER"}),
    ("people", "POST", "/members/MEMBER/withdraw/", {"signature": "NUMBER", "why": "revoked"}),
    ("people", "POST", "/members/MEMBER/nda", {"version": "NUMBER", "kind": "paper"}),
    ("privacy", "POST", "/reports/", {"about": "ONE-PNUMBER"}),
)
ENDLESS: Final = ("2147483648", "9" * 17, "9" * 18, "9223372036854775807", BIG, "9" * 25, "9" * 5000)


@pytest.mark.parametrize("number", ENDLESS, ids=len)
def test_no_number_reaches_a_column_that_is_too_small_for_it(scene: Scene, number: str) -> None:
    """What it names is not there, or it is the last page; nothing failed, and no page says that it did."""
    scene.opened(categories=["contact", "participants"])
    clients = browsers(scene)
    known = {
        "ONE": REFERENCE,
        "NUMBER": number,
        "GRANT": str(scene.grant),
        "MEMBER": scene.anna.number,
        "NAME": member(scene.anna).name,
    }

    def told(text: str) -> str:
        return reduce(lambda made, name: made.replace(name, known[name]), known, text)

    failed: list[str] = []

    def watch(execute: Any, sql: str, values: Any, many: bool, context: Any) -> Any:
        try:
            return execute(sql, values, many, context)
        except DataError as error:
            failed.append(f"{address}: {error}")
            raise

    with ExitStack() as watched:
        for alias in connections:
            watched.enter_context(connections[alias].execute_wrapper(watch))
        for actor, method, target, fields in NUMBERED:
            address = told(target)[:8000]
            sent = urlencode({name: told(value) for name, value in fields.items()})
            kind = "application/x-www-form-urlencoded"
            answer = clients[actor].generic(method, address, sent, content_type=kind)
            assert answer.status_code < 500, address
            if not answer.streaming:
                assert str(words_of("record_failed")) not in answer.content.decode(), (address, fields)
    assert not failed
    assert not Entry.objects.filter(reason__in=["record_failed", "check_failed"]).exists()
