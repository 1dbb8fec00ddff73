"""The command that writes a new installation's environment files (`python -m gatekeeper.installation`)."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from gatekeeper.installation.environment_files import WORDS, ConfigureError, environment_files, server_files
from gatekeeper.installation.logins import Logins, is_local

DATABASE: Final = "postgresql:///gatekeeper?host=/run/postgresql"
SOCKET: Final = "unix:/run/gatekeeper/web.sock"


def logins(database: str, *, passwords: bool, certificates: Path | None) -> Logins:
    """Return how roles sign in, as the options say. Raises ConfigureError where they do not fit together."""
    parts = urlsplit(database)
    if parts.username or parts.password:
        raise ConfigureError("--database names a role: leave it out, each process has one of its own.")
    if certificates:
        if is_local(database) or not certificates.is_absolute():
            raise ConfigureError("--certificates is for a server elsewhere, and names a folder from / on.")
        return Logins(database, "certificate", certificates)
    if passwords:
        return Logins(database, "password")
    if not is_local(database):
        raise ConfigureError(
            "--database is not on this machine (?host=/folder): say --passwords, or --certificates FOLDER."
        )
    return Logins(database, "peer")


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Write the files into a folder of their owner's alone, all or none.

    Raises ConfigureError where the folder holds anything: a lost key ring cannot be made again.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigureError(f"{folder} is there already: nothing was changed.")
    fresh = folder.with_name(f".{folder.name}.new")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        for name, text in files.items():
            with os.fdopen(os.open(fresh / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
        fresh.rename(folder)
    except OSError as error:
        raise ConfigureError(f"{folder} cannot be written: {error.strerror}.") from None


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m gatekeeper.installation",
        description="Write the environment files of a new installation, with fresh secrets.",
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where they go, such as /etc/gatekeeper")
    parser.add_argument(
        "--site", required=True, metavar="URL", help="where people will find it: https://host"
    )
    parser.add_argument("--company", required=True, metavar="NAME", help="the name that documents show")
    parser.add_argument(
        "--bind",
        default=SOCKET,
        metavar="ADDRESS",
        help="where the web server in front finds us: unix:/path or 127.0.0.1:port (%(default)s)",
    )
    _add_database_options(parser)
    return parser


def _add_database_options(parser: argparse.ArgumentParser) -> None:
    """Where the database is, and how roles prove themselves to it."""
    parser.add_argument(
        "--database",
        default=DATABASE,
        metavar="URL",
        help="without a role: by a Unix socket, or with sslmode=verify-full (%(default)s)",
    )
    proof = parser.add_mutually_exclusive_group()
    proof.add_argument(
        "--passwords", action="store_true", help="roles sign in by passwords, and not by who a process is"
    )
    proof.add_argument(
        "--certificates",
        type=Path,
        metavar="FOLDER",
        help="roles sign in to a server elsewhere by FOLDER/ROLE.pem and FOLDER/ROLE.key",
    )


def main(arguments: Sequence[str]) -> int:
    """Carry out the command; 0, or 1 after saying why nothing was written."""
    given = _options().parse_args(arguments)
    try:
        conninfo_to_dict(given.database)
        way = logins(given.database, passwords=given.passwords, certificates=given.certificates)
        files = environment_files(site=given.site, company=given.company, logins=way, bind=given.bind)
        files |= server_files(way)
        write(given.folder, files)
    except (ConfigureError, ImproperlyConfigured) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except (ProgrammingError, UnicodeError):
        sys.stderr.write("--database is no PostgreSQL address.\n")
        return 1
    for name in files:
        sys.stdout.write(f"{given.folder / name}: {WORDS[name]}\n")
    sys.stdout.write("Keep a copy of web.env and sealer.env apart from the database's backups.\n")
    return 0
