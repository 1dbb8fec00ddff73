"""`python -m gatekeeper.demo`: the four commands of the demo."""

from __future__ import annotations

import sys

from gatekeeper.demo.binaries import PostgresUnavailableError
from gatekeeper.demo.run import main
from gatekeeper.demo.saying import fail, say

if __name__ == "__main__":
    # A terminal that lacks a letter shows its number; the demo starts all the same.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a terminal, a pipe or a file
    try:
        main(sys.argv[1:])
    except PostgresUnavailableError as error:
        fail(str(error))
    except KeyboardInterrupt:
        say("\nStopped. The data are kept.")
