"""Killing the database: never a value without its entry, with synchronous_commit on and off.

On a durable server of its own. Entries are told apart by a mark of ours in `cid`: a number that was
lost with its entry would be given out again. KILLS raises the count.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, TypedDict

import psycopg
import pytest
from django.db import connections
from django.urls import reverse
from pytest_django import DjangoDbBlocker

from gatekeeper.gate import answers, decision
from gatekeeper.installation import roles
from tests.world import SOON, World, racing
from tests.world.cluster import Cluster
from tests.world.people import give_factors, sign_in
from tests.world.racing import Opened, Stage
from tests.world.twins import Twins

if TYPE_CHECKING:
    from tests.conftest import Connection

pytestmark = [pytest.mark.kill, pytest.mark.django_db(transaction=True, databases="__all__")]

KILLS = int(os.environ.get("KILLS", "50"))  # for each setting of synchronous_commit
TWIN_KILLS = 5


class Prepared(TypedDict):
    """What a reveal names."""

    account: str
    grant: int
    fields: list[str]


@pytest.fixture(scope="module")
def cluster(
    tmp_path_factory: pytest.TempPathFactory, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp("kill") / "postgres")
    try:
        with django_db_blocker.unblock():
            cluster.make()
        yield cluster
    finally:
        cluster.server.remove()


@pytest.fixture(scope="module")
def stage(cluster: Cluster) -> Stage:
    """The people of that server; the connections that made them are gone with the first kill."""
    with cluster.setup() as setup, cluster.as_role(roles.WEB) as web:
        return Stage(World(setup), web)


@pytest.fixture
def case(cluster: Cluster, stage: Stage) -> Opened:
    """An open gate on that server, with sessions enough."""
    cluster.server.start()  # where a test before has left it dead
    with cluster.setup() as stage.world.setup, cluster.as_role(roles.WEB) as stage.web:
        return stage.opened(sessions=4)


class Storm:
    """Sessions at work when the server is killed, and the values that they were given."""

    def __init__(self, cluster: Cluster, case: Opened, synchronous: str, mark: str) -> None:
        self.cluster = cluster
        self.case = case
        self.synchronous = synchronous
        self.mark = mark
        self.given: list[str] = []  # marks of entries whose values came out
        self.between = threading.Event()
        self.shown = threading.Event()
        self.killed = threading.Event()

    def run(self) -> bool:
        """Kill as soon as one session stands between record and release and another was given a
        value. Returns whether a record was under way at that moment."""
        # The same setting in the session that commits meanwhile: what it flushes helps nobody.
        vaults = [self.cluster.as_role(roles.VAULT, self.synchronous) for _ in range(3)]
        web = self.cluster.as_role(roles.WEB, self.synchronous)
        with ThreadPoolExecutor(4) as pool:
            waiting = pool.submit(self._stand_between, vaults[0])
            pool.submit(self._reveal, vaults[1])
            recording = pool.submit(self._record, vaults[2])
            pool.submit(self._commit, web)
            assert self.between.wait(SOON)
            assert self.shown.wait(SOON)
            self.cluster.server.kill()
            self.killed.set()
            assert waiting.result() is False
            interrupted = recording.result()
        for connection in (web, *vaults):
            connection.close()
        self.cluster.server.start()
        return interrupted

    def _stand_between(self, vault: Connection) -> bool:
        """Record, and ask for the release only when the server is dead: was anything given?"""
        entry, reason = racing.record(vault, self.case, self.case.callers[0])
        assert reason is None
        self.between.set()
        self.killed.wait()
        try:
            return racing.release(vault, self.case.callers[0], entry)[0]
        except psycopg.OperationalError:
            return False

    def _reveal(self, vault: Connection) -> None:
        """Record and release without a pause; keep the marks of what was given."""
        number = 0
        while not self.killed.is_set():
            number += 1
            cid = f"{self.mark}-{number}"
            try:
                entry, _ = racing.record(vault, self.case, self.case.callers[1], cid=cid)
                if racing.release(vault, self.case.callers[1], entry)[0]:
                    self.given.append(cid)
                    self.shown.set()
            except psycopg.OperationalError:
                return

    def _record(self, vault: Connection) -> bool:
        """Record without a pause, until one is cut short: that is a record during a kill."""
        while not self.killed.is_set():
            try:
                racing.record(vault, self.case, self.case.callers[2])
            except psycopg.OperationalError:
                return True
        return False

    def _commit(self, web: Connection) -> None:
        """Somebody else's commits."""
        sql = "UPDATE staff_session SET last_seen_at = clock_timestamp() WHERE digest = %s"
        while not self.killed.is_set():
            try:
                web.execute(sql, [self.case.callers[3].digest])
            except psycopg.OperationalError:
                return


def lost(cluster: Cluster, given: list[str]) -> set[str]:
    """The marks of values that were given out and whose entries are not in the log."""
    with cluster.setup() as setup:
        rows = setup.execute(
            "SELECT cid FROM audit_entry WHERE cid = ANY (%s) AND outcome = 'allowed'", [given]
        ).fetchall()
    return set(given) - {cid for (cid,) in rows}


@pytest.mark.parametrize("synchronous", ["on", "off"])
def test_never_a_value_without_its_entry(cluster: Cluster, case: Opened, synchronous: str) -> None:
    """Killed between record and release, right after a release, and during a record."""
    given: list[str] = []
    during = 0
    kills = 0
    while kills < KILLS or during < KILLS:
        kills += 1
        assert kills <= 2 * KILLS, f"only {during} kills hit a record"
        storm = Storm(cluster, case, synchronous, f"{synchronous}-{kills}")
        during += storm.run()
        given += storm.given
        assert lost(cluster, storm.given) == set()
    assert len(given) >= kills
    assert lost(cluster, given) == set()


def test_the_gate_and_the_page_fail_closed(cluster: Cluster, stage: Stage, case: Opened) -> None:
    """Without a database nothing is shown; with it again, all of it works as before."""
    shown = {"contact.name": case.accounts[0]}
    page = reverse("reveal", args=[case.accounts[0]])
    form = {"grant": case.grants[0], "fields": list(shown)}
    stage.world.setup = cluster.setup()
    with cluster.behind_django(), closing(stage.world.setup):
        give_factors(stage.world, case.consultant)
        # A new factor takes the proof from every session; the one at hand is proved again.
        stage.world.setup.execute(
            "UPDATE staff_session SET verified_at = now() WHERE member_id = %s", [case.consultant.id]
        )
        client = sign_in(stage.world, case.consultant, raise_request_exception=False)
        assert revealed(case).values == shown
        assert client.post(page, form).status_code == 200
        cluster.server.kill()
        assert decision.reveal(case.callers[0], **asked_for(case)) == answers.Refusal("record_failed")
        answer = client.post(page, form)
        assert answer.status_code >= 500
        assert f">{case.accounts[0]}<" not in answer.content.decode()
        cluster.server.start()
        connections["default"].close()  # what each request does with a connection that is broken
        assert revealed(case).values == shown
        assert client.post(page, form).status_code == 200


def test_a_full_disk_shows_nothing(cluster: Cluster, case: Opened) -> None:
    """No file of the server may grow beyond 16 MB, and the log is larger: no record, no data."""
    # Five fill a page: what they leave of it is too little for a view.
    filler = {"cid": "1", "member": "K-1", "member_name": "A", "object_repr": "x" * 1450}
    with cluster.setup() as setup:
        setup.execute(
            "SELECT audit.write_entry('change', 'allowed', %s::jsonb) FROM generate_series(1, 11000)",
            [json.dumps(filler)],
        )
    cluster.server.stop()
    with largest_file(16 << 20):
        cluster.server.start()
    with cluster.behind_django():
        given = [decision.reveal(case.callers[0], **asked_for(case))]
        while isinstance(given[-1], answers.Reveal):  # until the room that is left is used up
            assert len(given) < 500
            given.append(decision.reveal(case.callers[0], **asked_for(case)))
        assert given[-1] == answers.Refusal("record_failed")
        cluster.kill_and_restart()
        revealed(case)
    kept = {number for (number,) in query(cluster, "SELECT id FROM audit_entry WHERE event = 'view'")}
    assert kept >= {answer.entry for answer in given if isinstance(answer, answers.Reveal)}


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """What is started meanwhile can make no larger file."""
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, usual[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)


def asked_for(case: Opened) -> Prepared:
    return {"account": case.accounts[0], "grant": case.grants[0], "fields": racing.FIELDS}


def revealed(case: Opened) -> answers.Reveal:
    shown = decision.reveal(case.callers[0], **asked_for(case))
    assert isinstance(shown, answers.Reveal), shown
    return shown


def query(cluster: Cluster, sql: str) -> list[tuple[object, ...]]:
    with cluster.setup() as setup:
        return setup.execute(sql.encode()).fetchall()


def halt_wal_writer(cluster: Cluster) -> None:
    """Nothing that is not waited for gets to disk by itself: on a slow machine it would, before the kill."""
    for (number,) in query(cluster, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'"):
        os.kill(int(str(number)), signal.SIGSTOP)


def test_without_the_wait_an_entry_is_lost(cluster: Cluster, case: Opened) -> None:
    """The twin that does not wait for the flush gives a value, and after the kill no entry says so."""
    with cluster.setup() as setup:
        for guard in racing.WITHOUT_FLUSH:
            Twins(setup).without(*guard)
    for number in range(TWIN_KILLS):
        cid = f"twin-{number}"
        halt_wal_writer(cluster)
        with closing(cluster.as_role(roles.VAULT, "off")) as vault:
            entry, _ = racing.record(vault, case, case.callers[0], cid=cid)
            assert racing.release(vault, case.callers[0], entry)[0]
            cluster.kill_and_restart()
        if lost(cluster, [cid]):
            return
    pytest.fail("the twin lost nothing: the kills prove nothing")
