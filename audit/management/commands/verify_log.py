"""`manage.py verify_log`: says whether the log is what was sealed, and if not, what is wrong and where."""

from __future__ import annotations

import os
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from tqdm import tqdm

from audit import arguments
from audit.database import rows
from audit.explorer.moments import moment
from audit.seal import judging, stored, trust
from audit.seal.anchors import anchor
from audit.seal.report import Report
from audit.seal.verification import Verification


class Command(BaseCommand):
    help = (
        "Verify the whole log: every entry against its leaf, every checkpoint against the leaves, and the"
        " copies that left the database against both. Name a copy that you fetched yourself (--checkpoint):"
        " whoever can rewrite the database may also reach the anchors that are configured here. Exit status 1"
        " when something is wrong."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--checkpoint", type=Path, action="append", default=[], metavar="FILE")
        parser.add_argument("--since", type=moment, metavar="TIME", help="only what was sealed after it")
        parser.add_argument(
            "--processes",
            type=int,
            default=os.cpu_count() or 1,
            metavar="N",
            help="that compare leaves with entries, each on a connection of its own (default: one a core)",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Verify and say the outcome. Raises CommandError, with exit status 1, when something is wrong."""
        if options["processes"] < 1:
            raise CommandError("At least one process is needed (--processes).")
        alias = "sealer" if "sealer" in connections else "default"
        trusted = trust.read(stored.raw(alias))
        if trusted.keys is None:
            raise CommandError(trust.no_key())
        beside, reading = stored.another(alias), stored.raw(alias)
        [(leaves,)] = rows("SELECT coalesce(max(place) + 1, 0) FROM public.audit_leaf", using=reading)
        tqdm.monitor_interval = 0  # no thread of its own: the processes are forked
        try:
            with tqdm(total=leaves, unit=" leaves", disable=None) as bar:
                report = Verification(
                    reading,
                    beside,
                    trusted.keys,
                    outside=[*arguments.checkpoints(options["checkpoint"]), *_anchored()],
                    progress=bar.update,
                    others=_others(alias, leaves, options["processes"]),
                ).run(since=options["since"])
        except BrokenProcessPool:
            raise CommandError(
                "A process that compared leaves was ended from outside, perhaps for want of memory: try"
                " again, with fewer of them (--processes)."
            ) from None
        finally:
            beside.close()
        self._say(report, trusted)

    def _say(self, report: Report, trusted: trust.Trust) -> None:
        for finding in report.findings:
            self.stdout.write(str(finding))
        if report.found > len(report.findings):
            more = report.found - len(report.findings)
            self.stdout.write(ngettext("and %(count)d more", "and %(count)d more", more) % {"count": more})
        words = _(
            "%(size)d leaves, %(entries)d entries, %(checkpoints)d checkpoints, %(outside)d copies from"
            " outside; %(removed)d bodies gone under retention, %(erased)d entries without their erased"
            " account."
        )
        self.stdout.write(words % vars(report))
        for warning in trusted.warnings():
            self.stdout.write(warning)
        if report.found:
            count = report.found
            raise CommandError(
                ngettext("%(count)d thing is wrong.", "%(count)d things are wrong.", count) % {"count": count}
            )
        if trusted.differs:
            raise CommandError(_("The sealer's key is not the one that is set."))
        if not report.outside:
            self.stdout.write(
                _(
                    "No copy from outside was compared: a log that was rewritten as a whole would not be"
                    " found."
                )
            )
        self.stdout.write(
            _("The log is what was sealed.")
            if trusted.pinned
            else _("The log is consistent with this server's key.")
        )


def _others(alias: str, count: int, processes: int) -> judging.Others | None:
    """More processes, where there is more for them than their start takes."""
    if processes == 1 or count <= judging.SPAN * processes:
        return None
    return judging.Others(partial(stored.another, alias), processes)


def _anchored() -> list[str]:
    """The newest copies in the anchors that are configured where this runs."""
    try:
        found = [anchor(name).newest(settings.LOG_ORIGIN) for name in settings.LOG_ANCHORS]
    except OSError as error:
        raise CommandError(f"An anchor cannot be read: {error}") from None
    return [note for note in found if note]
