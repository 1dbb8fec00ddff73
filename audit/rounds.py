"""Commands that repeat: one round after another, until SIGTERM; a database that is away is waited for."""

from __future__ import annotations

import os
import select
import signal
from argparse import ArgumentTypeError
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.core.management.base import OutputWrapper
from django.db import Error as DatabaseError
from django.db import connections

from audit.database import refusal

SIGNALS = (signal.SIGTERM, signal.SIGINT)


def add_argument(parser: Any) -> None:
    """`--every SECONDS`: go on until stopped."""
    parser.add_argument("--every", type=seconds, metavar="SECONDS", help="run again and again, until SIGTERM")


def seconds(text: str) -> float:
    """The seconds between two runs of a command, up to a day. Raises ArgumentTypeError."""
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0.1 <= found <= 86_400:  # nor is NaN
        raise ArgumentTypeError("from 0.1 to 86400 seconds")
    return found


def repeat(one: Callable[[], str], *, every: float, alias: str, out: OutputWrapper, well: str) -> None:
    """Do one round after another, `every` so many seconds, until this process is told to stop.

    one: a round by this alias; returns in words what is wrong, '' where nothing is. Each change of that is
    written to `out`: `well` where nothing is wrong any more. After a lost connection the next round comes
    sooner: after 1 second, then 2, 4 and so on, up to `every`. A round that has begun is finished; told
    once more, the process ends at once.
    """
    reported, lost = "", 0
    with _stop_signal() as is_stopped_within:
        out.write(f"A round every {every:g} seconds, until SIGTERM.")
        while True:
            try:
                wrong, lost = one(), 0
            except (psycopg.Error, DatabaseError) as error:
                wrong, lost = f"The database: {refusal(error) or type(error).__name__}", lost + 1
                connections[alias].close()
            if wrong != reported:
                out.write(wrong or well)
                reported = wrong
            if is_stopped_within(pause(every, lost)):
                break
    out.write("Stopped.")


def pause(every: float, lost: int) -> float:
    """The seconds until the next round, after so many rounds that lost the database."""
    return min(every, 2.0 ** min(lost - 1, 20)) if lost else every


@contextmanager
def _stop_signal() -> Iterator[Callable[[float], bool]]:
    """Waits so many seconds, or less: whether the process was told to stop, then or before.

    A pipe remembers it, because a signal may come at any moment: between a look and the wait, too.
    """
    reading, writing = os.pipe()

    def stop(*_about: Any) -> None:
        for number, handler in usual.items():
            signal.signal(number, handler)
        os.write(writing, b".")

    usual = {number: signal.signal(number, stop) for number in SIGNALS}
    try:
        yield lambda most: bool(select.select([reading], [], [], most)[0])
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)
        os.close(reading)
        os.close(writing)
