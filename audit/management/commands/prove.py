"""`manage.py prove`: a bundle that proves one entry, or an account's entries within a period."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from audit import arguments
from audit.context import command_source
from audit.database import call
from audit.explorer.moments import moment
from audit.seal import proofs, stored, trust

ALIAS = "sealer"


class Command(BaseCommand):
    help = (
        "Write a proof bundle as JSON: the customer's part of the entries, their audit paths, a checkpoint,"
        " and how to check it without Gatekeeper (audit/verify_bundle.py). Making it is an entry."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "entry", nargs="?", type=arguments.entry_number, metavar="ENTRY", help="the entry's number"
        )
        parser.add_argument("--account", type=arguments.text, default="", metavar="REFERENCE")
        parser.add_argument("--since", type=moment, metavar="TIME")
        parser.add_argument("--until", type=moment, metavar="TIME", help="excluded")
        parser.add_argument("--checkpoint", type=Path, action="append", default=[], metavar="FILE")
        parser.add_argument("--output", type=Path, metavar="FILE", help="instead of standard output")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Record, prove, write. Raises CommandError."""
        if (options["entry"] is None) == (not options["account"]):
            raise CommandError("Name an entry, or --account with a period.")
        if options["entry"] is not None and (options["since"] or options["until"]):
            raise CommandError(
                "--since and --until go with --account: an entry is named by its number alone."
            )
        wanted = proofs.Wanted(
            *(options[name] for name in ("entry", "account", "since", "until")),
        )
        if ALIAS not in connections:  # whose word the entry is: pages must not be able to claim a proof
            raise CommandError("prove needs GATEKEEPER_DATABASE_URL_SEALER.")
        trusted = trust.read(stored.raw(ALIAS))
        bundle = _bundle(trusted, wanted, options["checkpoint"])
        _record(bundle)
        for words in trusted.warnings():
            self.stderr.write(words)
        output: Path | None = options["output"]
        if output:
            _write(output, _json(bundle))
        else:  # whatever its encoding is
            self.stdout.write(_json(bundle, ensure_ascii=True))


def _json(bundle: dict[str, Any], *, ensure_ascii: bool = False) -> str:
    return json.dumps(bundle, ensure_ascii=ensure_ascii, indent=1) + "\n"


def _write(output: Path, text: str) -> None:
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"The bundle cannot be written: {error.strerror}.") from None


def _bundle(trusted: trust.Trust, wanted: proofs.Wanted, checkpoints: Sequence[Path]) -> dict[str, Any]:
    if trusted.keys is None:
        raise CommandError(trust.no_key())
    try:
        earlier = arguments.checkpoints(checkpoints)
        return proofs.bundle(stored.raw(ALIAS), trusted.keys.newest, wanted, earlier=earlier)
    except proofs.UnprovableError as error:
        raise CommandError(str(error)) from None


def _record(bundle: dict[str, Any]) -> None:
    entries = [int(entry["customer"]["id"]) for entry in bundle["entries"]]
    call("audit.note_proof", entries=entries, source=command_source("prove"), using=ALIAS)
