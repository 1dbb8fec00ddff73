"""The proof that goes with a report: a bundle for each account (audit/seal/proofs.py)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from audit.seal import proofs, stored, trust

if TYPE_CHECKING:
    from typing import Any

    from psycopg import Connection

    from gatekeeper.reports.report import Report

ALIAS = "default"


@dataclass(frozen=True)
class Proof:
    """Bundles by their files' names; how many lines have no seal yet; why there are no bundles.

    `unconfirmed`: the key that this server announced, where none is set; '' where one is.
    """

    files: dict[str, bytes]
    waiting: int = 0
    problem: str = ""
    unconfirmed: str = ""
    differs: bool = False  # the sealer signs with another key than the one that is set


def of(report: Report) -> Proof:
    """The proof of a report. One that cannot be made is said in words: the report goes out all the same."""
    connection = stored.raw(ALIAS)
    trusted = trust.read(connection)
    if trusted.keys is None:
        return Proof({}, problem=_("the sealer has not announced the log’s public key yet"))
    key = trusted.keys.newest
    files: dict[str, bytes] = {}
    proved: set[int] = set()
    try:
        for account in report.scope.accounts:
            wanted = _wanted(connection, report, account)
            if wanted.entries:
                files[f"proof-{account}.json"] = _written(proofs.bundle(connection, key, wanted))
                proved.update(wanted.entries)
    except proofs.UnprovableError as error:
        return Proof({}, problem=str(error), differs=trusted.differs)
    waiting = sum(line.number not in proved for line in report.lines)
    return Proof(files, waiting, unconfirmed="" if trusted.pinned else str(key), differs=trusted.differs)


def _wanted(connection: Connection[Any], report: Report, account: str) -> proofs.Wanted:
    """Of an account everything in the period, so that a lacking entry would show; of a participant only
    what the report lists and what it says beside it, because the rest is about others."""
    scope = report.scope
    entries = proofs.sealed(connection, account, scope.since, min(scope.until, report.at))
    if scope.participant is None:
        return proofs.Wanted(entries=tuple(entries))
    listed = {line.number for line in report.lines}
    listed |= {refusal.number for line in report.lines for refusal in line.refusals}
    return proofs.Wanted(entries=tuple(e for e in entries if e in listed), selection=True)


def _written(bundle: dict[str, Any]) -> bytes:
    return (json.dumps(bundle, ensure_ascii=False, indent=1) + "\n").encode("utf-8")
