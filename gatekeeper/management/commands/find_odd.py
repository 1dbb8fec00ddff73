"""`manage.py find_odd`: what `detect` was called; it goes with the release after 0.2."""

from __future__ import annotations

from typing import Any

from gatekeeper.management.commands import detect


class Command(detect.Command):
    """The same command, which says its name of now."""

    help = "The former name of detect, which answers for one more release."

    def handle(self, *args: Any, **options: Any) -> None:
        """Say so, and run."""
        self.stderr.write("find_odd is called detect now: python manage.py detect")
        super().handle(*args, **options)
