"""What ends a command from outside: said in one sentence, and never a traceback."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from django.core.management import BaseCommand, get_commands, load_command_class

from gatekeeper.management.line import AWAY, STOPPED
from gatekeeper.management.streams import UNWRITABLE
from tests.world.variables import GOOD, ROOT

if TYPE_CHECKING:
    from pathlib import Path

OURS = ("audit", "staff", "gatekeeper")
#: How often a signal is sent, and the seconds that a busy machine may take to end.
TRIES, PATIENCE = 10, 5

#: A folder in which no server listens.
NOWHERE = "host=/nowhere/at/all"
AWAY_FROM_IT = {
    f"GATEKEEPER_DATABASE_URL_{link}": f"postgresql://gatekeeper_{link.lower()}:hidden@/gatekeeper?{NOWHERE}"
    for link in ("WEB", "SIGNIN", "FEED", "VAULT", "WATCH", "PEOPLE", "SEALER", "MIGRATOR")
}


#: A standard output that takes nothing, as a shell makes it, and what the system says of it.
UNWRITABLES = {">/dev/full": "No space left on device", ">&-": "Bad file descriptor", "| true": "Broken pipe"}


def shell(line: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """A line of bash in the project's folder, in which $PYTHON is ours."""
    return subprocess.run(
        ["/bin/bash", "-o", "pipefail", "-c", line],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHON": sys.executable, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


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


@pytest.mark.parametrize("command", ["--version", "tidy --help", "check --list-tags"])
@pytest.mark.parametrize("where", UNWRITABLES)
def test_an_output_that_takes_nothing_is_one_line(command: str, where: str) -> None:
    done = shell(f"(sleep 0.1; exec $PYTHON manage.py {command}) {where}", **GOOD | AWAY_FROM_IT)
    assert (done.returncode, done.stderr) == (1, f"{UNWRITABLE}{UNWRITABLES[where]}.\n")


@pytest.mark.parametrize("where", UNWRITABLES)
def test_an_installer_whose_output_takes_nothing_is_told_in_one_line(where: str, tmp_path: Path) -> None:
    options = f"{tmp_path}/new --site https://gatekeeper.test --company Akovana"
    done = shell(f"(sleep 0.1; exec $PYTHON -m gatekeeper.installation {options}) {where}")
    assert (done.returncode, done.stderr) == (1, f"{UNWRITABLE}{UNWRITABLES[where]}.\n")


@pytest.mark.parametrize("option", ["--site 'https://[::1'", "--database postgresql://host/%ff"])
def test_an_installer_says_which_address_is_none(option: str, tmp_path: Path) -> None:
    options = f"{tmp_path}/new --site https://gatekeeper.test --company Akovana {option}"
    done = shell(f"exec $PYTHON -m gatekeeper.installation {options}")
    assert done.returncode == 1
    assert done.stderr.startswith(f"{option.partition(' ')[0]} is no ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [("SEAL", "\udcff"), ("LOG_ORIGIN", "\udcff"), ("DATABASE_URL_WEB", "postgresql://host/%ff")],
)
def test_a_setting_that_is_no_text_is_one_line(name: str, value: str) -> None:
    _out, said = started("tidy", **GOOD | {f"GATEKEEPER_{name}": value}).communicate()
    assert said.startswith(f"GATEKEEPER_{name}")
    assert said.count("\n") == 1


@pytest.mark.parametrize("where", UNWRITABLES)
def test_an_auditor_whose_output_takes_nothing_is_told_in_one_line(where: str) -> None:
    done = shell(f"(sleep 0.1; exec $PYTHON audit/verify_bundle.py /nowhere) {where}")
    assert done.returncode == 1
    assert done.stderr.startswith("The outcome cannot be written: ")
    assert done.stderr.count("\n") == 1


def test_a_closed_input_is_nobody_who_can_be_asked() -> None:
    done = shell("exec $PYTHON manage.py accept_clock <&-", **GOOD | AWAY_FROM_IT)
    assert done.returncode == 1
    assert done.stderr.endswith("nobody can be asked. Run it again with --yes.\n")


def test_an_answer_that_no_keyboard_types_is_none() -> None:
    done = shell(r"printf '\377\n' | $PYTHON manage.py accept_clock", LANG="C.UTF-8", **GOOD | AWAY_FROM_IT)
    assert (done.returncode, done.stderr) == (1, "CommandError: Nothing was changed.\n")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_the_number_of_a_closed_stream_is_given_to_no_file(closed: str, tmp_path: Path) -> None:
    program = (
        "from gatekeeper.management import streams; streams.prepare();"
        f"exit(open({str(tmp_path / 'file')!r}, 'w').fileno())"
    )
    assert shell(f'exec $PYTHON -c "{program}" {closed}').returncode > 2


def test_what_is_said_is_handed_over_with_the_line() -> None:
    """A journal has it then, and not when a few thousand more letters have come."""
    program = (
        "import os; from gatekeeper.management import streams; streams.prepare();"
        "print('Ž', 'said'); os._exit(0)"
    )
    assert shell(f'exec $PYTHON -c "{program}"', PYTHONIOENCODING="ascii").stdout == "\\u017d said\n"


def takes_text(action: argparse.Action) -> bool:
    """Whether it hands over what was typed, as it was typed."""
    return action.nargs != 0 and action.type is None and action.choices is None


def test_every_argument_can_be_stored_or_is_read_as_something_else() -> None:
    """Bytes that are no UTF-8 come as letters that no database takes."""
    usual = {action.dest for action in BaseCommand().create_parser("", "")._actions}
    raw = {
        action.dest
        for name, app in get_commands().items()
        if app in OURS and name != "migrate"
        for action in load_command_class(app, name).create_parser("", name)._actions
        if takes_text(action)
    }
    assert raw - usual == {"file", "began"}
