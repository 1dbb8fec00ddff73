"""What a verification of the log looked at, and what it found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from audit.seal.findings import Finding

#: Findings beyond these are counted and not kept.
MOST: Final = 1000


@dataclass
class Report:
    """What was looked at, and what is wrong with it; `removed` bodies and `erased` references are covered."""

    size: int = 0
    entries: int = 0
    removed: int = 0
    erased: int = 0
    checkpoints: int = 0
    outside: int = 0
    found: int = 0
    findings: list[Finding] = field(default_factory=list)

    def add(self, finding: Finding) -> None:
        """Count a finding, and keep it while there are few."""
        self.found += 1
        if len(self.findings) < MOST:
            self.findings.append(finding)
