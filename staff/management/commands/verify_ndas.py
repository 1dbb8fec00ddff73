"""`manage.py verify_ndas`: whether every signed agreement is still what was signed."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from staff.models import Signature, SignatureFile
from staff.nda.documents import checking


class Command(BaseCommand):
    """Reads as the pages do, changes nothing, and holds one signature's files at a time."""

    help = (
        "Checks every file of every signature: its bytes against its SHA-256, in the row and in the log;"
        " its seal against the company's certificate, or an electronic signature against the roots of"
        " GATEKEEPER_TRUST_ROOTS; its evidence against the row and the text of the version. Prints what"
        " fails and why. Exit status: 0 when all is as it was signed, 1 when something is not."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """`--signature N`: one signature's files alone."""
        parser.add_argument("--signature", type=int, metavar="N", help="check this signature alone")

    def handle(self, *args: Any, signature: int | None = None, **options: Any) -> None:
        """Check, print, and end the process with 1 when something failed."""
        numbers = Signature.objects.order_by("pk").values_list("pk", flat=True)
        if signature is not None:
            numbers = numbers.filter(pk=signature)
            if not numbers.exists():
                raise CommandError(f"There is no signature {signature}.")
        files = failed = 0
        # disable=None is tqdm's word for: on a terminal only.
        with tqdm(total=numbers.count(), unit="signature", disable=None, file=sys.stderr, leave=False) as bar:
            for number in numbers.iterator():
                found, wrong = self._check(number, bar)
                files += found
                failed += wrong
                bar.update()
        self.stdout.write(f"files: {files}, problems: {failed}")
        if failed:
            sys.exit(1)

    def _check(self, number: int, bar: tqdm[Any]) -> tuple[int, int]:
        """How many files a signature has, and how many problems."""
        one = Signature.objects.select_related("member", "version", "countersigned_by").get(pk=number)
        wrong = [f"signature {number}: {words}" for words in checking.missing(one)]
        pks = list(one.files.values_list("pk", "kind"))
        for pk, kind in pks:
            file = SignatureFile.objects.get(pk=pk)
            file.signature = one
            wrong += [f"signature {number}, {kind} file: {words}" for words in checking.problems(file)]
        for line in wrong:
            with bar.external_write_mode(file=sys.stdout):
                self.stdout.write(line)
        return len(pks), len(wrong)
