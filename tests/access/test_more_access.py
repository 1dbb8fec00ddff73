"""Asking for more beside an access that is open: what is open stays open until its own end.

Each state is built through the real roles; the gate, the permission, the lists and what the log records
of a reveal under either grant have to agree with the table.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from gatekeeper.access import grants, requests
from gatekeeper.gate import answers, decision
from gatekeeper.gate.backends import VIEW_PERSONAL_DATA
from gatekeeper.models import AccessRequest, Account, Grant
from tests.world import now
from tests.world.people import member
from tests.world.scene import REFERENCE, TICKET, Scene, newest

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

SECOND_TICKET = "ZD-10002"
FIRST, MORE = ["contact"], ["billing"]  # what is open, and what is asked for beside it
CONTACT, BILLING = "contact.name", "billing.bank_account"


def ended(scene: Scene, grant: int) -> None:
    """The grant's window is over."""
    scene.world.quietly("gatekeeper_grant", grant, window_ends_at=now() - timedelta(seconds=1))


@dataclass
class Beside:
    """The access that was open first, the request beside it, and the grant that came of that, if one did."""

    scene: Scene
    ticket: str = TICKET
    first: int = 0
    request: int = 0
    second: int = 0

    def open_first(self, **changes: Any) -> None:
        self.first = self.scene.opened(categories=FIRST, **changes)

    def ask(self, **changes: Any) -> None:
        self.request = self.scene.ask(ticket=self.ticket, **{"categories": MORE} | changes)

    def approve(self, **changes: Any) -> None:
        self.ask(**changes)
        assert self.scene.approve(self.request) == ""
        self.second = Grant.objects.get(request=self.request).pk

    def open_second(self, **changes: Any) -> None:
        self.approve(**changes)
        opened = grants.open_window(self.scene.caller, grant=self.second, account=REFERENCE)
        assert opened is None, opened


def pending(one: Beside) -> None:
    one.open_first()
    one.ask()


def rejected(one: Beside) -> None:
    pending(one)
    assert requests.deny(one.scene.manager, one.request, denial="too_wide") == ""


def withdrawn(one: Beside) -> None:
    pending(one)
    assert requests.withdraw(one.scene.caller, one.request) == ""


def lapsed(one: Beside) -> None:
    pending(one)
    past = now() - timedelta(seconds=1)
    one.scene.world.quietly("gatekeeper_accessrequest", one.request, expires_at=past)


def approved(one: Beside) -> None:
    one.open_first()
    one.approve()


def added(one: Beside) -> None:
    one.open_first()
    one.open_second()


def extended(one: Beside) -> None:
    one.open_first()
    one.open_second(categories=FIRST, minutes=120)


def widened(one: Beside) -> None:
    one.open_first()
    one.open_second(categories=[*FIRST, *MORE])


def first_over(one: Beside) -> None:
    added(one)
    ended(one.scene, one.first)


def second_over(one: Beside) -> None:
    added(one)
    ended(one.scene, one.second)


def first_given_back(one: Beside) -> None:
    added(one)
    assert grants.end(one.scene.caller, one.first) == ""


def second_revoked(one: Beside) -> None:
    added(one)
    assert grants.end(one.scene.manager, one.second) == ""


def first_over_while_asking(one: Beside) -> None:
    pending(one)
    ended(one.scene, one.first)


def first_over_before_opening_the_second(one: Beside) -> None:
    approved(one)
    ended(one.scene, one.first)


def stretched_and_asking(one: Beside) -> None:
    one.open_first(while_open=True)
    ended(one.scene, one.first)
    one.ask()


def approved_and_asking(one: Beside) -> None:
    one.first = one.scene.approved(categories=FIRST)
    one.ask()


def first_used_up(one: Beside) -> None:
    added(one)
    one.scene.world.quietly("gatekeeper_grant", one.first, views=10_000)


def later_used_up(one: Beside) -> None:
    one.open_first()
    one.open_second(minutes=120)
    one.scene.world.quietly("gatekeeper_grant", one.second, views=10_000)


def later_without_consent(one: Beside) -> None:
    one.open_first()
    one.open_second(categories=["support"], minutes=120)
    one.scene.world.change("gatekeeper_account", one.scene.account, support_since=None)


def another_ticket(one: Beside) -> None:
    one.scene.world.ticket(SECOND_TICKET, accounts=[REFERENCE], assignee=one.scene.anna)
    one.ticket = SECOND_TICKET


def pending_for_another_ticket(one: Beside) -> None:
    another_ticket(one)
    pending(one)


def approved_for_another_ticket(one: Beside) -> None:
    another_ticket(one)
    approved(one)


def open_for_another_ticket(one: Beside) -> None:
    another_ticket(one)
    added(one)


def first_ticket_closed(one: Beside) -> None:
    open_for_another_ticket(one)
    one.scene.world.change("gatekeeper_ticket", one.scene.ticket, state="solved")


def both_closed(one: Beside) -> None:
    added(one)
    one.scene.world.change("gatekeeper_ticket", one.scene.ticket, state="solved")


@dataclass(frozen=True)
class State:
    """How it came about; then, '' standing for 'shown', what the gate says of the account, what the log
    records of the first grant's field and of the second's; and which grants the lists hold."""

    build: Callable[[Beside], None]
    account: str
    first: str
    second: str
    opened: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.build.__name__


NONE = "approval_missing"  # no grant came of the request: whatever is named, none is
STATES = [
    State(pending, "", "", "approval_pending", ("first",)),
    State(rejected, "", "", "approval_denied", ("first",)),
    State(withdrawn, "", "", NONE, ("first",)),
    State(lapsed, "", "", NONE, ("first",)),
    State(approved, "", "", "grant_not_started", ("first",)),
    State(added, "", "", "", ("first", "second")),
    State(extended, "", "", "category_not_covered", ("first", "second")),
    State(widened, "", "", "", ("first", "second")),
    State(first_over, "", "grant_expired", "", ("second",)),
    State(second_over, "", "", "grant_expired", ("first",)),
    State(first_given_back, "", "grant_ended", "", ("second",)),
    State(second_revoked, "", "", "grant_revoked", ("first",)),
    State(first_over_while_asking, "approval_pending", "grant_expired", "approval_pending", ()),
    State(
        first_over_before_opening_the_second, "grant_not_started", "grant_expired", "grant_not_started", ()
    ),
    State(stretched_and_asking, "grant_not_started", "grant_not_started", "approval_pending", ()),
    State(approved_and_asking, "grant_not_started", "grant_not_started", "approval_pending", ()),
    State(first_used_up, "", "view_limit_reached", "", ("second",)),
    State(later_used_up, "", "", "view_limit_reached", ("first",)),
    State(later_without_consent, "", "", "category_not_covered", ("first",)),
    State(pending_for_another_ticket, "", "", NONE, ("first",)),
    State(approved_for_another_ticket, "", "", "grant_not_started", ("first",)),
    State(open_for_another_ticket, "", "", "", ("first", "second")),
    State(first_ticket_closed, "", "ticket_closed", "", ("second",)),
    State(both_closed, "ticket_closed", "ticket_closed", "ticket_closed", ()),
]
state = pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)


def recorded(scene: Scene, field: str, grant: int) -> str:
    """What the log says of a reveal: its reason, '' when it was allowed and shown."""
    shown = decision.reveal(scene.caller, account=REFERENCE, grant=grant, fields=[field])
    entry = newest("view")
    assert (entry.outcome == "allowed") is isinstance(shown, answers.Reveal)
    assert entry.grant_id == (grant or None) or entry.outcome == "refused"
    return entry.reason


@state
def test_what_is_open_stays_open_until_its_own_end(scene: Scene, state: State) -> None:
    one = Beside(scene)
    state.build(one)
    mine = member(scene.anna)
    mine.caller = scene.caller  # type: ignore[attr-defined]  # as staff.session.middleware does
    account = Account.objects.get(pk=scene.account)
    named = {one.first: "first", one.second: "second"}

    seen = decision.evaluate(scene.caller, account=REFERENCE)
    assert (seen.reason or "") == state.account
    assert mine.has_perm(VIEW_PERSONAL_DATA, account) is (state.account == "")
    opened = grants.open_grants(scene.caller, mine)
    assert sorted(named[grant.id] for grant in opened) == sorted(state.opened)
    assert (seen.grant_id in named and named[seen.grant_id] in state.opened) is (state.account == "")

    assert recorded(scene, CONTACT, one.first) == state.first
    assert recorded(scene, BILLING, one.second) == state.second


def test_a_request_beside_an_open_access_ends_nothing_in_the_log(scene: Scene) -> None:
    one = Beside(scene)
    added(one)
    assert not Grant.objects.exclude(ended_at=None).exists()
    assert grants.end(scene.caller, one.first) == ""
    assert list(Grant.objects.filter(ended_at=None).values_list("pk", flat=True)) == [one.second]
    assert AccessRequest.objects.filter(state="approved").count() == 2


def test_both_grants_fields_are_no_one_reveal(scene: Scene) -> None:
    one = Beside(scene)
    added(one)
    for grant in (one.first, one.second):
        shown = decision.reveal(scene.caller, account=REFERENCE, grant=grant, fields=[CONTACT, BILLING])
        assert isinstance(shown, answers.Refusal)
        assert shown.reason == "category_not_covered"


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (pending, "Requested at"),
        (rejected, "Ask for fewer categories"),
        (lapsed, "Nobody decided the request in time."),
        (approved, "Open this as well"),
        (withdrawn, ""),
        (added, ""),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_the_accounts_page_tells_of_what_was_asked_for_beside_it(
    scene: Scene, build: Callable[[Beside], None], said: str
) -> None:
    client = scene.browser()
    build(Beside(scene))
    page = client.get(reverse("account", args=[REFERENCE])).content.decode()
    assert page.count('class="card beside"') == bool(said)
    assert said in page
    assert re.search(r'name="fields"\s+value="contact.name"', page)


def test_each_line_of_the_customers_report_has_its_own_ticket(scene: Scene) -> None:
    open_for_another_ticket(one := Beside(scene))
    for field, grant in ((CONTACT, one.first), (BILLING, one.second)):
        assert recorded(scene, field, grant) == ""
    eve = scene.world.member("privacy")
    scene.world.signature(eve)
    form = {"about": REFERENCE, "month": f"{timezone.localdate():%Y-%m}", "kind": "page"}
    page = scene.browser(eve).post(reverse("reports"), form).content.decode()
    for ticket in (TICKET, SECOND_TICKET):
        assert page.count(ticket) == 1
