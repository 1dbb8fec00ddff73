"""`python -m gatekeeper.installation`: writes a new installation's environment files."""

from __future__ import annotations

import sys

from gatekeeper.installation.configure import main
from gatekeeper.management import streams

if __name__ == "__main__":
    streams.prepare()
    try:
        sys.exit(main(sys.argv[1:]))
    except streams.OutputError as error:
        sys.exit(streams.given_up(error))
