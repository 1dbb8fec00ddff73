"""A refusal is recorded whatever was sent, cleaned and bounded; without a session an entry says who spoke."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import call_command
from django.urls import reverse
from psycopg.types.json import Jsonb

from audit.models import Entry
from gatekeeper.access import requests
from gatekeeper.feeds import store
from gatekeeper.gate import answers
from gatekeeper.installation import roles
from gatekeeper.models import AccessRequest
from staff.directory.people import record_import
from tests.world.scene import CHANGES, REFERENCE, TICKET, Scene, newest

if TYPE_CHECKING:
    from tests.conftest import AsRole, Connection

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

TYPED = "Aldona Przykładowa, ul. Próbna 1"


@pytest.fixture
def scene(setup_connection: Connection) -> Scene:
    return Scene(setup_connection)


def the_log(scene: Scene) -> str:
    [(text,)] = scene.world.setup.execute("SELECT string_agg(e::text, ' ') FROM audit_entry e").fetchall()
    return str(text)


@pytest.mark.parametrize(
    "fields",
    [
        ["contact.name\0"],
        ["contact.name"] * 900,
        [f"field.{n}" for n in range(900)],
        [TYPED],
        ["\0" * 900],
        [],
    ],
    ids=["nul", "repeated", "many", "typed", "nuls", "none"],
)
def test_a_reveal_is_refused_and_recorded_whatever_it_asks_for(scene: Scene, fields: list[str]) -> None:
    scene.opened(categories=["contact"])
    client = scene.browser()
    form = {"grant": str(scene.grant), "fields": fields}
    before = Entry.objects.latest("pk").pk
    client.post(reverse("reveal", args=[REFERENCE]), form)
    entry = Entry.objects.get(pk__gt=before, event="view")
    assert (entry.outcome, entry.reason, entry.member) == ("refused", "check_failed", scene.anna.number)
    assert set(entry.fields or []) <= {"contact.name"}
    assert len(entry.fields or []) <= 1
    assert "Aldona" not in the_log(scene)


@pytest.mark.parametrize("account", ["x" * 900, TYPED, "MOC-" + "1" * 300, ""])
def test_a_reference_that_is_none_is_a_question_mark(scene: Scene, as_role: AsRole, account: str) -> None:
    vault = as_role(roles.VAULT)
    values = [scene.caller.digest, Jsonb(scene.caller.context), account]
    vault.execute("SELECT vault.record_view(%s, %s, %s, 1, '{contact.name}', false)", values)
    entry = newest("view")
    assert (entry.outcome, entry.account) == ("refused", "?")


@pytest.mark.parametrize(
    "changes",
    [
        {"categories": ["contact"] * 900},
        {"categories": [TYPED]},
        {"categories": []},
        {"categories": ["contact", "nonsense"]},
        {"purpose": TYPED},
        {"purpose": "x" * 900},
        {"reason": TYPED},
        {"minutes": 0},
        {"minutes": 100_000},
    ],
)
def test_a_request_that_no_form_offers_is_refused_and_recorded(scene: Scene, changes: dict[str, Any]) -> None:
    values = vars(CHANGES) | changes
    asked = requests.ask(scene.caller, requests.RequestDraft(**values))
    assert asked.reason
    entry = newest("request")
    assert (entry.outcome, entry.reason, entry.account) == ("refused", asked.reason, REFERENCE)
    assert not AccessRequest.objects.exists()
    assert set(entry.categories or []) <= {"contact", "company", "support"}
    assert "Aldona" not in the_log(scene)
    assert "xxx" not in the_log(scene)


LONG = ["contact"] * 100  # over 1000 characters


@pytest.mark.parametrize(
    ("fact", "given", "kept"),
    [
        ("account", "MOC-40017", "MOC-40017"),
        ("account", "", ""),
        ("account", "ABCDEF-123456", "ABCDEF-123456"),
        ("account", "ABCDEF-1234567", "?"),
        ("account", "A-1", "?"),
        ("account", "MOC-12345678901", "?"),
        ("account", "MOC-40017 ", "?"),
        ("ticket", "ZD-77301", "ZD-77301"),
        ("ticket", "", ""),
        ("ticket", "ABCDEF-12345678", "ABCDEF-12345678"),
        ("ticket", "ABCDEF-123456789", "?"),
        ("ticket", "A-1", "?"),
        ("purpose", "support_request", "support_request"),
        ("purpose", "a" * 21, "?"),
        ("purpose", "Support", "?"),
        ("subject", "K-0193", "K-0193"),
        ("subject", "K-0193456", "?"),
        ("subject", "k-0193", "?"),
        ("categories", ["support", "contact"], ["support", "contact"]),
        ("categories", ["Contact", "contact", "a" * 13, ""], ["contact"]),
        ("categories", [TYPED], []),
        ("categories", LONG, []),
        ("categories", None, None),
        ("fields", ["support.notes", "contact.name"], ["support.notes", "contact.name"]),
        ("fields", ["contact.Name", "contact.name", "a" * 41, ""], ["contact.name"]),
        ("fields", [TYPED], []),
        ("fields", LONG, []),
        ("fields", None, None),
        ("details", {"minutes": 60, "why": "2026-11-18T12:00:00+00:00"}, None),
        ("details", {"listed": ["contact", 7], "more": {"day": "2026-11-18"}}, None),
        ("details", {"why": "a" * 80}, None),
        ("details", {"why": "a" * 81}, {"why": "?"}),
        ("details", {"why": "two words"}, {"why": "?"}),
        ("details", {"listed": ["ą"]}, {"listed": "?"}),
        ("details", {"listed": LONG}, {"listed": "?"}),
        ("details", {"a" * 30: 1, "a" * 31: 1, "Aldona": 1, "": 1}, {"a" * 30: 1}),
        ("details", {"Aldona": 1}, {}),
        ("details", {f"n{n}": n for n in range(10, 31)}, {f"n{n}": n for n in range(10, 30)}),
        ("details", [TYPED], {}),
        ("details", TYPED, {}),
    ],
)
def test_of_what_a_refusal_was_sent_that_is_kept_which_has_its_form(
    setup_connection: Connection, fact: str, given: Any, kept: Any
) -> None:
    [(facts,)] = setup_connection.execute("SELECT audit.cleaned(%s)", [Jsonb({fact: given})]).fetchall()
    assert facts == {fact: given if kept is None else kept}


def test_what_a_refusal_was_not_sent_it_does_not_have(setup_connection: Connection) -> None:
    [(facts,)] = setup_connection.execute("SELECT audit.cleaned(%s)", [Jsonb({"details": None})]).fetchall()
    assert facts == {"details": None}
    [(facts,)] = setup_connection.execute("SELECT audit.cleaned(%s)", [Jsonb({"reason": "x"})]).fetchall()
    assert facts == {"reason": "x"}


@pytest.mark.parametrize(
    ("view", "form"),
    [
        ("approve", {"ticked": "1"}),
        ("approve", {"categories": [TYPED], "minutes": "60"}),
        ("approve", {"categories": ["contact"] * 3, "minutes": "99999999999999999999"}),
        ("deny", {}),
        ("deny", {"denial": TYPED}),
    ],
)
def test_a_decision_whose_form_is_none_is_refused_and_recorded(
    scene: Scene, view: str, form: dict[str, Any]
) -> None:
    request = scene.ask()
    client = scene.browser(scene.boss)
    client.post(reverse(view, args=[request]), form)
    entry = newest(view)
    assert (entry.outcome, entry.reason, entry.member) == ("refused", "value_refused", scene.boss.number)
    assert (entry.request_id, entry.account, entry.ticket) == (request, REFERENCE, TICKET)
    assert AccessRequest.objects.get().state == "pending"
    assert "Aldona" not in the_log(scene)


@pytest.mark.parametrize(
    "form",
    [
        {"categories": ["\0", *["contact"] * 900]},
        {"minutes": "9" * 40},
        {"reason": "Aldona"},
        {"text": "aldona@example.com"},
        {"categories": [""]},
        {},
    ],
)
def test_an_asking_whose_form_is_none_is_refused_and_recorded(scene: Scene, form: dict[str, Any]) -> None:
    whole: dict[str, Any] = {
        "ticket": TICKET, "purpose": "support_request", "categories": ["contact"], "minutes": "60",
        "stretch": "once", "reason": "reproduce_fault", "text": "",
    }  # fmt: skip
    sent = whole | form if form else {"ticket": TICKET}
    answer = scene.browser().post(reverse("ask", args=[REFERENCE]), sent)
    assert answer.context["form"].errors
    entry = newest("request")
    assert (entry.outcome, entry.reason, entry.member) == ("refused", "value_refused", scene.anna.number)
    assert (entry.account, entry.ticket, entry.categories) == (REFERENCE, TICKET, [])
    assert not AccessRequest.objects.exists()
    assert "ldona" not in the_log(scene)


def test_what_is_asked_of_the_log_has_its_bound(scene: Scene, as_role: AsRole) -> None:
    rita = scene.world.member("reviewer")
    scene.world.signature(rita)
    reader = scene.world.session(rita)
    web = as_role(roles.WEB)
    for function, more in (("read_log", ""), ("take_log", ", 1")):
        asked = Jsonb({"query": ["event:view"] * 1000})
        values = [reader.digest, Jsonb(reader.context), asked]
        [(reason,)] = web.execute(
            f"SELECT gatekeeper.{function}(%s, %s, %s{more})".encode(), values
        ).fetchall()
        assert reason == "value_refused"
        entry = Entry.objects.latest("pk")
        assert (entry.outcome, entry.details) == ("refused", {"query": "?"})


# Whose word it is


def test_an_entry_that_nobody_signed_in_for_says_which_role_spoke(scene: Scene) -> None:
    """The source is the caller's word: the role is the database's."""
    store.record_import("accounts", {"new": 7}, "import_staff (root)")
    entry = newest("import")
    assert (entry.source, entry.role) == ("import_staff (root)", roles.FEED)
    record_import({"new": 7}, "import_accounts (root)", finished=True)
    assert newest("import").role == roles.PEOPLE
    scene.world.setup.execute("UPDATE gatekeeper_feed SET contact_at = now() - interval '1 day'")
    call_command("tidy", verbosity=0)
    assert newest("change").role == roles.WEB


def test_what_a_member_did_keeps_the_members_role(scene: Scene) -> None:
    scene.opened(categories=["contact"])
    assert isinstance(scene.reveal(), answers.Reveal)
    assert newest("view").role == "consultant"
    assert newest("approve").role == "manager"
