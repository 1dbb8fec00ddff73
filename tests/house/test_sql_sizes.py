"""How long the SQL functions are: short ones are read, long ones are believed."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from statistics import median, quantiles

from gatekeeper.installation.sql_files import FILES

FUNCTION = re.compile(
    r"^CREATE OR REPLACE (?:FUNCTION|PROCEDURE) (vault\.\w+)\(.*?\$\$.*?\$\$(?: LANGUAGE \w+)?;", re.M | re.S
)
MEDIAN, P95, LONGEST = 15, 60, 150


def lengths() -> dict[str, int]:
    """Lines of each function's definition, from CREATE to its end."""
    return {
        found[1]: found[0].count("\n") + 1
        for path in FILES
        for found in FUNCTION.finditer(path.read_text(encoding="utf-8"))
    }


def test_sql_functions_are_short(record_testsuite_property: Callable[[str, object], None]) -> None:
    lines = lengths()
    in_files = sum(path.read_text(encoding="utf-8").count("CREATE OR REPLACE FUNCTION") for path in FILES)
    in_files += sum(path.read_text(encoding="utf-8").count("CREATE OR REPLACE PROCEDURE") for path in FILES)
    assert len(lines) == in_files, "one is written so that it is not found here"
    p50, p95 = median(lines.values()), quantiles(lines.values(), n=20, method="inclusive")[-1]
    longest = max(lines, key=lines.__getitem__)
    said = (
        f"{len(lines)} SQL functions: p50 {p50:.0f}, p95 {p95:.0f}, longest {longest} {lines[longest]} lines"
    )
    sys.stdout.write(f"{said}\n")
    record_testsuite_property("sql_functions", said)
    assert p50 <= MEDIAN, said
    assert p95 <= P95, said
    assert lines[longest] <= LONGEST, said
