"""What systemd reads: units, and files of settings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path


def read_environment_file(path: Path) -> dict[str, str]:
    """A file of settings as systemd reads it."""
    pairs = re.findall(r'^([A-Z_]+)="((?:[^"\\]|\\.)*)"$', path.read_text(encoding="utf-8"), re.M | re.S)
    return {name: re.sub(r"\\(.)", r"\1", value) for name, value in pairs}


@dataclass
class Unit:
    """What a unit for systemd says."""

    environment_files: list[str]
    command: list[str]
    before: list[list[str]]
    group: str

    @classmethod
    def read(cls, path: Path) -> Unit:
        said: dict[str, list[str]] = {}
        for line in path.read_text(encoding="utf-8").splitlines():
            name, equals, value = line.partition("=")
            if equals and not line.startswith("#"):
                said.setdefault(name, []).append(value)
        return cls(
            said["EnvironmentFile"],
            said["ExecStart"][0].split(),
            [line.split() for line in said.get("ExecStartPre", [])],
            said.get("Group", ["nogroup"])[0],
        )
