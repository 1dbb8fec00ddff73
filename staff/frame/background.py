"""Work after the answer, on a thread of its own: what must not show in the time of an answer.

Nothing waits for it and nothing rests on it: what a process has not done when it stops is asked for
again. A fault is a line of the process' log, without a value.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from django.db import connections

logger = logging.getLogger(__name__)

#: What may wait; more would be somebody's doing.
MOST = 100

_worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="background")
_places = threading.BoundedSemaphore(MOST)


def run(task: Callable[[], None]) -> bool:
    """Do the task soon, in order; False where too many wait, and it is dropped."""
    if not _places.acquire(blocking=False):
        logger.warning("too much waits to be done later")
        return False
    _worker.submit(_do, task)
    return True


def finish() -> None:
    """Wait until all that was asked for is done."""
    _worker.submit(lambda: None).result()


def _do(task: Callable[[], None]) -> None:
    try:
        task()
    except Exception as error:  # noqa: BLE001 - the thread goes on, whatever it was
        logger.error("work for later failed: %s", type(error).__name__)  # noqa: TRY400 - no value
    finally:
        connections.close_all()
        _places.release()
