"""The environment files of a new installation, with fresh secrets (`python -m gatekeeper.installation`).

Each process gets what is its own: `web.env` is for all, `sealer.env` for the log's sealer, `watch.env` for
the rules over it, `people.env` for whoever keeps members by command, `migrator.env` for whoever changes
tables, `setup.env` for bootstrap. A root shell reads them (`set -a; . FILE`), and systemd does
(`EnvironmentFile=`), so they are for root's eyes alone. Beside them lie the lines that PostgreSQL's own
files take.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from gatekeeper.installation import roles, secrets
from gatekeeper.installation.addresses import is_port
from gatekeeper.installation.environment import Environment
from gatekeeper.installation.logins import Logins, is_local
from gatekeeper.installation.setting import Setting
from gatekeeper.installation.settings_table import SETTINGS
from staff.nda.seal import new_seal

DATABASE: Final = "postgresql:///gatekeeper?host=/run/postgresql"
SOCKET: Final = "unix:/run/gatekeeper/web.sock"

#: What stands in each file, by the settings' names.
SEALER: Final = ("DATABASE_URL_SEALER", "LOG_KEY", "LOG_ANCHORS")
WATCH: Final = ("DATABASE_URL_WATCH",)
PEOPLE: Final = ("DATABASE_URL_PEOPLE",)
MIGRATOR: Final = ("DATABASE_URL_MIGRATOR",)
SETUP: Final = ("DATABASE_URL_SETUP",)
#: What a unit says of its own process, and what is the demo's and the tests' alone.
ELSEWHERE: Final = ("SERVES", "MODE", "DEBUG", "DATA_DIR", "POSTGRES")

WORDS: Final = {
    "web.env": "Every process reads this file. What has a # before it is optional, and has this default.",
    "sealer.env": "The log's sealer reads this after web.env, and no other process.",
    "watch.env": "detect and stream_log read this after web.env: the rules that watch over the log.",
    "people.env": "invite, import_staff and open_lock read this after web.env.",
    "migrator.env": "migrate, apply_settings and accept_clock read this after web.env.",
    "setup.env": (
        "bootstrap reads this beside all the others, and recover after web.env: a superuser's link. Where it"
        " has a password, delete the file afterwards."
    ),
    "pg_hba.conf": "The server's pg_hba.conf takes these lines, before all others.",
    "pg_ident.conf": "The server's pg_ident.conf takes these lines: whose process may be which role.",
}


#: What each file beside the web processes' own holds.
APART = {
    "sealer.env": SEALER,
    "watch.env": WATCH,
    "people.env": PEOPLE,
    "migrator.env": MIGRATOR,
    "setup.env": SETUP,
}


class ConfigureError(Exception):
    """Nothing was written; the message says why, and what to do."""


def environment_files(*, site: str, company: str, logins: Logins, bind: str) -> dict[str, str]:
    """Return what each file holds, by its name.

    `bind`: as gunicorn takes it. Raises ConfigureError or ImproperlyConfigured where a value cannot be used.
    """
    if not company.strip() or not company.isprintable():
        raise ConfigureError("--company is empty or not one line: papers bear it.")
    made = _made(site, company, logins, bind)
    made["LOG_VERIFIER"] = _verifier(made)
    made |= {f"DATABASE_URL_{name}": logins.link(role) for name, role in roles.LINKS.items()}
    _judge(made)
    theirs = {name for names in (*APART.values(), ELSEWHERE) for name in names}
    common = [setting.name for setting in SETTINGS if setting.name not in theirs]
    files = {name: _file(name, names, made) for name, names in {"web.env": common, **APART}.items()}
    listens = "# Where gunicorn listens, and so whom GATEKEEPER_TRUSTED_PROXIES names."
    files["web.env"] += f"\n{listens}\nGUNICORN_CMD_ARGS={quoted(f'--bind {bind}')}\n"
    return files


def _made(site: str, company: str, logins: Logins, bind: str) -> dict[str, str]:
    """What was said, and fresh secrets, by the names of the settings."""
    return {
        "SITE_URL": site,
        "ALLOWED_HOSTS": urlsplit(site).hostname or "",
        "COMPANY": company,
        "TRUSTED_PROXIES": _peer(bind),
        "SECRET_KEY": secrets.secret_key(),
        "KEY_RING": secrets.key_ring(),
        "TICKETS_SECRET": secrets.webhook_secret(),
        "ACCOUNTS_SECRET": secrets.webhook_secret(),
        "SEAL": new_seal(company),
        "LOG_KEY": secrets.log_key(),
        "DATABASE_URL_SETUP": logins.superuser(),
    }


def server_files(logins: Logins) -> dict[str, str]:
    """Return the lines for PostgreSQL's own files, by the names of these."""
    lines = {"pg_hba.conf": logins.lets_in()}
    if is_local(logins.database):
        lines["pg_ident.conf"] = logins.maps()
    return {name: f"# Gatekeeper. {WORDS[name]}\n{text}" for name, text in lines.items()}


def quoted(text: str) -> str:
    """Return a value as a shell and systemd both read it; it may hold line ends."""
    return '"' + re.sub(r'(["\\$`])', r"\\\1", text) + '"'


def _file(name: str, names: Sequence[str], made: Mapping[str, str]) -> str:
    parts = [f"# {WORDS[name]}"]
    settings = {setting.name: setting for setting in SETTINGS}
    parts += [_lines(settings[each], made.get(each)) for each in names]
    return "\n".join(parts) + "\n"


def _lines(setting: Setting, value: str | None) -> str:
    told = f"\n# {setting.help}{f' ({setting.range})' if setting.range else ''}.\n"
    if value is None:
        return f"{told}#{setting.variable}={quoted(setting.default or '')}"
    return f"{told}{setting.variable}={quoted(value)}"


def _peer(bind: str) -> str:
    """Return who the proxy is, as GATEKEEPER_TRUSTED_PROXIES names it: it comes from where we listen."""
    if bind.startswith("unix:"):
        return "unix"
    host, _, port = bind.rpartition(":")
    if not is_port(port) or host not in {"127.0.0.1", "[::1]"}:
        raise ConfigureError(
            f"--bind {bind} is neither unix:/path nor 127.0.0.1:port: what is sent to it is not encrypted,"
            " and must not leave this machine."
        )
    return host.strip("[]")


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


def _verifier(made: Mapping[str, str]) -> str:
    """Return the public key that goes with the log's private one."""
    return _environment(made).log_verifier()


def _environment(made: Mapping[str, str]) -> Environment:
    return Environment({f"GATEKEEPER_{name}": value for name, value in made.items()})


def _judge(made: Mapping[str, str]) -> None:
    """Refuse what the settings would refuse, before anything is written."""
    environment = _environment(made)
    environment.site_url()
    environment.hosts()
    for name in made:
        if name.startswith("DATABASE_URL_"):
            environment.database(name)


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
    parser.add_argument("--company", required=True, metavar="NAME", help="the name that papers bear")
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
    except ProgrammingError:
        sys.stderr.write("--database is no PostgreSQL address.\n")
        return 1
    for name in files:
        sys.stdout.write(f"{given.folder / name}: {WORDS[name]}\n")
    sys.stdout.write("Keep a copy of web.env and sealer.env apart from the database's backups.\n")
    return 0
