"""What systemd reads: units with what was added to them, and files of settings."""

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
    """What a unit for systemd says. `environment` wins over the files, and `unset` over both."""

    environment_files: list[str]
    environment: dict[str, str]
    unset: list[str]
    command: list[str]
    before: list[list[str]]
    user: str
    group: str
    folder: str

    @classmethod
    def read(cls, path: Path) -> Unit:
        """Read a unit, and what lies in the folder `<unit>.d`."""
        said: dict[str, list[str]] = {}
        for part in (path, *sorted(path.with_name(f"{path.name}.d").glob("*.conf"))):
            for line in part.read_text(encoding="utf-8").splitlines():
                name, equals, value = line.partition("=")
                if equals and not line.startswith("#"):
                    said.setdefault(name, []).append(value)
        [user] = said["User"]
        return cls(
            said["EnvironmentFile"],
            dict(pair.split("=", 1) for line in said.get("Environment", []) for pair in line.split()),
            " ".join(said.get("UnsetEnvironment", [])).split(),
            said["ExecStart"][0].split(),
            [line.split() for line in said.get("ExecStartPre", [])],
            user,
            said.get("Group", [user])[0],
            said.get("RuntimeDirectory", [""])[0],
        )


def read_units(folder: Path) -> dict[str, Unit]:
    """Every service of a folder, by its name."""
    return {path.stem: Unit.read(path) for path in folder.glob("*.service")}
