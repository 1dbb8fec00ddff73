"""Checks a proof bundle of the log without Gatekeeper: this one file, Python 3.11 and `cryptography`.

    python verify_bundle.py BUNDLE [--key KEY] [--checkpoint FILE]

`KEY` is the log's public key as the company published it; `FILE` a checkpoint that you had before.
Without them the bundle is only consistent with itself. Exit status 0 when everything holds, else 1.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import json
import struct
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:
    sys.exit("Nothing was checked: this needs the package cryptography. python -m pip install cryptography")

FORMAT = "gatekeeper proof 1"
ABSENT = b"\xff\xff\xff\xff"
#: So many lacking numbers are named.
NAMED = 50
#: What stands before the hashed bytes of each thing, so that none passes for another; with its version.
CUSTOMER, STAFF, LEAF = b"gatekeeper customer 1", b"gatekeeper staff 1", b"gatekeeper leaf 1"
#: The customer's part, in its order: what the erasure of an account takes, and what then remains.
ERASED = ("account", "records")
SHARED = (
    *("schema_version", "id", "timestamp", "event", "outcome", "role", "member"),
    *("ticket", "purpose", "categories", "fields", "answers"),
)
FIELDS = (*ERASED, *SHARED)


class ProofError(Exception):
    """Something does not hold; the message says what."""


# Bytes


def pack(fields: Sequence[bytes | None]) -> bytes:
    """The canonical form: each field as its length in four bytes, big-endian, and its bytes.

    A field that is absent is ff ff ff ff. Nothing else passes for the same list of fields.
    """
    return b"".join(ABSENT if field is None else struct.pack(">i", len(field)) + field for field in fields)


def record(fields: Sequence[bytes | None]) -> bytes:
    """Fields as one: how many there are, and each in the form of `pack` behind 00 00 00 19.

    It is how PostgreSQL's record_send has a row of texts; 25 is the number of the type.
    """
    count = struct.pack(">i", len(fields))
    return count + b"".join(b"\x00\x00\x00\x19" + pack([field]) for field in fields)


def customer_hash(salt: bytes, values: Sequence[bytes | None]) -> bytes:
    """The hash of the customer's part: the values of `FIELDS`, those of `SHARED` as one record."""
    return part_hash(CUSTOMER, salt, [*values[: len(ERASED)], record(values[len(ERASED) :])])


def part_hash(kind: bytes, salt: bytes, fields: Sequence[bytes | None]) -> bytes:
    """The hash of one part of an entry under its salt."""
    return hashlib.sha256(pack([kind, salt, *fields])).digest()


def leaf_data(customer: bytes, staff: bytes, tag: bytes, number: int) -> bytes:
    """What a leaf commits to: the hashes of both parts, the tag, the running number under it."""
    return pack([LEAF, customer, staff, tag, b"%d" % number])


# The tree


def leaf_hash(data: bytes) -> bytes:
    """RFC 6962 §2.1: a leaf."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 6962 §2.1: an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_from_inclusion(place: int, size: int, leaf: bytes, proof: Sequence[bytes]) -> bytes:
    """The root that a leaf's audit path leads to (RFC 6962 §2.1.1; the algorithm of RFC 9162 §2.1.3.2).

    Raises ProofError where the path has not the length that place and size ask for.
    """
    if not 0 <= place < size:
        raise ProofError("the place is outside the tree")
    return _climb(place, size - 1, leaf, leaf, proof)[1]


def _climb(node: int, last: int, old: bytes, new: bytes, proof: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Up from a node, in a tree whose last leaf is `last`: the root up to the node, and the root over all."""
    for step in proof:
        if last == 0:
            raise ProofError("the proof is too long")
        if node & 1 or node == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            new = node_hash(new, step)
        node, last = node >> 1, last >> 1
    if last != 0:
        raise ProofError("the proof is too short")
    return old, new


def check_consistency(old_size: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> None:
    """That the tree of `size` leaves begins with the one of `old_size` (RFC 6962 §2.1.2; RFC 9162 §2.1.4.2).

    Raises ProofError.
    """
    if not 0 < old_size <= size:
        raise ProofError("the older tree is empty, or larger than the newer")
    if old_size == size:
        if proof or old_root != root:
            raise ProofError("two trees of one size differ")
        return
    steps = list(proof) if old_size & (old_size - 1) else [old_root, *proof]
    if not steps:
        raise ProofError("the proof is too short")
    node, last = old_size - 1, size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    if _climb(node, last, steps[0], steps[0], steps[1:]) != (old_root, root):
        raise ProofError("the newer tree does not contain the older one")


# Checkpoints


@dataclass(frozen=True)
class Key:
    """A log's public key under its name."""

    name: str
    public: bytes

    @classmethod
    def read(cls, text: str) -> Key:
        """From `<name>+<id>+<base64>` (C2SP signed-note, Ed25519). Raises ProofError."""
        try:
            name, number, encoded = text.strip().split("+", 2)
            data = base64.b64decode(encoded, validate=True)
            found = cls(name, data[1:])
            good = len(data) == 33 and data[:1] == b"\x01" and bytes.fromhex(number) == found.number
        except (ValueError, binascii.Error):
            good = False
        if not good:
            raise ProofError("this is no public key of a log")
        return found

    @property
    def number(self) -> bytes:
        """The key's id (C2SP signed-note): it depends on the name, too."""
        return hashlib.sha256(self.name.encode() + b"\n\x01" + self.public).digest()[:4]

    def __str__(self) -> str:
        encoded = base64.b64encode(b"\x01" + self.public).decode()
        return f"{self.name}+{self.number.hex()}+{encoded}"


@dataclass(frozen=True)
class Head:
    """What a checkpoint says: whose log, how many leaves, and the root over them."""

    origin: str
    size: int
    root: bytes


def read_head(note: str) -> Head:
    """What a note says, whoever signed it (C2SP tlog-checkpoint). Raises ProofError."""
    lines = note.partition("\n\n")[0].split("\n")
    try:
        origin, size, root = lines[:3]
        head = Head(origin, int(size), base64.b64decode(root, validate=True))
        good = head.size >= 0 and str(head.size) == size and len(head.root) == 32 and bool(origin)
    except (ValueError, binascii.Error):
        good = False
    if not good:
        raise ProofError("this is no checkpoint")
    return head


def open_checkpoint(note: str, key: Key) -> Head:
    """What a checkpoint says once its signature holds (C2SP signed-note). Raises ProofError.

    Lines of other signers count for nothing. The name under which it is signed is its origin.
    """
    text, _, signatures = note.partition("\n\n")
    for line in signatures.splitlines():
        if not line.startswith(f"— {key.name} "):
            continue
        try:
            data = base64.b64decode(line.rpartition(" ")[2], validate=True)
            if data[:4] != key.number:
                continue
            Ed25519PublicKey.from_public_bytes(key.public).verify(data[4:], f"{text}\n".encode())
        except (InvalidSignature, ValueError, binascii.Error):
            raise ProofError("the checkpoint's signature does not hold") from None
        head = read_head(note)
        if head.origin != key.name:
            raise ProofError("the checkpoint is of another log")
        return head
    raise ProofError("the checkpoint is not signed by this key")


# The bundle


def check_entry(entry: Mapping[str, Any], head: Head) -> None:
    """One entry of a bundle against the checkpoint. Raises ProofError."""
    fields = entry["customer"]
    if tuple(fields) != FIELDS:
        raise ProofError("the entry has not the fields of the customer's part")
    values = [None if value is None else value.encode() for value in fields.values()]
    customer = customer_hash(bytes.fromhex(entry["salt"]), values)
    data = leaf_data(customer, bytes.fromhex(entry["staff"]), bytes.fromhex(entry["tag"]), entry["number"])
    proof = [base64.b64decode(step, validate=True) for step in entry["inclusion"]]
    if root_from_inclusion(entry["place"], head.size, leaf_hash(data), proof) != head.root:
        raise ProofError("it is not in the log, or was altered")


def gaps(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """Running numbers that lack between the first and the last entry of one tag, in words."""
    found = []
    by_tag: dict[str, list[int]] = {}
    for entry in entries:
        by_tag.setdefault(entry["tag"], []).append(entry["number"])
    for numbers in by_tag.values():
        between = (n for low, high in pairwise(sorted(set(numbers))) for n in range(low + 1, high))
        lacking = [str(n) for n in islice(between, NAMED + 1)]
        if any(numbers) and lacking:
            named = ", ".join(lacking[:NAMED]) + (" and more" if len(lacking) > NAMED else "")
            found.append(f"entries no. {named} of this account are not in the bundle")
    return found


def repeated(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """Places of the log that appear in the bundle more than once, in words: one view is one view."""
    places = Counter(entry["place"] for entry in entries).items()
    return [f"the entry at place {place} stands {n} times in the bundle" for place, n in places if n > 1]


def check_bundle(bundle: Mapping[str, Any], *, key: str = "", checkpoint: str = "") -> list[str]:
    """Everything in a bundle; returns what does not hold, in words, empty when all does.

    `key` and `checkpoint` are yours: whatever the bundle itself names as its key proves nothing new.
    """
    try:
        return _wrong(bundle, key, checkpoint)
    except (KeyError, TypeError, AttributeError, ValueError, ArithmeticError, struct.error):
        return ["the bundle is damaged: something in it is lacking, or of another kind"]


def _wrong_entries(entries: Sequence[Mapping[str, Any]], head: Head) -> list[str]:
    wrong = []
    for entry in entries:
        try:
            check_entry(entry, head)
        except (ProofError, ValueError, binascii.Error) as error:
            wrong.append(f"entry {entry['customer'].get('id')}: {error}")
    return wrong


def _wrong(bundle: Mapping[str, Any], key: str, checkpoint: str) -> list[str]:
    if bundle.get("format") != FORMAT:
        return ["this is no bundle of a form that is known"]
    try:
        trusted = Key.read(key or bundle["key"])
        head = open_checkpoint(bundle["checkpoint"], trusted)
    except ProofError as error:
        return [str(error)]
    wrong = [
        *_inconsistent(bundle["earlier"], trusted, head),
        *(_unlinked(checkpoint, bundle, trusted, head) if checkpoint else []),
    ]
    wrong += _wrong_entries(bundle["entries"], head)
    wrong += repeated(bundle["entries"])
    return wrong if is_selection(bundle) else wrong + gaps(bundle["entries"])


def is_selection(bundle: Mapping[str, Any]) -> bool:
    """Whether a bundle says that it has only some of an account's entries: then none is missed."""
    return bundle.get("selection") is True


def _inconsistent(earlier: Sequence[Mapping[str, Any]], key: Key, head: Head) -> list[str]:
    wrong = []
    for one in earlier:
        try:
            old = open_checkpoint(one["checkpoint"], key)
            proof = [base64.b64decode(step, validate=True) for step in one["consistency"]]
            check_consistency(old.size, old.root, head.size, head.root, proof)
        except (ProofError, binascii.Error) as error:
            wrong.append(f"an earlier checkpoint: {error}")
    return wrong


def _unlinked(note: str, bundle: Mapping[str, Any], key: Key, head: Head) -> list[str]:
    """Why the checkpoint that you had before is not one that the bundle continues."""
    try:
        yours = open_checkpoint(note, key)
        known = {(one.size, one.root) for one in (read_head(e["checkpoint"]) for e in bundle["earlier"])}
    except ProofError as error:
        return [f"your checkpoint: {error}"]
    if (yours.size, yours.root) in known | {(head.size, head.root)}:
        return []
    return ["the bundle does not continue your checkpoint: ask for one that does"]


def main() -> int:
    """Check the bundle named on the command line, say the outcome, and return the exit status."""
    wrong, said = _outcome()
    try:
        sys.stdout.write(said)
        sys.stdout.flush()
    except (OSError, AttributeError) as error:  # full, read by nobody, or closed
        sys.stdout = None  # else the interpreter tries once more
        sys.stderr.write(f"The outcome cannot be written: {error}\n")
        return 1
    return 1 if wrong else 0


def _outcome() -> tuple[bool, str]:
    """Whether anything is wrong, and what is to be said."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--key", default="", help="the log's public key, as published")
    parser.add_argument("--checkpoint", type=Path, help="a checkpoint that you had before")
    given = parser.parse_args()
    try:
        bundle = json.loads(given.bundle.read_text(encoding="utf-8-sig"))
        checkpoint = given.checkpoint.read_text(encoding="utf-8-sig") if given.checkpoint else ""
    except (OSError, ValueError, RecursionError) as error:
        return True, f"DOES NOT HOLD: a file cannot be read: {error}\n"
    wrong = check_bundle(bundle, key=given.key, checkpoint=checkpoint)
    if wrong:
        return True, "".join(f"DOES NOT HOLD: {words}\n" for words in wrong)
    return False, _what_holds(bundle, given.key)


def _what_holds(bundle: Mapping[str, Any], key: str) -> str:
    head = read_head(bundle["checkpoint"])
    count = len(bundle["entries"])
    entries = "1 entry is" if count == 1 else f"{count} entries are"
    said = f"All holds: {entries} in the log {head.origin} of {head.size} entries.\n"
    if is_selection(bundle):
        said += "It is a selection: it does not show that these are all entries of the account.\n"
    return said if key else f"{said}The key is the bundle's own: compare it.\n"


if __name__ == "__main__":
    raise SystemExit(main())
