"""`python -m gatekeeper.installation`: writes a new installation's environment files."""

from __future__ import annotations

import sys

from gatekeeper.installation.configure import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
