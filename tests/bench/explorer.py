"""The explorer's rows: the page that a reviewer's question is answered with, in a log of two sizes.

In: a reviewer. Out: rows of the table. Measured are the rows with what was flagged about them, and the whole
answer: session, the entry that records the question, the rows, and the page. Each question is asked over and
over for another account, member, day: nothing is asked twice. The log is a year's, with busy and quiet
members and accounts; a smaller log has fewer accounts, so that a page holds as many rows in both.
"""

from __future__ import annotations

import random
import sys
import time
from dataclasses import dataclass
from datetime import timedelta
from statistics import median, quantiles
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from django.utils import timezone

from audit import detections
from audit.explorer import finding, search
from gatekeeper.log import words
from tests.bench.ground import connect
from tests.bench.measuring import Row, p50s
from tests.bench.sealing import write
from tests.world.scene import enter

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

    from tests.conftest import Connection
    from tests.world import World

SMALL: Final = 100_000
LARGE: Final = 10_000_000
MEMBERS: Final = 400
PER_ACCOUNT: Final = 50  # entries
PER_TICKET: Final = 12
#: Without the triggers, which would draw a transaction for each row. A year, in the order of its numbers.
#: The square of a random number makes some busy and many quiet.
FILL: Final = """
    INSERT INTO audit_entry (xid, event, outcome, reason, action, object_pk, object_repr, changes_text,
        actor_id, remote_addr, cid, timestamp, schema_version, failed, member, member_name, role, session,
        factor, user_agent, account, ticket, ticket_kind, ticket_state, purpose, categories, fields,
        request_id, grant_id, approver, signature, nda_version, nda_ends, consent, salts)
    SELECT pg_current_xact_id(), x.event, x.outcome, CASE x.outcome WHEN 'refused' THEN (ARRAY[
            'ticket_closed', 'approval_missing', 'mfa_stale', 'grant_expired'])[1 + x.n %% 4] ELSE '' END,
        3, '', '', '', 17, '192.0.2.1', md5(x.n::text),
        now() - interval '365 days' * (1 - x.n::float / %(count)s), 1, '{}',
        'K-' || 1000 + (x.a ^ 2 * %(members)s)::int, 'Katarzyna Przykładowa', 'consultant', x.n / 40,
        'totp', 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0',
        'MOC-' || 40000 + (x.b ^ 2 * %(accounts)s)::int, 'ZD-' || 10000 + x.n / %(per_ticket)s, 'support',
        'open', 'support_request', '{contact}', '{contact.name,contact.email}', x.n / 3, x.n / 3, 'K-0020',
        12, 1, now() + interval '200 days', 'not_required', decode(md5(x.n::text) || md5(x.n::text), 'hex')
    FROM (SELECT n, random() AS a, random() AS b,
            (ARRAY['view', 'view', 'view', 'view', 'view', 'view', 'start', 'request', 'approve', 'end',
                   'sign_in', 'search'])[1 + (random() * 11)::int] AS event,
            CASE WHEN random() < 0.04 THEN 'refused' ELSE 'allowed' END AS outcome
          FROM generate_series(%(first)s::bigint, %(last)s::bigint) n) x
"""
#: About one entry in two hundred is flagged.
FLAGS: Final = """
    INSERT INTO audit_flag (entry, rule, found_at)
    SELECT e.id, (ARRAY['volume', 'hours', 'export'])[1 + (random() * 2)::int], now()
    FROM audit_entry e WHERE e.id % 200 = 0
"""


@dataclass(frozen=True)
class Found:
    """What one size gave, in milliseconds: p50 and p95 of all questions, p95 of the rows alone, p50 of the
    counts and of writing an entry.
    """

    p50: float
    p95: float
    rows: float
    counts: float
    written: float
    slowest: str


def explorer_rows(world: World, *, quick: bool) -> list[Row]:
    """Ask a log of a hundred thousand entries, then one of ten million."""
    reviewer = world.member("reviewer")
    world.signature(reviewer)
    large, questions = (LARGE // 10, 60) if quick else (LARGE, 300)
    with connect() as setup:
        _fill(setup, SMALL)
        small = _measured(enter(world, reviewer), questions, entries=SMALL)
        _fill(setup, large)
        big = _measured(enter(world, reviewer), questions, entries=large)
    named = f"{large // 1_000_000} million"
    return [
        Row(
            f"rows of the log's search at {named} entries, p95",
            "at most 50 ms",
            f"{big.rows:.1f} ms",
            big.rows,
            most=50,
            note=f"the whole page p50 {big.p50:.0f} ms, p95 {big.p95:.0f} ms; slowest for {big.slowest}",
        ),
        Row(
            f"the page of rows at {named} entries against 100 thousand, p50",
            "at most 1.5 times",
            f"{big.p50 / small.p50:.2f}",
            big.p50 / small.p50,
            most=1.5,
            note=f"{small.p50:.1f} ms at 100 thousand, p95 {small.p95:.1f} ms",
        ),
        Row(
            f"an entry committed at {named} entries against 100 thousand, p50",
            "at most 1.5 times",
            f"{big.written / small.written:.2f}",
            big.written / small.written,
            most=1.5,
            note=f"{big.written:.2f} ms against {small.written:.2f} ms",
        ),
        Row(
            f"histogram, facets and count over the newest 10 000 at {named} entries, p50",
            "told",
            f"{big.counts:.0f} ms",
            big.counts,
        ),
    ]


def _fill(setup: Connection, count: int) -> None:
    """A year of so many entries in place of what there was; the indexes are made again behind them."""
    began = time.perf_counter()
    setup.execute("ALTER TABLE audit_entry DISABLE TRIGGER ALL")
    setup.execute("TRUNCATE audit_entry, audit_flag")
    made = setup.execute(
        "SELECT indexname, indexdef FROM pg_indexes"
        " WHERE tablename = 'audit_entry' AND indexdef NOT LIKE '%UNIQUE%'"
    ).fetchall()
    for name, _definition in made:
        setup.execute(f"DROP INDEX {name}".encode())
    given = {
        "count": count,
        "members": MEMBERS - 1,
        "accounts": count // PER_ACCOUNT - 1,
        "per_ticket": PER_TICKET,
    }
    step = 500_000
    for first in range(1, count + 1, step):
        setup.execute(FILL.encode(), given | {"first": first, "last": min(first + step - 1, count)})
    setup.execute("SET maintenance_work_mem = '1GB'")
    for _name, definition in made:
        setup.execute(definition.encode())
    setup.execute(FLAGS.encode())
    setup.execute("ALTER TABLE audit_entry ENABLE TRIGGER ALL")
    for trigger in ("entry_1_admit", "entry_2_stamp", "entry_3_answer"):
        setup.execute(f"ALTER TABLE audit_entry ENABLE ALWAYS TRIGGER {trigger}".encode())
    setup.execute("VACUUM ANALYZE audit_entry")
    setup.execute("VACUUM ANALYZE audit_flag")
    setup.execute("CHECKPOINT")  # what was filled is on disk, and no more on its way there
    sys.stderr.write(f"{count} entries in {time.perf_counter() - began:.0f} s\n")


def _questions(dice: random.Random, entries: int) -> dict[str, Callable[[], str]]:
    """Kinds of questions to a log of so many entries, each with other values every time."""

    def account() -> str:
        return f"MOC-{40_000 + int(dice.random() ** 2 * (entries // PER_ACCOUNT))}"

    def member() -> str:
        return f"K-{1000 + int(dice.random() ** 2 * MEMBERS)}"

    def day(least: int = 0) -> str:
        return (timezone.localdate() - timedelta(days=dice.randrange(least, 364))).isoformat()

    return {
        "everything": lambda: f"until:{day()}",
        "an account": lambda: f"account:{account()}",
        "an account's views without a reason": lambda: (
            f"account:{account()} event:view -reason:ticket_closed"
        ),
        "a member": lambda: f"member:{member()}",
        "a member's refusals": lambda: f"member:{member()} outcome:refused",
        "a member's week": lambda: f"member:{member()} since:{(d := day(8))} until:{d}",
        "a member at an account": lambda: f"member:{member()} account:{account()}",
        "a ticket": lambda: f"ticket:ZD-{10_000 + dice.randrange(entries // PER_TICKET)}",
        "a reason's refusals since a day": lambda: f"reason:ticket_closed since:{day()}",
        "what is flagged": lambda: f"odd:any until:{day()}",
        "what is flagged of an account": lambda: f"odd:any account:{account()}",
        "approvals until a day": lambda: f"event:approve until:{day()}",
    }


def _measured(client: Client, questions: int, *, entries: int) -> Found:
    dice = random.Random(4)  # noqa: S311  # questions, not keys
    kinds = _questions(dice, entries)
    for ask in kinds.values():
        _asked(client, ask())  # warm
    times: dict[str, list[float]] = {name: [] for name in kinds}
    alone: list[float] = []
    for number in range(questions):
        name = list(kinds)[number % len(kinds)]
        times[name].append(_asked(client, kinds[name]()))
        query = search.parse(kinds[name](), words.words())
        began = time.perf_counter()
        detections.words(one.pk for one in finding.page(query, reader="K-0001").entries)
        alone.append((time.perf_counter() - began) * 1000)
    counts = []
    for _ in range(9):
        began = time.perf_counter()
        finding.figures(search.parse(kinds["everything"](), words.words()), reader="K-0001")
        counts.append((time.perf_counter() - began) * 1000)
    whole = [one for several in times.values() for one in several]
    slowest = max(times, key=lambda name: _p95(times[name]))
    told = f"{slowest} ({_p95(times[slowest]):.0f} ms)"
    for name, several in times.items():
        sys.stderr.write(f"  {name}: p50 {median(several):.1f}, p95 {_p95(several):.1f} ms\n")
    written = p50s({"entry": write}, rounds=3, calls=100)["entry"]
    return Found(median(whole), _p95(whole), _p95(alone), median(counts), median(written), told)


def _p95(times: list[float]) -> float:
    return quantiles(times, n=20, method="inclusive")[-1]


def _asked(client: Client, line: str) -> float:
    address = f"/log/?{urlencode({'q': line})}"
    began = time.perf_counter()
    status = client.get(address).status_code
    took = (time.perf_counter() - began) * 1000
    if status != 200:
        raise RuntimeError(f"{line} was not answered: {status}")
    return took
