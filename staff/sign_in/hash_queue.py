"""Bounds on password hashing, so that nobody's page waits because strangers try passwords.

A hash takes a fifth of a second of all cores, and 100 MB. Each process hashes one password at a time, in
the order of requests, on a thread that gives way to all others. A few requests wait for their turn;
whoever comes when the places are taken is refused at once, before the database is asked, with 429 and
Retry-After. Nothing is counted or recorded then, because nothing was looked at.

Strangers have places of their own, of which one address does not get all. Members, known by their session
or their link, have others, so that nobody unknown keeps them waiting for long. All places together are fewer
than a process has threads.
"""

from __future__ import annotations

import os
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from django.http import HttpResponse

P = ParamSpec("P")
T = TypeVar("T")

#: Seconds that a request waits for its turn at most.
PATIENCE: Final = 10
#: Seconds after which whoever was refused may try again.
RETRY_AFTER: Final = 5
#: How far hashing gives way to pages: as far as `nice` goes. Its own threads take what pages leave.
NICE: Final = 19


class BusyError(Exception):
    """All places are taken, or the turn did not come in time: nothing was hashed."""


class Places:
    """So many requests at once, and no more than `each` of one origin."""

    def __init__(self, most: int, *, each: int) -> None:
        self.most, self._each = most, each
        self._taken: Counter[Hashable] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def take(self, origin: Hashable) -> Iterator[None]:
        """Hold a place meanwhile. An origin of None is not known, and shares no limit. Raises BusyError."""
        with self._lock:
            is_full = self._taken.total() >= self.most
            if is_full or (origin is not None and self._taken[origin] >= self._each):
                raise BusyError
            self._taken[origin] += 1
        try:
            yield
        finally:
            with self._lock:
                self._taken.subtract([origin])
                self._taken = +self._taken  # without those that hold none


STRANGERS: Final = Places(3, each=2)
MEMBERS: Final = Places(3, each=2)


def _give_way() -> None:
    """On Linux each thread has its own priority, which the threads that it starts inherit."""
    if sys.platform == "linux":
        with suppress(OSError):  # not allowed here: then as all others
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)


_worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="hash", initializer=_give_way)


def run(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do the work when its turn comes. Raises BusyError when that takes too long."""
    future = _worker.submit(work, *args, **kwargs)
    wait([future], timeout=PATIENCE)
    if future.cancel():  # it has not begun
        raise BusyError
    return future.result()


def words() -> str:
    """What whoever was refused reads; the same for everybody."""
    return _("Too many people are signing in at this moment. Wait a few seconds and try again.")


def refuse(page: HttpResponse) -> HttpResponse:
    """Make the page the answer of a request that was refused."""
    page.status_code = 429
    page["Retry-After"] = str(RETRY_AFTER)
    return page
