"""What appears in the environment files of a new installation, with fresh secrets.

Each process gets what is its own: `web.env` is for all, `sealer.env` for the log's sealer, `watch.env` for
the rules over it, `people.env` for whoever keeps members by command, `migrator.env` for whoever changes
tables, `setup.env` for bootstrap. A root shell reads them (`set -a; . FILE`), and systemd does
(`EnvironmentFile=`), so they are for root's eyes alone. Beside them lie the lines that PostgreSQL's own
files take.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from gatekeeper.installation import roles, secrets
from gatekeeper.installation.addresses import is_port
from gatekeeper.installation.environment import Environment
from gatekeeper.installation.logins import Logins, is_local
from gatekeeper.installation.setting import Setting
from gatekeeper.installation.settings_table import SETTINGS
from staff.nda.signing_key import new_signing_key

#: What appears in each file, by the settings' names.
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
        raise ConfigureError("--company is empty or not one line: documents show it.")
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


def _host(site: str) -> str:
    try:
        return urlsplit(site).hostname or ""
    except ValueError:
        raise ConfigureError("--site is no address: a bracket is wrong.") from None


def _made(site: str, company: str, logins: Logins, bind: str) -> dict[str, str]:
    """What was said, and fresh secrets, by the names of the settings."""
    return {
        "SITE_URL": site,
        "ALLOWED_HOSTS": _host(site),
        "COMPANY": company,
        "TRUSTED_PROXIES": _peer(bind),
        "SECRET_KEY": secrets.secret_key(),
        "KEY_RING": secrets.key_ring(),
        "TICKETS_SECRET": secrets.webhook_secret(),
        "ACCOUNTS_SECRET": secrets.webhook_secret(),
        "SEAL": new_signing_key(company),
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
