"""A command line of `manage.py`: what ends a command from outside is said in a sentence, no traceback."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from typing import Final, NoReturn

import psycopg
from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import OperationalError, ProgrammingError

from audit.database import refusal
from gatekeeper.management import streams

TRACEBACK: Final = "--traceback"
AWAY: Final = "The database does not answer, or cannot do it now: "
REFUSED: Final = "The database refused it: "
STOPPED: Final = "Stopped before it was done."


class TerminatedError(KeyboardInterrupt):
    """SIGTERM; unwinds a command as Ctrl-C does: what it began is taken back, or recorded as unfinished."""


def carry_out(arguments: Sequence[str]) -> None:
    """Carry out a command. Where a setting is missing or wrong, the database is away or refuses it, its
    output cannot be written, or somebody stopped it, say so and exit; `--traceback` shows where."""
    signal.signal(signal.SIGTERM, _terminate)
    streams.prepare()
    try:
        _execute(arguments)
    except ImproperlyConfigured as error:
        _end(str(error), arguments)
    except (OperationalError, psycopg.OperationalError) as error:
        _end(AWAY + " ".join(str(error).split()), arguments)
    except (ProgrammingError, psycopg.ProgrammingError) as error:
        if not (words := refusal(error)):
            raise
        _end(REFUSED + words, arguments)
    except streams.OutputError as error:
        _end(streams.given_up(error), arguments)
    except KeyboardInterrupt as error:
        if TRACEBACK in arguments:
            raise
        _end_by(signal.SIGTERM if isinstance(error, TerminatedError) else signal.SIGINT)


def _execute(arguments: Sequence[str]) -> None:
    try:
        execute_from_command_line([*arguments])
    finally:
        sys.stdout.flush()  # `--help` is written by a library that says nothing of a failure


def _terminate(*_about: object) -> NoReturn:
    raise TerminatedError


def _end(sentence: str, arguments: Sequence[str]) -> NoReturn:
    if TRACEBACK in arguments:
        raise  # what is being dealt with
    sys.stderr.write(sentence + "\n")
    raise SystemExit(1)


def _end_by(number: signal.Signals) -> None:
    """As the signal ends a process that knows nothing of it: a shell and systemd see which it was."""
    sys.stderr.write(f"\n{STOPPED}\n")
    sys.stderr.flush()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
