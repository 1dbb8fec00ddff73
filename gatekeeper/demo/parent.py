"""Processes that do not outlive the one that started them."""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Callable


def die_with_parent(last: signal.Signals) -> Callable[[], None]:
    """Return a `preexec_fn`: the kernel sends the child `last` when this process dies, however.

    It must be asked for after a change of user, which clears it; that is when subprocess calls it.
    """
    parent = os.getpid()
    libc = ctypes.CDLL(None, use_errno=True)

    def before_exec() -> None:
        libc.prctl(1, int(last))  # PR_SET_PDEATHSIG
        if os.getppid() != parent:
            os._exit(1)

    return before_exec
