"""`python -m gatekeeper.demo`: the four commands of the demo."""

from __future__ import annotations

import sys

from gatekeeper.demo.binaries import PostgresUnavailableError
from gatekeeper.demo.run import fail, main, say

if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except PostgresUnavailableError as error:
        fail(str(error))
    except KeyboardInterrupt:
        say("\nStopped. The data are kept.")
