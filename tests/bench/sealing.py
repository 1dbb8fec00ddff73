"""The seal's rows: entries sealed and verified a second, bytes an entry, and what the sealer costs those
who write. In: how many. Out: rows.

Entries as a view by a usual browser has them, of a few thousand accounts. Rates are medians of three
rounds.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db import connections

from audit.seal import judging, stored
from audit.seal.checkpoints import Keys, Signer
from audit.seal.sealing import Sealer
from audit.seal.verification import Verification
from tests.bench.ground import connect
from tests.bench.measuring import Row, at_once

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Connection

ROUNDS: Final = 3
TABLES: Final = "'audit_entry', 'audit_leaf', 'audit_node', 'audit_tag'"
#: The triggers would draw a transaction for each row; here they spread over those that there were.
FILL: Final = """
    INSERT INTO audit_entry (xid, event, outcome, action, object_pk, object_repr, changes_text, actor_id,
        remote_addr, cid, timestamp, schema_version, failed, member, member_name, role, session, factor,
        user_agent, account, ticket, ticket_kind, ticket_state, purpose, categories, fields, request_id,
        grant_id, approver, signature, nda_version, nda_ends, consent, salts)
    SELECT pg_current_xact_id(), 'view', 'allowed', 3, '', '', '', 17, '192.0.2.1', md5(g::text),
        clock_timestamp(), 1, '{}', 'K-' || 1000 + g %% 40, 'Katarzyna Przykładowa', 'consultant',
        1000 + g %% 50, 'totp', 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)'
        ' Chrome/131.0.0.0 Safari/537.36', 'MOC-' || 40000 + g * 7919 %% 5000,
        'ZD-' || 10000 + g * 104729 %% 3000, 'support', 'open', 'support_request', '{contact}',
        '{contact.name,contact.email}', g / 3, g / 3,
        'K-0020', 12, 1, clock_timestamp() + interval '200 days', 'not_required',
        uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())
    FROM generate_series(1::bigint, %s) g
"""


PROJECT: Final = Path(__file__).resolve().parents[2]
CLIENTS: Final = 8
#: One entry and its commit, as a page of ours writes it.
WRITE: Final = """
    INSERT INTO audit_entry (object_pk, object_repr, action, changes_text, event, outcome, actor_id, member,
        member_name, role, session, factor, cid, remote_addr, user_agent)
    VALUES ('', 'code', 3, '', 'sign_in', 'allowed', 17, 'K-1000', 'Katarzyna Przykładowa', 'consultant',
        1000, 'totp', md5(random()::text), '192.0.2.1', 'Mozilla/5.0 (X11; Linux x86_64) Firefox/131.0')
"""


def writing_row(*, rounds: int, seconds: float) -> Row:
    """Entries a second that eight clients commit, with the sealer at work each second and without, in
    turns."""
    alone, beside = [], []
    for _ in range(rounds):
        alone.append(at_once([write] * CLIENTS, seconds))
        with _sealer():
            beside.append(at_once([write] * CLIENTS, seconds))
    figure = median(a / b for a, b in zip(beside, alone, strict=True))
    return Row(
        f"entries committed a second with the sealer running, {CLIENTS} clients",
        "at least 0.7 times those without",
        f"{median(beside):.0f}/s ({figure:.2f})",
        figure,
        least=0.7,
        note=f"without it {median(alone):.0f}/s; sealed every second",
    )


def write() -> None:
    """One entry, committed, on the connection of the pages."""
    with connections["default"].cursor() as cursor:
        cursor.execute(WRITE)


@contextmanager
def _sealer() -> Iterator[None]:
    """The sealer as a job runs it, in a process of its own, once it has sealed what there was."""
    sealer = Sealer(partial(stored.raw, "sealer"), Signer(settings.LOG_ORIGIN, settings.LOG_KEY), "bench")
    sealer.seal()
    connections["sealer"].close()
    job = subprocess.Popen(
        [sys.executable, "manage.py", "seal_log", "--every", "1"],
        cwd=PROJECT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        assert job.stderr is not None
        job.stderr.readline()  # the public key: it has begun
        yield
        if job.poll() is not None:
            raise RuntimeError("the sealer ended")
    finally:
        job.terminate()
        job.wait()


def sealing_rows(*, entries: int) -> list[Row]:
    """Fill, seal and verify, three times over."""
    sealer = Sealer(partial(stored.raw, "sealer"), Signer(settings.LOG_ORIGIN, settings.LOG_KEY), "bench")
    sealer.seal()
    sealed, verified = [], []
    with connect() as setup:
        before, leaves_before = _bytes(setup), _leaves(setup)
        for _ in range(ROUNDS):
            _fill(setup, entries // ROUNDS)
            began = time.perf_counter()
            count = sealer.seal()
            sealed.append(count / (time.perf_counter() - began))
        for _ in range(ROUNDS):
            began = time.perf_counter()
            verified.append(_verify() / (time.perf_counter() - began))
        size = (_bytes(setup) - before) / (_leaves(setup) - leaves_before)
    return [
        _rate("entries sealed a second", 30_000, median(sealed)),
        _rate("entries verified a second", 50_000, median(verified)),
        Row(
            "an entry with its leaf and all indexes",
            "at most 1 000 bytes",
            f"{size:.0f} bytes",
            size,
            most=1000,
        ),
    ]


def _rate(what: str, least: int, found: float) -> Row:
    target = f"at least {least:,}".replace(",", " ")
    return Row(what, target, f"{found:.0f}/s", found, least=least, note=f"median of {ROUNDS} rounds")


def _fill(setup: Connection, count: int) -> None:
    """A tenth in each transaction, and the owner of none."""
    setup.execute("ALTER TABLE audit_entry DISABLE TRIGGER ALL")
    for _ in range(10):
        setup.execute(FILL, [count // 10])
    setup.execute("ALTER TABLE audit_entry ENABLE TRIGGER ALL")
    for trigger in ("entry_1_admit", "entry_2_stamp", "entry_3_answer"):
        setup.execute(f"ALTER TABLE audit_entry ENABLE ALWAYS TRIGGER {trigger}".encode())
    setup.execute("VACUUM ANALYZE audit_entry")


def _verify() -> int:
    beside = stored.another("default")
    others = judging.Others(partial(stored.another, "default"), os.cpu_count() or 1)
    try:
        keys = Keys.read(settings.LOG_VERIFIER)
        report = Verification(stored.raw("default"), beside, keys, others=others).run()
    finally:
        beside.close()
    if report.found:
        raise RuntimeError(f"the log is not what was sealed: {report.findings[0]}")
    return report.size


def _bytes(setup: Connection) -> int:
    rows = setup.execute(
        f"SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c WHERE c.relname IN ({TABLES})".encode()
    )
    return int(rows.fetchall()[0][0])


def _leaves(setup: Connection) -> int:
    return int(setup.execute("SELECT count(*) FROM audit_leaf").fetchall()[0][0])
