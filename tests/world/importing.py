"""Files of JSON lines, imported by the real commands, and what they did."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import call_command

from gatekeeper.gate.cipher import AccountCipher

if TYPE_CHECKING:
    from tests.conftest import Connection


REFERENCE = "MOC-48213"


def at(minutes: int = 0) -> str:
    """A moment that many minutes after a moment of yesterday."""
    yesterday = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    return (yesterday + timedelta(minutes=minutes)).isoformat()


ACCOUNT: dict[str, Any] = {
    "reference": REFERENCE,
    "plan": "pro",
    "language": "pl",
    "created_at": "2024-01-01T00:00:00Z",
    "contact": {"name": "Zuzanna Canaria", "email": "zuzanna@canaria.example"},
    "activity": {"last_visit_at": "2025-05-05T23:30:00Z", "settings": {"theme": "dark"}},
    "consent": {"support_since": "2025-01-01T00:00:00Z"},
    "support": {"notes": "one\ntwo"},
}


PERSON: dict[str, Any] = {
    "account": REFERENCE,
    "reference": f"{REFERENCE}-P1",
    "role": "speaker",
    "name": "Paweł Canarski",
    "email": "pawel@canaria.example",
}


def account(minutes: int = 0, **changes: Any) -> dict[str, Any]:
    values = ACCOUNT | {"exported_at": at(minutes)} | changes
    return {name: value for name, value in values.items() if value != "gone"}


def run(
    what: str, rows: list[dict[str, Any]] | Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> tuple[dict[str, int], list[str], int]:
    """Run an import; return its counts, what it refused, and its exit status."""
    path = rows if isinstance(rows, Path) else folder / "lines.jsonl"
    if not isinstance(rows, Path):
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    status = 0
    try:
        call_command(f"import_{what}", str(path))
    except SystemExit as stopped:
        status = int(str(stopped.code))
    out, err = capsys.readouterr()
    name, _, counts = out.strip().partition(": ")
    assert name == what
    found = {word: int(number) for number, word in (part.split() for part in counts.split(", "))}
    return found, err.splitlines(), status


def counts(**some: int) -> dict[str, int]:
    return dict.fromkeys(("new", "changed", "same", "older", "refused"), 0) | some


def opened(setup: Connection, reference: str = REFERENCE) -> dict[str, Any]:
    """What stands in the vault, read as a superuser and decrypted."""
    row = setup.execute(
        "SELECT v.wrapped_key, v.fields, v.ciphertexts FROM vault.account v"
        " JOIN gatekeeper_account a ON a.id = v.account_id WHERE a.reference = %s",
        [reference],
    ).fetchone()
    assert row
    cipher = AccountCipher.unwrap(reference, row[0])
    return {name: cipher.decrypt(name, sealed) for name, sealed in zip(row[1], row[2], strict=True)}


def member(number: str, setup: Connection) -> int:
    row = setup.execute(
        "INSERT INTO staff_member (number, name, email, roles, language, theme, password, created_at)"
        " VALUES (%s, 'A', %s, '{consultant}', 'en', 'auto', '!', now()) RETURNING id",
        [number, f"{number.lower()}@example.com"],
    ).fetchone()
    assert row
    return int(row[0])
