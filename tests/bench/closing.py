"""The closing row: how long the helpdesk's message takes while sixteen sessions reveal under its ticket."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any

from django.db import connections

from gatekeeper.feeds import tickets
from gatekeeper.feeds.ticket_lines import TicketLine
from gatekeeper.gate import answers, decision
from tests.bench.ground import desk_grant
from tests.bench.measuring import Row

if TYPE_CHECKING:
    from staff.frame.callers import Caller
    from tests.world import Person, World

SESSIONS = 16
FIRST = 400_000  # the number of the first account and ticket
FIELDS = ["contact.name"]
PATIENCE = 60  # seconds that one waits for the others


@dataclass(frozen=True)
class Case:
    """An account whose window is open for all sessions, until its ticket is closed."""

    account: str
    ticket: str
    grant: int


@dataclass(frozen=True)
class Shared:
    """What the processes tell each other."""

    revealing: Any  # a semaphore: one more session has revealed under this ticket
    closed_at: Any  # seconds of the monotonic clock, 0 while the ticket is open
    results: Any  # of each session: its reveals, and those that began after the closing and showed a value


def closing_row(world: World, boss: Person, *, closings: int) -> Row:
    """Row 9: p95 of closing, as the webhook does it. A late reveal is an error."""
    person = world.member("consultant", manager=boss)
    signature = world.signature(person)
    cases = [
        Case(
            f"MOC-{number}",
            f"ZD-{number}",
            desk_grant(world, person, boss, number=number, signature=signature),
        )
        for number in range(FIRST, FIRST + closings)
    ]
    fork = multiprocessing.get_context("fork")
    shared = Shared(fork.Semaphore(0), fork.Array("d", closings), fork.SimpleQueue())
    connections.close_all()  # a child must not speak on its parent's
    children = [
        fork.Process(target=_reveal_all, args=(world.session(person), cases, shared), daemon=True)
        for _ in range(SESSIONS)
    ]
    for child in children:
        child.start()
    took = [_close(case, person, shared, place) for place, case in enumerate(cases)]
    for child in children:
        child.join(PATIENCE)
    if any(child.exitcode != 0 for child in children):
        raise RuntimeError("a session failed")
    counts = [shared.results.get() for _ in children]
    reveals, late = (sum(column) for column in zip(*counts, strict=True))
    if late:
        raise RuntimeError(f"{late} reveals were late")
    p95 = quantiles(took, n=20)[-1]
    return Row(
        f"closing a ticket while {SESSIONS} sessions reveal under it, p95",
        "under 50 ms",
        f"{p95:.1f} ms",
        p95,
        most=50,
        note=f"p50 {median(took):.1f} ms of {closings}; {late} of {reveals} reveals late",
    )


def _close(case: Case, person: Person, shared: Shared, place: int) -> float:
    """Close the ticket once every session has revealed under it; in milliseconds."""
    for _ in range(SESSIONS):
        if not shared.revealing.acquire(timeout=PATIENCE):
            raise RuntimeError("a session does not reveal")
    message = TicketLine.model_validate(
        {
            "number": case.ticket,
            "kind": "support",
            "state": "solved",
            "accounts": [case.account],
            "assignee": person.number,
            "opened_by": "customer",
            "updated_at": datetime.now(UTC).isoformat(),
        }
    )
    began = time.monotonic()
    tickets.apply([message], "helpdesk")
    shared.closed_at[place] = ended = time.monotonic()
    return (ended - began) * 1000


def _reveal_all(caller: Caller, cases: Sequence[Case], shared: Shared) -> None:
    reveals = late = 0
    for place, case in enumerate(cases):
        shown = 0
        while True:
            began = time.monotonic()
            answer = decision.reveal(caller, account=case.account, grant=case.grant, fields=FIELDS)
            if isinstance(answer, answers.Refusal):
                break
            shown += 1
            late += 0 < shared.closed_at[place] < began
            if shown == 1:
                shared.revealing.release()
        if not shown:
            raise RuntimeError(f"nothing was revealed: {answer.reason}")
        reveals += shown
    shared.results.put((reveals, late))
