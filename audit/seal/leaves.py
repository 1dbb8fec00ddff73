"""From an entry to its leaf: which bytes are hashed, in two parts that are salted apart.

A leaf's form can never change afterwards, so every column is covered; a test fails for a column that
is in no part. The *customer's part* can be opened to the customer by itself. The *staff part* covers
every column but what an erasure takes (`ERASED`), so that an entry stays provable after it.

Each column is hashed as PostgreSQL prints it (`::text`): integers and jsonb's numbers as decimal
digits, never a float, jsonb in the one form in which it is stored (not as it was sent), text as UTF-8
without any normalising. Times are microseconds since 1970 in UTC. PostgreSQL does the printing and
the length prefixes, for its binary COPY has exactly the form of `verify_bundle.pack`, and what both parts
share comes as one field (`verify_bundle.record`): Python only cuts a row in two and hashes it, which is what
makes tens of thousands a second possible.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from typing import TYPE_CHECKING, Final, NamedTuple

from audit import verify_bundle

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    Buffer = bytes | bytearray | memoryview

#: Personal references: gone when the account is erased, and therefore in the customer's part alone.
ERASED: Final = verify_bundle.ERASED
SHARED: Final = verify_bundle.SHARED
CUSTOMER: Final = verify_bundle.FIELDS
#: What the staff part has beside the customer's columns; `xid` is what entries are ordered by.
STAFF_ALONE: Final = (
    *("xid", "reason", "failed", "member_name", "session", "factor", "source", "user_agent"),
    *("remote_addr", "remote_port", "cid", "subject", "ticket_kind", "ticket_state", "results"),
    *("request_id", "grant_id", "approver", "signature", "nda_version", "nda_ends", "consent", "details"),
    *("content_type_id", "object_pk", "object_id", "object_repr", "action", "actor_id", "actor_email"),
    *("serialized_data", "changes", "changes_text", "additional_data"),
)
STAFF: Final = (*SHARED, *STAFF_ALONE)
#: In no part: what the parts are salted with, the customer's first.
SALTS: Final = "salts"
SALT_BYTES: Final = 16
HASH_BYTES: Final = 32
_TIMES: Final = ("timestamp", "nda_ends")

TAG_BYTES: Final = 16  # half of the HMAC (RFC 2104 §5): enough never to meet twice
#: How the customer's part of an erased entry begins: no account, no records.
BLANK: Final = verify_bundle.pack([b"", None])
NO_TAG: Final = bytes(TAG_BYTES)
_CUSTOMER_HEAD: Final = verify_bundle.pack([verify_bundle.CUSTOMER])
_STAFF_HEAD: Final = verify_bundle.pack([verify_bundle.STAFF])
_LENGTH: Final = struct.Struct(">i")
# Looked up once and not for each of millions.
_length, _pack_length = _LENGTH.unpack_from, _LENGTH.pack
_OF_A_HASH: Final = _LENGTH.pack(HASH_BYTES)
_LEAF_HEAD: Final = b"\x00" + verify_bundle.pack([verify_bundle.LEAF]) + _OF_A_HASH
# Hashes that have taken in how each thing begins: to go on with a copy costs half of beginning again.
_CUSTOMER, _STAFF, _LEAF = (hashlib.sha256(head) for head in (_CUSTOMER_HEAD, _STAFF_HEAD, _LEAF_HEAD))


def _printed(column: str) -> str:
    if column in _TIMES:
        micros = f'(extract(epoch FROM e."{column}") * 1000000)::bigint::text'
        # An infinite time has no number, and must not stop whoever reads it.
        return f'CASE WHEN isfinite(e."{column}") THEN {micros} ELSE e."{column}"::text END'
    return f'e."{column}"::text'


def _all_printed(columns: Iterable[str]) -> str:
    return ", ".join(map(_printed, columns))


#: Both parts of the entry `e` as one list of columns: the customer's part is how it begins, and the
#: staff part how it ends; the one field between the two beginnings is in both.
PARTS: Final = (
    f"{_all_printed(ERASED)}, record_send(ROW({_all_printed(SHARED)})), {_all_printed(STAFF_ALONE)}"
)


class Parts(NamedTuple):
    """An entry's two parts in canonical bytes, without their salts."""

    customer: bytes
    staff: bytes


def cut(row: bytes, start: int) -> Parts:
    """Cut the columns of `PARTS`, which begin at `start` of a binary row, into the two parts."""
    shared, end = _shared(row, start)
    return Parts(row[start:end], row[shared:])


def _shared(row: bytes, start: int) -> tuple[int, int]:
    """Where the field that is in both parts begins and ends: behind those of `ERASED`."""
    size = _length(row, start)[0]  # account
    at = start + 4 + size if size > 0 else start + 4
    size = _length(row, at)[0]  # records
    at += 4 + size if size > 0 else 4
    return at, at + 4 + _length(row, at)[0]


def customer_hash(salt: bytes, part: bytes) -> bytes:
    """The hash of the customer's part, in the bytes of `cut`, under its salt."""
    return _part_hash(_CUSTOMER, salt, part)


def staff_hash(salt: bytes, part: bytes) -> bytes:
    """The hash of the staff part, in the bytes of `cut`, under its salt."""
    return _part_hash(_STAFF, salt, part)


def _part_hash(begun: hashlib._Hash, salt: bytes, part: bytes) -> bytes:
    found = begun.copy()
    found.update(_pack_length(len(salt)) + salt)
    found.update(part)
    return found.digest()


def hashes(row: bytes, start: int, salts: bytes) -> tuple[bytes, bytes]:
    """The hashes of both parts, the customer's first, out of a row with the columns of `PARTS`.

    After an erasure the hash of the customer's part appears in its salt's place.
    """
    shared, end = _shared(row, start)
    customer, staff = halves(salts)
    if len(customer) != HASH_BYTES:
        customer = _part_hash(_CUSTOMER, customer, row[start:end])
    return customer, _part_hash(_STAFF, staff, row[shared:])


def halves(salts: bytes) -> tuple[bytes, bytes]:
    """The customer's salt, or after the erasure the hash of that part; and the staff part's salt."""
    return salts[:-SALT_BYTES], salts[-SALT_BYTES:]


def value(row: bytes, at: int) -> tuple[bytes | None, int]:
    """The bytes of the field that begins at `at`, None where it is absent, and where the next begins."""
    (size,) = _length(row, at)
    at += 4
    return (None, at) if size < 0 else (row[at : at + size], at + size)


def opened(customer: bytes) -> dict[str, str | None]:
    """The columns of a customer's part and their values as text; None where one is absent."""
    found: list[str | None] = []
    at, shared = 0, len(ERASED)
    for number in range(len(CUSTOMER)):
        # Behind the record's own length come its count, and before each field its type.
        at += 8 if number == shared else 0
        at += 4 if number >= shared else 0
        data, at = value(customer, at)
        found.append(None if data is None else data.decode())
    return dict(zip(CUSTOMER, found, strict=True))


def tag(account: str, key: Buffer) -> bytes:
    """The account's tag: an HMAC under a key of the account's own, which dies with it.

    Computed here and not in the database: without pgcrypto it has no HMAC, and sha256() with an XOR of
    bytea by hand is slow and nobody's to review. The key opens nothing but the link of tag and account,
    and the sealer reads the account in the entry anyway.
    """
    return hmac.digest(bytes(key), account.encode(), "sha256")[:TAG_BYTES]


def leaf_hash(customer: bytes, staff: bytes, tag: bytes, number: int) -> bytes:
    """The leaf's hash in the tree (RFC 6962 §2.1) over the two parts, the tag and the running number.

    verify_bundle.leaf_data under leaf_hash, put together by hand (a test compares them): once an entry.
    """
    digits = b"%d" % number
    found = _LEAF.copy()
    found.update(
        customer + _OF_A_HASH + staff + _pack_length(len(tag)) + tag + _pack_length(len(digits)) + digits
    )
    return found.digest()


_COPY_HEAD: Final = 19  # signature, flags and length of an extension, before the first row
_TRAILER: Final = 0xFF  # the last row's count of fields is -1


#: Where a row's first field begins: behind the count of fields.
FIRST: Final = 2


def rows(blocks: Iterable[Buffer]) -> Iterator[bytes]:
    """The rows of a binary COPY, one by one, each with its count of fields. One block is one row."""
    head = _COPY_HEAD
    for block in blocks:
        row = bytes(block)[head:]  # no copy where there is no head
        head = 0
        if row[0] != _TRAILER:
            yield row
