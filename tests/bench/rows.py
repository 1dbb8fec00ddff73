"""The rows that need no HTTP: reveal, decision, lists. In: desks. Out: rows of the table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from statistics import median
from types import SimpleNamespace
from typing import Any

from django.db import connections
from django.test import RequestFactory
from guardian.core import ObjectPermissionChecker
from guardian.shortcuts import get_objects_for_user

from gatekeeper.access import grants
from gatekeeper.gate import answers, decision, vault
from gatekeeper.gate.backends import VIEW_PERSONAL_DATA
from gatekeeper.models import Account
from gatekeeper.pages import home
from staff.models import Member
from tests.bench import constant
from tests.bench.ground import Desk
from tests.bench.measuring import Row, p50s, rates, ratio
from tests.bench.past import Colleague

FIELDS = ["contact.name", "contact.email"]
INSERT = """
    INSERT INTO bench.plain (member, name, event, outcome, session, address, agent, account, ticket,
        fields, categories, purpose, approver)
    VALUES (%s::text, %s::text, %s::text, %s::text, %s::bigint, %s::inet, %s::text, %s::text, %s::text,
        %s::text[], %s::text[], %s::text, %s::text)
"""


def reveal(desk: Desk) -> None:
    """Record and release, as the account page does it."""
    shown = decision.reveal(desk.caller, account=desk.account, grant=desk.grant, fields=FIELDS)
    if not isinstance(shown, answers.Reveal) or set(shown.values) != set(FIELDS):
        raise RuntimeError(f"nothing was revealed: {shown}")


def twin(desk: Desk) -> None:
    """The same, by the twin whose decision is a constant."""
    vault._REVEAL = constant.TWIN
    try:
        reveal(desk)
    finally:
        vault._REVEAL = constant.REVEAL


def insert(desk: Desk) -> None:
    """One plain INSERT with its commit, on the same connection, prepared like the vault's calls."""
    who: list[str | int] = [desk.person.number, "A name", "view", "allowed", 5, "192.0.2.1", "bench"]
    with connections["vault"].cursor() as cursor:
        cursor.execute(
            INSERT, [*who, desk.account, desk.ticket, FIELDS, ["contact"], "support_request", "K-1000"]
        )


def _around(found: tuple[float, float, float]) -> str:
    middle, low, high = found
    return f"{middle:.2f} ({low:.2f}–{high:.2f})"


def reveal_rows(desk: Desk, *, rounds: int) -> list[Row]:
    """p50 of a reveal by one client: against its twin, and against a plain INSERT."""
    acts: dict[str, Callable[[], object]] = {
        "reveal": partial(reveal, desk),
        "twin": partial(twin, desk),
        "insert": partial(insert, desk),
    }
    found = p50s(acts, rounds=rounds, calls=100)
    middle = {name: f"{median(times):.2f} ms" for name, times in found.items()}
    constantly, plain = ratio(found, "reveal", "twin"), ratio(found, "reveal", "insert")
    return [
        Row(
            "reveal at the vault against the same build whose decision is a constant, p50",
            "at most 1.4 times",
            _around(constantly),
            constantly[0],
            most=1.4,
            note=f"p50 {middle['reveal']} against {middle['twin']}",
        ),
        Row(
            "reveal at the vault against one plain INSERT with commit, p50",
            "told",
            _around(plain),
            plain[0],
            note=f"p50 {middle['reveal']} against {middle['insert']}",
        ),
    ]


def throughput_rows(desks: Sequence[Desk], *, rounds: int, seconds: float) -> list[Row]:
    """Reveals a second, a client a desk: against the twin's, and against INSERTs."""
    gangs: dict[str, list[Callable[[], object]]] = {
        "reveal": [partial(reveal, desk) for desk in desks],
        "twin": [partial(twin, desk) for desk in desks],
        "insert": [partial(insert, desk) for desk in desks],
    }
    found = rates(gangs, rounds=rounds, seconds=seconds)
    middle = {name: f"{median(rate):.0f}/s" for name, rate in found.items()}
    constantly, plain = ratio(found, "reveal", "twin"), ratio(found, "reveal", "insert")
    return [
        Row(
            f"reveals a second against those whose decision is a constant, {len(desks)} clients",
            "at least 0.75",
            _around(constantly),
            constantly[0],
            least=0.75,
            note=f"{middle['reveal']} against {middle['twin']}",
        ),
        Row(
            f"reveals a second against plain INSERT commits a second, {len(desks)} clients",
            "told",
            _around(plain),
            plain[0],
            note=f"{middle['reveal']} against {middle['insert']}",
        ),
    ]


def decision_row(desk: Desk, *, rounds: int) -> Row:
    """All conditions, against guardian's one question asked again."""
    member = Member.objects.get(pk=desk.person.id)
    account = Account.objects.get(reference=desk.account)
    codename = VIEW_PERSONAL_DATA.partition(".")[2]

    def decide() -> None:
        found = decision.evaluate(desk.caller, account=desk.account, grant=desk.grant)
        if not found.open:
            raise RuntimeError(f"the gate is shut: {found.reason}")

    def guardian() -> None:
        if not ObjectPermissionChecker(member).has_perm(codename, account):
            raise RuntimeError("guardian says no")

    found = p50s({"gate": decide, "guardian": guardian}, rounds=rounds, calls=100)
    figure = ratio(found, "gate", "guardian")
    note = f"p50 {median(found['gate']):.2f} ms against {median(found['guardian']):.2f} ms"
    what = "the decision alone against guardian’s uncached `has_perm`, p50"
    return Row(what, "at most 0.25", _around(figure), figure[0], most=0.25, note=note)


def lists_row(few: Colleague, many: Colleague, *, rounds: int) -> Row:
    """What is open, the tickets with their gates, and guardian's list, with a long past."""
    acts = {"few": _lists(few), "many": _lists(many)}
    found = p50s(acts, rounds=rounds, calls=15)
    figure = ratio(found, "many", "few")
    note = f"p50 {median(found['many']):.1f} ms against {median(found['few']):.1f} ms"
    what = f"lists of a member with {many.past} past grants against {few.past}, p50"
    return Row(what, "at most 1.5 times", _around(figure), figure[0], most=1.5, note=note)


def _lists(colleague: Colleague) -> Callable[[], object]:
    member = Member.objects.get(pk=colleague.person.id)
    request: Any = RequestFactory().get("/")
    request.session, request.user = SimpleNamespace(digest=colleague.caller.digest), member

    def act() -> None:
        opened = grants.open_grants(colleague.caller, member)
        listed = get_objects_for_user(member, VIEW_PERSONAL_DATA, klass=Account, use_groups=False)
        tickets = home._tickets(request, member)[0]
        if not len(opened) == len(listed) == len(tickets) == colleague.live:
            raise RuntimeError("a list lacks something")

    return act
