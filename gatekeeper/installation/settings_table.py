"""The one documented table of settings.

gatekeeper/installation/README.md prints `SETTINGS` as a table (a test compares the two). All is text in
the environment, under `GATEKEEPER_` and a name; a secret may lie in a file that `GATEKEEPER_<name>_FILE`
names. Limits are named in `limits_table`.
"""

from __future__ import annotations

from gatekeeper.installation.limits_table import LIMITS
from gatekeeper.installation.setting import PREFIX, Setting

SETTINGS: tuple[Setting, ...] = (
    Setting("MODE", "`production`, `demo` or `test`", default="production"),
    Setting("SECRET_KEY", "Signs cookies and one-time links: 50 random characters", secret=True),
    Setting("DATABASE_URL_WEB", "Pages, as `gatekeeper_web`", "database", secret=True),
    Setting(
        "DATABASE_URL_SIGNIN",
        "Signing in, as `gatekeeper_signin`; not where the interface alone is served",
        "database",
        secret=True,
    ),
    Setting(
        "DATABASE_URL_FEED",
        "Webhooks and imports, as `gatekeeper_feed`; not where pages alone are served",
        "database",
        secret=True,
    ),
    Setting(
        "DATABASE_URL_VAULT",
        "The vault, as `gatekeeper_vault`; not where the interface alone is served",
        "database",
        secret=True,
    ),
    Setting(
        "DATABASE_URL_WATCH",
        "The rules and the stream, as `gatekeeper_watch`; only where `manage.py detect` or `stream_log` runs",
        "database",
        default="",
        secret=True,
    ),
    Setting(
        "DATABASE_URL_PEOPLE",
        "Members by command, as `gatekeeper_people`; only where `manage.py invite`, `import_staff` or"
        " `open_lock` runs",
        "database",
        default="",
        secret=True,
    ),
    Setting(
        "DATABASE_URL_MIGRATOR",
        "Migrations, as `gatekeeper_migrator`; only where `manage.py migrate` runs",
        "database",
        default="",
        secret=True,
    ),
    Setting(
        "DATABASE_URL_SEALER",
        "The sealer, as `gatekeeper_sealer`; only where `manage.py seal_log` runs",
        "database",
        default="",
        secret=True,
    ),
    Setting(
        "DATABASE_URL_SETUP",
        "A superuser's; only for `manage.py bootstrap`",
        "database",
        default="",
        secret=True,
    ),
    Setting(
        "KEY_RING",
        "Keys over the data keys: `id:base64 of 32 bytes`, by commas or lines; the first encrypts",
        "keys",
        secret=True,
    ),
    Setting("TICKETS_SECRET", "Signs `/api/tickets`: `whsec_` and base64", "webhook", secret=True),
    Setting("ACCOUNTS_SECRET", "Signs `/api/accounts`: `whsec_` and base64", "webhook", secret=True),
    Setting(
        "SEAL",
        "Signs PDFs: the company's private key and its certificates, PEM, one after the other",
        "seal",
        secret=True,
    ),
    Setting(
        "LOG_KEY",
        "Signs the log's checkpoints: base64 of 32 bytes; only where `manage.py seal_log` runs",
        "key",
        default="",
        secret=True,
    ),
    Setting(
        "LOG_VERIFIER",
        "Pins the log's public keys as `manage.py seal_log` said them, by commas, the newest first; old"
        " ones for the sealer too. Empty: pages say 'consistent with this server's key', not 'Proved'",
        default="",
    ),
    Setting("LOG_ORIGIN", "The log's name, for ever; empty: the site's host and `/log`", default=""),
    Setting(
        "LOG_ANCHORS",
        "Where copies of checkpoints go, by commas: `directory:/path`, `stdout`",
        "list",
        default="",
    ),
    Setting(
        "SIEM_TARGET",
        "Where `manage.py stream_log` sends the log: `https://host/path` or `file:/path`; empty: nowhere",
        default="",
    ),
    Setting(
        "SIEM_IN_EU",
        "Declares that the SIEM lies in the EU: without it nothing is sent",
        "yes/no",
        default="no",
    ),
    Setting("SIEM_TOKEN", "The SIEM's bearer token; only where `stream_log` runs", default="", secret=True),
    Setting(
        "SIEM_ROOTS",
        "File of certificates (PEM) that the SIEM's own may rest on; empty: the system's",
        default="",
    ),
    Setting(
        "TRUST_ROOTS",
        "File of certificates (PEM) that an electronic signature may rest on; empty: none is believed",
        default="",
    ),
    Setting("COMPANY", "The company's name, as documents show it", default="Akovana LLC"),
    Setting("SITE_URL", "Where people find this site, without a path", "address"),
    Setting("ALLOWED_HOSTS", "Host names served, by commas", "list"),
    Setting(
        "TRUSTED_PROXIES",
        "Addresses or networks of proxies whose forwarded headers count, by commas; `unix`: whoever comes"
        " over the Unix socket that the server listens on",
        "list",
        default="",
    ),
    Setting(
        "FORWARDED_HEADER",
        "In which header your proxies name the client: `X-Forwarded-For` (with `X-Forwarded-Proto`) or"
        " `Forwarded` (RFC 7239); the other is not read",
        default="X-Forwarded-For",
    ),
    Setting(
        "PROCESSES",
        "The web processes of the whole installation, by commas: what each serves (`pages`, `api` or both),"
        " its workers and their threads, as `pages:2x8, api:1x8`. Each is named, on other machines too: the"
        " database has to have room for all",
        default="pages+api:2x8",
    ),
    Setting(
        "SERVES",
        "Which of them a web process is: `pages+api`, `pages` or `api`. It answers the addresses of these"
        " alone, and gets no link but theirs; its unit sets it",
        default="pages+api",
    ),
    Setting("TIME_ZONE", "The company's; a date means its end here", default="Europe/Vilnius"),
    Setting("HELPDESK_TICKET_URL", "Pattern of a ticket's address, with `{number}`", default=""),
    Setting(
        "TICKET_STATES",
        "What the helpdesk's own states mean: `New=open, Pending Reminder=pending`. Meanings are `open`,"
        " `pending`, `solved` and `closed`, which are words as well; any other word is closed",
        "list",
        default="",
    ),
    Setting(
        "MAIL_URL",
        "`smtps://user:password@host:port` (465), or `smtp://…` with STARTTLS (587), which is asked of every"
        " host but this machine (25); signs in a password as `%23` for `#`; empty: no mail",
        default="",
        secret=True,
    ),
    Setting("MAIL_FROM", "Sender of mail: an address, or a name with one in `<…>`", default=""),
    Setting("DEBUG", "Debug pages; refused in production", "yes/no", default="no"),
    Setting("DATA_DIR", "Where `make demo` keeps its data", default=".gatekeeper-demo"),
    Setting("POSTGRES", "`embedded` or `system`: which binaries the demo and tests run", default=""),
    Setting(
        "DETECTION_THRESHOLDS",
        "Thresholds of the rules that watch over the log, where they differ from the rules' own, by commas:"
        " `refusals.count=8`",
        "list",
        default="",
        formerly="ODD_THRESHOLDS",
    ),
    Setting(
        "TEAM_HOURS",
        "Working hours of teams that differ from the company's, by who leads them: hours, days, time zone,"
        " by commas: `K-0020=6-22 1-7 Europe/Warsaw`",
        "list",
        default="",
    ),
    *LIMITS,
)
BY_NAME = {setting.name: setting for setting in SETTINGS}


def table() -> str:
    """Return the settings as gatekeeper/installation/README.md prints them between its markers."""
    lines = ["| variable | what it is | default |", "|---|---|---|"]
    return "\n".join(lines + [_row(setting) for setting in SETTINGS])


def _row(setting: Setting) -> str:
    secret = " 🔒" if setting.secret else ""
    former = f". `{PREFIX}{setting.formerly}`, its former name, is read for one more release"
    described = setting.help + (former if setting.formerly else "")
    return f"| `{setting.variable}`{secret} | {described} | {_default(setting)} |"


def _default(setting: Setting) -> str:
    if setting.default is None:
        return "**must be set**"
    return f"`{setting.default}` {setting.range}".strip() if setting.default else "empty"
