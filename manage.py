#!/usr/bin/env python3
"""Gatekeeper's commands; `manage.py help` lists them."""

from __future__ import annotations

import os
import sys

from gatekeeper.installation import secrets
from gatekeeper.management import line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gatekeeper.settings")
    if sys.argv[1:2] == ["bootstrap"]:
        # The settings refuse to load without secrets: those that have a file to lie in are made.
        for path in secrets.missing_files(os.environ):
            sys.stderr.write(f"Made {path}\n")
    line.carry_out(sys.argv)
