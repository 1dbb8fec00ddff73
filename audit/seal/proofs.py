"""Proof bundles: entries with their customer's part opened, and what shows that they appear in the log.

A bundle is checked without Gatekeeper, by audit/verify_bundle.py or by any tool for RFC 6962 and C2SP.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.utils.translation import gettext as _
from psycopg import sql

from audit import verify_bundle
from audit.database import rows
from audit.seal import leaves, merkle, stored

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from psycopg import Connection

_READ: Final = f"""
    COPY (SELECT l.place, l.number, l.tag, e.id, e.salts, {leaves.PARTS}
          FROM public.audit_entry e LEFT JOIN public.audit_leaf l ON l.entry = e.id
          WHERE {{which}} ORDER BY l.place) TO STDOUT (FORMAT binary)
"""  # noqa: S608  # columns of our own list


class UnprovableError(Exception):
    """There is no proof; the message says why."""


@dataclass(frozen=True)
class Wanted:
    """Which entries: one by its number, or an account's within a period, `until` excluded; or those named.

    `selection`: others of the same account lie between those named, and the bundle says so.
    """

    entry: int | None = None
    account: str = ""
    since: datetime | None = None
    until: datetime | None = None
    entries: tuple[int, ...] = ()
    selection: bool = False

    def which(self) -> sql.Composable:
        """As a condition on the entry `e`."""
        if self.entries:
            return sql.SQL("e.id = ANY ({})").format(sql.Literal(list(self.entries)))
        if self.entry is not None:
            return sql.SQL("e.id = {}").format(sql.Literal(self.entry))
        conditions: list[sql.Composable] = [sql.SQL("e.account = {}").format(sql.Literal(self.account))]
        if self.since:
            conditions.append(sql.SQL("e.timestamp >= {}").format(sql.Literal(self.since)))
        if self.until:
            conditions.append(sql.SQL("e.timestamp < {}").format(sql.Literal(self.until)))
        return sql.SQL(" AND ").join(conditions)


def bundle(
    connection: Connection[Any], key: verify_bundle.Key, wanted: Wanted, *, earlier: Sequence[str] = ()
) -> dict[str, Any]:
    """The bundle for what is wanted, under the newest checkpoint.

    `earlier`: checkpoints that whoever checks has already; without any, the first that covers the first
    entry. Raises UnprovableError where an entry is unknown, erased or waits for its seal, or where the
    proof would not hold.
    """
    newest = stored.newest_checkpoint(connection)
    entries = list(_entries(connection, wanted))
    if newest is None or not entries:
        raise UnprovableError(_("there is no such entry, or no checkpoint yet"))
    hashes = stored.StoredHashes(connection)
    found = {
        "format": verify_bundle.FORMAT,
        "instructions": instructions(),
        "key": str(key),
        "checkpoint": newest.note,
        "earlier": [
            {"checkpoint": note, "consistency": _consistency(hashes, note, newest.size)}
            for note in earlier or _first(connection, key, entries[0]["place"])
        ],
        "entries": [entry | {"inclusion": _inclusion(hashes, entry, newest.size)} for entry in entries],
        **({"selection": True} if wanted.selection else {}),
    }
    wrong = verify_bundle.check_bundle(found)
    if wrong:
        raise UnprovableError(_("the log does not prove it: %(wrong)s") % {"wrong": "; ".join(wrong)})
    return found


def sealed(connection: Connection[Any], account: str, since: datetime, until: datetime) -> list[int]:
    """An account's entries of a period that have their seal, `until` excluded: what a bundle can have now.

    None lacks between the first and the last of their running numbers: the order of the seal, which is that
    of transactions, is not quite that of times, so that one may lie just outside the period.
    """
    found = rows(
        "WITH own AS MATERIALIZED (SELECT e.id, e.timestamp, l.number FROM public.audit_entry e"
        " JOIN public.audit_leaf l ON l.entry = e.id WHERE e.account = %(account)s"
        " AND octet_length(e.salts) = %(salts)s),"
        " span AS (SELECT min(number) AS first, max(number) AS last FROM own"
        " WHERE timestamp >= %(since)s AND timestamp < %(until)s)"
        " SELECT own.id FROM own, span WHERE own.number BETWEEN span.first AND span.last ORDER BY own.id",
        {"account": account, "since": since, "until": until, "salts": 2 * leaves.SALT_BYTES},
        using=connection,
    )
    return [row[0] for row in found]


def _entries(connection: Connection[Any], wanted: Wanted) -> Iterator[dict[str, Any]]:
    statement = sql.SQL(_READ).format(which=wanted.which())
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in leaves.rows(copy):
            yield _opened(row)


def _opened(row: bytes) -> dict[str, Any]:
    """An entry of a bundle, without its audit path."""
    place, at = leaves.value(row, leaves.FIRST)
    number, at = leaves.value(row, at)
    tag, at = leaves.value(row, at)
    entry, at = leaves.value(row, at)
    salts, at = leaves.value(row, at)
    named = {"entry": int.from_bytes(entry or b"", "big")}
    if place is None or number is None or tag is None:
        raise UnprovableError(_("entry %(entry)d waits for its seal: try again in a minute") % named)
    customer_salt, staff_salt = leaves.halves(salts or b"")
    if len(customer_salt) != leaves.SALT_BYTES:
        raise UnprovableError(_("the account of entry %(entry)d was erased") % named)
    parts = leaves.cut(row, at)
    return {
        "place": int.from_bytes(place, "big"),
        "customer": leaves.opened(parts.customer),
        "salt": customer_salt.hex(),
        "staff": leaves.staff_hash(staff_salt, parts.staff).hex(),
        "tag": tag.hex(),
        "number": int.from_bytes(number, "big"),
    }


def _first(connection: Connection[Any], key: verify_bundle.Key, place: int) -> list[str]:
    """The first checkpoint under the log's present name that covers a leaf."""
    found = rows(
        "SELECT note FROM public.audit_checkpoint WHERE size > %s AND note LIKE %s ORDER BY size LIMIT 1",
        [place, f"{key.name}\n%"],
        using=connection,
    )
    return [row[0] for row in found]


def _inclusion(hashes: stored.StoredHashes, entry: dict[str, Any], size: int) -> list[str]:
    try:
        return _encoded(merkle.inclusion(hashes, entry["place"], size))
    except (LookupError, ValueError) as error:
        raise UnprovableError(str(error)) from None


def _consistency(hashes: stored.StoredHashes, note: str, size: int) -> list[str]:
    try:
        return _encoded(merkle.consistency(hashes, verify_bundle.read_head(note).size, size))
    except (LookupError, ValueError, verify_bundle.ProofError) as error:
        raise UnprovableError(_("an earlier checkpoint: %(error)s") % {"error": error}) from None


def _encoded(steps: Sequence[bytes]) -> list[str]:
    return [base64.b64encode(step).decode() for step in steps]


def instructions() -> str:
    """What the bundle is and how it is checked, because whoever gets it."""
    return _(
        "Each entry says what happened with the account: when (timestamp, in microseconds since 1970-01-01"
        " UTC), what, under which ticket and purpose, which categories and fields, by which role and"
        " number.\n"
        "1. Get verify_bundle.py from the company, or write your own: the file says how in its comments.\n"
        "2. python verify_bundle.py BUNDLE --key KEY, with the log's public key as the company published it;"
        " add --checkpoint FILE if you kept an earlier checkpoint.\n"
        "3. It computes the hash of each entry with its salt, follows the audit path (RFC 6962) to the root,"
        " and checks the signature of the checkpoint (C2SP tlog-checkpoint, Ed25519). The entries of one"
        " account are numbered: a number that lacks is named.\n"
        "What it proves: these entries stand in the log of that size, unaltered since they were sealed. What"
        " it does not: that nothing happened which was never recorded."
    )
