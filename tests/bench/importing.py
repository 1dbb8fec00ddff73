"""The import row: as many accounts as a platform has, by the command, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.export import generate_accounts
from tests.bench.ground import connect
from tests.bench.measuring import Row

PROJECT = Path(__file__).resolve().parents[2]
EMPTY = "TRUNCATE public.gatekeeper_account, vault.account, vault.participant CASCADE"


def import_row(*, accounts: int) -> Row:
    """Import a tenth and then all: the time of all, and the memory of both. Leaves all in the database."""
    with tempfile.TemporaryDirectory(prefix="gatekeeper-bench-") as folder:
        _, little = _import(Path(folder), accounts // 10)
        with connect() as setup:
            setup.execute("SET session_replication_role = replica")
            setup.execute(EMPTY)
        seconds, much = _import(Path(folder), accounts)
    limit = accounts * 60 / 100_000
    return Row(
        f"import of {accounts:,} accounts".replace(",", " "),
        f"under {limit:.0f} s, constant memory",
        f"{seconds:.1f} s",
        max(seconds / limit, much / little / 1.2),  # 'constant' allows for the allocator's mood
        most=1,
        note=f"{accounts / seconds:.0f}/s; peak {much:.0f} MB, at a tenth of the lines {little:.0f} MB",
    )


def _import(folder: Path, count: int) -> tuple[float, float]:
    """Seconds and peak megabytes of one run of the command."""
    path = folder / f"{count}.jsonl"
    generate_accounts(path, count)
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "manage.py", "import_accounts", str(path)], cwd=PROJECT, stdout=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError("the import failed")
    return seconds, used.ru_maxrss / 1024
