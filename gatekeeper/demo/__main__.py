"""`python -m gatekeeper.demo`: the four commands of the demo."""

from __future__ import annotations

import sys

from audit.arguments import text
from gatekeeper.demo.binaries import PostgresUnavailableError
from gatekeeper.demo.run import main
from gatekeeper.demo.saying import fail, say
from gatekeeper.management import streams

if __name__ == "__main__":
    streams.prepare()
    try:
        main([text(argument) for argument in sys.argv[1:]])
    except PostgresUnavailableError as error:
        fail(str(error))
    except streams.OutputError as error:
        fail(streams.given_up(error))
    except KeyboardInterrupt:
        say("\nStopped. The data are kept.")
