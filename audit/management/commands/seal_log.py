"""`manage.py seal_log`: seals what was committed, signs a checkpoint, and takes copies out."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from audit import rounds
from audit.context import command_source
from audit.seal import alarms, stored
from audit.seal.checkpoints import Keys, Signer
from audit.seal.copying import Copier
from audit.seal.sealing import Sealer, SealError

ALIAS = "sealer"


class Command(BaseCommand):
    """Nothing waits for this: an entry counts from its COMMIT on, and is provable from its seal on."""

    help = (
        "Seal the log: put what was committed into the tree, sign a checkpoint, copy it to the anchors."
        " Only here are the signing key (GATEKEEPER_LOG_KEY) and the sealer's link needed. Exit status 1 when"
        " an entry waits too long or a copy could not be made."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """`--every SECONDS`: go on until stopped."""
        rounds.add_argument(parser)

    def handle(self, *_args: Any, every: float | None = None, **_options: Any) -> None:
        """Run once, or until stopped. Raises CommandError, also where the log must not be signed."""
        if ALIAS not in connections or not settings.LOG_KEY:
            raise CommandError("seal_log needs GATEKEEPER_DATABASE_URL_SEALER and GATEKEEPER_LOG_KEY.")
        signer = Signer(settings.LOG_ORIGIN, settings.LOG_KEY)
        connect = partial(stored.raw, ALIAS)
        keys = Keys.read(settings.LOG_VERIFIER)
        sealer = Sealer(connect, signer, command_source("seal_log"), keys)
        copier = Copier(connect, settings.LOG_ANCHORS)
        # Standard output may be an anchor: what is said here goes beside it.
        self.stderr.write(f"The log's public key: {signer.key}")
        if every is None:
            sealer.compare(copier.newest(signer.key.name))
            wrong = self._round(sealer, copier)
            if wrong:
                raise CommandError(wrong)
            return
        self._repeat(sealer, copier, signer.key.name, every)

    def execute(self, *args: Any, **options: Any) -> str | None:
        """As every command; what must not be signed is an error of the command, not a traceback."""
        try:
            return super().execute(*args, **options)
        except SealError as error:
            raise CommandError(f"Nothing was sealed: {error}. See audit/README.md, 'The seal'.") from None

    def _repeat(self, sealer: Sealer, copier: Copier, origin: str, every: float) -> None:
        compared = False

        def one() -> str:
            nonlocal compared
            if not compared:  # once, as soon as the database is there
                sealer.compare(copier.newest(origin))
                compared = True
            return self._round(sealer, copier)

        rounds.repeat(one, every=every, alias=ALIAS, out=self.stderr, well="All is sealed and copied again.")

    def _round(self, sealer: Sealer, copier: Copier) -> str:
        """Seal and copy; return what is wrong then."""
        sealer.seal()
        copier.copy()
        state = alarms.sealing(ALIAS)
        return "\n".join([*state.sealer, *state.copies])
