"""What ends a command from outside: said in one sentence, and never a traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress

import pytest

from gatekeeper.management.line import AWAY, STOPPED
from tests.world.variables import GOOD, ROOT

#: How often a signal is sent, and the seconds that a busy machine may take to end.
TRIES, PATIENCE = 10, 5

#: A folder in which no server listens.
NOWHERE = "host=/nowhere/at/all"
AWAY_FROM_IT = {
    f"GATEKEEPER_DATABASE_URL_{link}": f"postgresql://gatekeeper_{link.lower()}:hidden@/gatekeeper?{NOWHERE}"
    for link in ("WEB", "SIGNIN", "FEED", "VAULT", "WATCH", "PEOPLE", "SEALER", "MIGRATOR")
}


def started(*arguments: str, **variables: str) -> subprocess.Popen[str]:
    """A command with these variables alone; Ctrl-C reaches it, whatever started the tests."""
    return subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **variables},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


@pytest.mark.parametrize("arguments", [("tidy",), ("erase_account", "--help"), ("help", "tidy")])
def test_a_missing_setting_is_one_line(arguments: tuple[str, ...]) -> None:
    command = started(*arguments)
    _out, said = command.communicate()
    assert command.returncode == 1
    assert said.startswith("GATEKEEPER_SECRET_KEY")
    assert said.count("\n") == 1


def test_where_it_was_is_shown_to_whoever_asks() -> None:
    _out, said = started("tidy", "--traceback").communicate()
    assert "Traceback" in said


@pytest.mark.parametrize(
    "arguments",
    [("erase_account", "MOC-40001"), ("detect",), ("verify_log",), ("migrate",), ("import_staff", "-")],
    ids=" ".join,
)
def test_a_database_that_is_away_is_one_line(arguments: tuple[str, ...]) -> None:
    command = started(*arguments, **GOOD | AWAY_FROM_IT)
    _out, said = command.communicate()
    assert command.returncode == 1
    assert said.splitlines()[-1].startswith(AWAY)
    assert "Traceback" not in said
    assert "hidden" not in said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_command_that_is_stopped_says_so_and_ends_by_the_signal(number: signal.Signals) -> None:
    command = started("accept_clock", **GOOD | AWAY_FROM_IT)
    assert command.stdout is not None
    assert command.stdout.read(1) == "I"  # 'Is the clock right now?'
    for _ in range(TRIES):  # one that comes just before it reads is heard with the next
        command.send_signal(number)
        with suppress(subprocess.TimeoutExpired):
            command.wait(PATIENCE)
            break
    assert command.returncode == -number  # its input has not ended
    _out, said = command.communicate()
    assert said.strip() == STOPPED
