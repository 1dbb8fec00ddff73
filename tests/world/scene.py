"""One consultant, one manager, one customer, one ticket: everything holds, and the way to an open gate.

The facts come from tests.world; asking, approving, opening and revealing go through the real roles.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.test import Client
from django.urls import reverse
from django_otp import DEVICE_ID_SESSION_KEY

from audit.models import Entry
from gatekeeper.access import grants, requests
from gatekeeper.gate import answers, decision
from gatekeeper.models import AccessRequest, Assignment, Grant
from staff.session.keys import digest_of
from staff.sign_in import factors
from staff.sign_in.views.sign_in import BACKEND
from tests.world import World, now
from tests.world.keys import session_of
from tests.world.people import device_of, give_factors, member, sign_in

if TYPE_CHECKING:
    from staff.frame.callers import Caller
    from tests.conftest import Connection
    from tests.world import Person

REFERENCE = "MOC-40001"
TICKET = "ZD-10001"
CHANGES = requests.RequestDraft(
    account=REFERENCE,
    ticket=TICKET,
    purpose="support_request",
    categories=["contact", "company", "support"],
    minutes=60,
    while_open=False,
    reason="reproduce_fault",
)


class Scene:
    """Anna reports to Boss; Carl reports to Boss too, and has no ticket."""

    world_class: type[World] = World

    def __init__(self, setup: Connection) -> None:
        self.world = world = self.world_class(setup)
        world.version()
        self.boss = world.member("manager")
        self.anna = world.member("consultant", manager=self.boss)
        self.carl = world.member("consultant", manager=self.boss)
        self.signatures = {one.id: world.signature(one) for one in (self.boss, self.anna, self.carl)}
        self.account = world.account(REFERENCE)
        self.ticket = world.ticket(TICKET, accounts=[REFERENCE], assignee=self.anna)
        world.contact()
        self.caller = world.session(self.anna)
        self.manager = world.session(self.boss)
        self.grant = 0

    @property
    def assignment(self) -> int:
        return int(Assignment.objects.get(ticket=self.ticket, ended_at=None).pk)

    @property
    def session(self) -> int:
        """The number of the session with which Anna calls."""
        return int(session_of(self.caller.digest).pk)

    # The way to an open gate

    def ask(self, caller: Caller | None = None, **changes: Any) -> int:
        """Ask, and return the request's number."""
        asked = requests.ask(caller or self.caller, replace(CHANGES, **changes))
        assert asked.reason is None, asked
        assert asked.request is not None
        return asked.request

    def approve(self, request: int, by: Caller | None = None, **changes: Any) -> str:
        """Approve as asked, or as changed; return '' or why not."""
        asked = AccessRequest.objects.get(pk=request)
        wanted: dict[str, Any] = {
            "categories": asked.categories,
            "minutes": asked.minutes,
            "while_open": asked.while_open,
        } | changes
        return requests.approve(by or self.manager, request, **wanted)

    def approved(self, **changes: Any) -> int:
        """Ask and approve; return the grant's number."""
        request = self.ask(**changes)
        assert self.approve(request) == ""
        self.grant = int(Grant.objects.get(request=request).pk)
        return self.grant

    def opened(self, **changes: Any) -> int:
        """Ask, approve and start the clock; return the grant's number."""
        grant = self.approved(**changes)
        assert grants.open_window(self.caller, grant=grant, account=REFERENCE) is None
        return grant

    def evaluate(self, *categories: str) -> answers.Decision:
        return decision.evaluate(
            self.caller, account=REFERENCE, grant=self.grant, categories=categories or None
        )

    def reveal(self, *fields: str, grant: int | None = None) -> answers.Reveal | answers.Refusal:
        named = self.grant if grant is None else grant
        return decision.reveal(self.caller, account=REFERENCE, grant=named, fields=fields or ["contact.name"])

    def reason(self, *fields: str) -> str:
        """Why a reveal shows nothing; '' when it shows something."""
        shown = self.reveal(*fields)
        return shown.reason if isinstance(shown, answers.Refusal) else ""

    # Through the pages

    def browser(self, person: Person | None = None, **options: Any) -> Client:
        """A browser in which somebody is signed in; Anna's session becomes the scene's."""
        who = person or self.anna
        give_factors(self.world, who)
        client = sign_in(self.world, who, **options)
        if who == self.anna:
            self.caller = replace(self.caller, digest=digest_in(client))
        return client

    def post_reveal(self, client: Client, **form: Any) -> Any:
        data = {"grant": self.grant, "fields": ["contact.name"]} | form
        return client.post(reverse("reveal", args=[REFERENCE]), data)


def signed(scene: Scene, *roles: str, **facts: Any) -> Person:
    """Another member with a signature."""
    person = scene.world.member(*roles, **facts)
    scene.world.signature(person)
    return person


def deputise(scene: Scene, deputy: Person, begins: float = -1, ends: float = 1, **facts: Any) -> int:
    """Boss' deputy, from and to so many hours from now."""
    values = {
        "manager_id": scene.boss.id,
        "deputy_id": deputy.id,
        "begins_at": now() + timedelta(hours=begins),
        "ends_at": now() + timedelta(hours=ends),
        "named_at": now(),
    }
    return scene.world.insert("gatekeeper_deputy", **values | facts)


def digest_in(client: Client) -> bytes:
    """What the database knows the browser's session by."""
    key = client.cookies[settings.SESSION_COOKIE_NAME].value
    return digest_of(key)


def enter(world: World, person: Person, *, verified: bool = True) -> Client:
    """A browser with a session of the member's, without the steps of signing in."""
    if not factors.has_factor(member(person)):
        give_factors(world, person)
    user, key = member(person), secrets.token_urlsafe(32)
    data = {
        SESSION_KEY: str(user.pk),
        BACKEND_SESSION_KEY: BACKEND,
        HASH_SESSION_KEY: user.get_session_auth_hash(),
    }
    facts = {"verified_at": now() if verified else None, "factor": "totp" if verified else ""}
    if verified:
        data[DEVICE_ID_SESSION_KEY] = device_of(person).persistent_id
    caller = world.session(person, data=json.dumps(data), **facts)
    world.setup.execute(
        "UPDATE staff_session SET digest = %s WHERE digest = %s", [digest_of(key), caller.digest]
    )
    client = Client(raise_request_exception=False)
    client.cookies[settings.SESSION_COOKIE_NAME] = key
    return client


def newest(event: str) -> Entry:
    """The newest entry of an event."""
    found: Entry = Entry.objects.filter(event=event).order_by("-id")[0]
    return found
