"""An export of any size, in the proportions of the sample, and how fast it is imported.

python -m tests.bench.export FILE 100000     writes a file to try by hand
"""

from __future__ import annotations

import json
import random
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from stdnum import iban

EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
NOW = EPOCH + timedelta(days=2000)


def generate_accounts(path: Path, count: int, *, seed: int = 1) -> None:
    """Write `count` invented accounts, one a line, the same for the same seed."""
    chance = random.Random(seed)  # noqa: S311 - invented people, not keys
    with path.open("w", encoding="utf-8") as stream:
        for number in range(count):
            stream.write(json.dumps(_account(chance, number), ensure_ascii=False) + "\n")


def _account(chance: random.Random, number: int) -> dict[str, Any]:
    line: dict[str, Any] = {
        "reference": f"MOC-{1_000_000 + number}",
        "plan": chance.choice(["free", "start", "pro", "business", "enterprise"]),
        "language": chance.choice(["pl", "pl", "pl", "en", "lt", "de"]),
        "created_at": _moment(chance),
        "exported_at": NOW.isoformat(),
        "contact": {"name": f"Żaneta Próbna {number}", "email": f"zaneta.{number}@klient.example"},
        "activity": {
            "ip_address": f"192.0.2.{number % 256}",
            "last_visit_at": _moment(chance),
            "settings": {"theme": "dark", "room_layout": "grid", "reminders": number % 3 == 0},
        },
    }
    if chance.random() < 0.45:
        line["company"] = {
            "name": f"Próbna {number} sp. z o.o.",
            "address": f"ul. Długa {number}, 80-001 Gdańsk",
        }
        line["billing"] = {"bank_account": _iban(chance)}
    if chance.random() < 0.12:
        line["support"] = {"notes": "Dzwonić po dziesiątej.\nWoli pocztę elektroniczną."}
    if chance.random() < 0.5:
        line["consent"] = {"participants_since": _moment(chance), "support_since": _moment(chance)}
    return line


def _moment(chance: random.Random) -> str:
    return (EPOCH + timedelta(seconds=chance.randrange(2000 * 86_400))).isoformat()


def _iban(chance: random.Random) -> str:
    bank = "".join(chance.choices("0123456789", k=24))
    return f"PL{iban.calc_check_digits(f'PL00{bank}')}{bank}"


if __name__ == "__main__":
    generate_accounts(Path(sys.argv[1]), int(sys.argv[2]))
