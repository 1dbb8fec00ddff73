"""Commands that repeat: a lost connection is outlived, and SIGTERM ends them between two rounds."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

import psycopg
import pytest

from audit import rounds
from tests import environment
from tests.world import SOON, racing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Connection

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
ROOT = Path(__file__).resolve().parents[2]
#: What each command says when the database is there again, and a table that each of its rounds asks.
AGAIN = {
    "tidy": ("Tidying again.", "gatekeeper_delivery"),
    "send_mail": ("Sending again.", "staff_mail"),
    "detect": ("Rules are run again.", "audit_round"),
    "stream_log": ("The receiver takes entries again.", "audit_stream"),
    "seal_log": ("All is sealed and copied again.", "audit_checkpoint"),
}
#: Where the log would go; nothing is sealed, so nothing is sent.
TARGET = "https://siem.example/in"


@pytest.fixture
def _streaming(setup_connection: Connection) -> Iterator[None]:
    """The database knows the target, as after `apply_settings`, but without its entry."""
    for target in (TARGET, ""):
        with setup_connection.transaction():
            setup_connection.execute("SET LOCAL session_replication_role = replica")
            setup_connection.execute("UPDATE audit_limit SET value = %s WHERE name = 'siem_target'", [target])
        if target:
            yield


@contextmanager
def running(command: str, *options: str) -> Iterator[subprocess.Popen[str]]:
    """A process that repeats the command without a pause to speak of, or has these options.

    Whatever an earlier test left is sealed and copied, so that nothing stays wrong; and it ends by itself
    where a test waits in vain.
    """
    target = {
        "GATEKEEPER_SIEM_TARGET": TARGET,
        "GATEKEEPER_SIEM_IN_EU": "yes",
        "GATEKEEPER_LOG_ANCHORS": "stdout",
    }
    mail = {"GATEKEEPER_MAIL_URL": "smtp://127.0.0.1:1"}
    job = subprocess.Popen(
        [sys.executable, "manage.py", command, *(options or ("--every", "0.1"))],
        cwd=ROOT,
        env=os.environ | target | mail,
        stdout=subprocess.PIPE if command == "tidy" else subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    too_late = threading.Timer(2 * SOON, job.kill)
    too_late.start()
    try:
        yield job
    finally:
        too_late.cancel()
        job.kill()
        job.communicate()


@contextmanager
def held(command: str) -> Iterator[None]:
    """No round of the command gets anywhere meanwhile."""
    with psycopg.connect(environment.setup_url(environment.database_name())) as holder:
        holder.execute(f"LOCK TABLE {AGAIN[command][1]} IN ACCESS EXCLUSIVE MODE".encode())
        yield


def read_until(lines: IO[str] | None, words: str) -> list[str]:
    """What is said up to a line that begins with these words, without it."""
    assert lines is not None
    said: list[str] = []
    for line in lines:
        if line.startswith(words):
            return said
        said.append(line)
    raise AssertionError(f"{words!r} was not said: {said}")


@pytest.mark.usefixtures("_streaming")
@pytest.mark.parametrize("command", AGAIN)
def test_a_lost_connection_is_outlived(setup_connection: Connection, command: str) -> None:
    with running(command) as job:
        read_until(job.stderr, "A round every 0.1 seconds, until SIGTERM.")
        with held(command):
            racing.until_waiting(setup_connection, 1)
            setup_connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            read_until(job.stderr, "The database: ")
        read_until(job.stderr, AGAIN[command][0])
        job.terminate()
        read_until(job.stderr, "Stopped.")
        assert job.wait(SOON) == 0


def test_a_round_that_has_begun_is_finished(setup_connection: Connection) -> None:
    with running("tidy") as job:
        with held("tidy"):
            read_until(job.stderr, "A round every")
            racing.until_waiting(setup_connection, 1)
            job.terminate()
        said, _ = job.communicate(timeout=SOON)
    assert job.returncode == 0
    assert said.splitlines()[-1] == "grants ended: 0, requests expired: 0"


def test_told_again_it_ends_at_once(setup_connection: Connection) -> None:
    with running("tidy") as job, held("tidy"):
        read_until(job.stderr, "A round every")
        racing.until_waiting(setup_connection, 1)
        for _ in range(SOON):
            job.terminate()
            with suppress(subprocess.TimeoutExpired):
                job.wait(1)
                break
        assert job.returncode == -signal.SIGTERM


@pytest.mark.parametrize(
    ("options", "begins"), [((), "The database: "), (("--no-color",), "The database refused it: ")]
)
def test_what_the_database_refuses_is_said_in_its_words(options: tuple[str, ...], begins: str) -> None:
    """The target is set, and was not applied."""
    with running("stream_log", *options) as job:
        read_until(job.stderr, f"{begins}the log goes where the settings say: apply_settings")


def test_after_a_loss_the_next_round_comes_soon_and_then_later_and_later() -> None:
    assert [rounds.pause(60, lost) for lost in range(9)] == [60, 1, 2, 4, 8, 16, 32, 60, 60]
    assert [rounds.pause(0.5, lost) for lost in (0, 1, 5_000)] == [0.5, 0.5, 0.5]


def test_no_command_repeats_in_another_way() -> None:
    """A second runner would be another rule: `--every` stands in one module."""
    files = [file for room in ("gatekeeper", "staff", "audit") for file in (ROOT / room).rglob("*.py")]
    found = [file.relative_to(ROOT).as_posix() for file in files if '"--every"' in file.read_text()]
    assert found == ["gatekeeper/demo/run.py", "audit/rounds.py"]
