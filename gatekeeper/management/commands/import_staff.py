"""Takes members from the personnel system."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from django.conf import settings
from django.core.management.base import CommandError

from gatekeeper.feeds.importing import Import, ImportCommand
from gatekeeper.feeds.staff_lines import StaffLine
from staff.directory import people

# All in one call: a manager may stand further down than who reports to them.
BATCH = 20_000


class Command(ImportCommand):
    help = (
        "Takes members, one JSON object a line. Managers may stand further down."
        " Suspending, leaving and coming back are not the import's, and an imported member opens nothing"
        " before their NDA is signed. Once anybody has signed in, any role but consultant and another"
        " manager are only proposed: a people officer confirms them under Confirm. Refused lines are"
        " named on standard error, without a value; the others get in."
    )
    what = "staff"

    def begin(self, refused: Callable[[int, str], None], source: str) -> Import[StaffLine]:
        if people.ALIAS not in settings.DATABASES:
            raise CommandError("import_staff needs GATEKEEPER_DATABASE_URL_PEOPLE.")

        def store(lines: Sequence[StaffLine]) -> Mapping[str, str]:
            return dict(people.apply_members([line.payload() for line in lines], source))

        return Import(StaffLine, store, batch=BATCH, refused=refused)

    def record(self, counts: Mapping[str, int], source: str, *, finished: bool) -> None:
        people.record_import(counts, source, finished=finished)
