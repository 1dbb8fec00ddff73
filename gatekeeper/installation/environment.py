"""The environment: the one documented table of settings, and its reader.

gatekeeper/installation/README.md prints `SETTINGS` as a table (a test compares the two). All is text in
the environment, under `GATEKEEPER_` and a name; a secret may lie in a file that `GATEKEEPER_<name>_FILE`
names. What is missing or unusable raises at start, with the name and the next step, and never repeats
a value.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from cryptography import x509
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from audit import references
from audit.seal.anchors import AnchorError, anchor
from audit.seal.checkpoints import Keys, LogKeyError, Signer
from audit.siem.receivers import Https, TargetError, receiver
from audit.verify_bundle import ProofError
from gatekeeper.installation import addresses, connection_budget, proxies
from gatekeeper.installation.addresses import AddressError, MailServer
from gatekeeper.installation.connection_budget import Process
from staff.nda.seal import Seal, SealError
from staff.secrets.keyring import KeyRing, KeyRingError

PREFIX = "GATEKEEPER_"

Kind = Literal["text", "list", "number", "yes/no", "address", "database", "keys", "webhook", "seal", "key"]


@dataclass(frozen=True)
class Setting:
    """One row of the table. `default` None: it must be given. `secret`: has a `_FILE` twin. `formerly`: the
    name that it had before, and answers to for one release."""

    name: str
    help: str
    kind: Kind = "text"
    default: str | None = None
    secret: bool = False
    formerly: str = ""

    @property
    def variable(self) -> str:
        return PREFIX + self.name


SETTINGS = (
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
        "Seals papers: the company's private key and its certificates, PEM, one after the other",
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
        "LOG_RETENTION_DAYS",
        "Age from which `manage.py retain_log` may take entries' bodies",
        "number",
        default="1826",
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
    Setting("COMPANY", "The company's name, as it stands in papers", default="Akovana LLC"),
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
    Setting("SESSION_IDLE_MINUTES", "A session without activity ends", "number", default="15"),
    Setting("SESSION_HOURS", "A session ends in all events", "number", default="12"),
    Setting("FACTOR_MINUTES", "Age at which the second factor is asked again", "number", default="30"),
    Setting("FACTOR_MINUTES_SIGNING", "The same, before a signature or an export", "number", default="5"),
    Setting("RELEASE_SECONDS", "Age of an entry that still releases", "number", default="60"),
    Setting(
        "TICKET_FEED_MAX_AGE",
        "Minutes after which a silent helpdesk shuts the gate; 0: not required",
        "number",
        default="60",
    ),
    Setting("REQUEST_HOURS", "A request nobody decides lapses", "number", default="8"),
    Setting("START_HOURS", "An approval nobody opens lapses", "number", default="8"),
    Setting("STRETCH_DAYS", "Longest approval for an open ticket", "number", default="5"),
    Setting("DEPUTY_DAYS", "For how many days a deputy is named at most", "number", default="30"),
    Setting(
        "SUSPENSION_HOURS",
        "How long one person's suspension holds of somebody above them, or of one of the last two of a role",
        "number",
        default="4",
    ),
    Setting(
        "SUSPENSION_REPEAT_DAYS",
        "So long the same person does not repeat such a suspension alone",
        "number",
        default="30",
    ),
    Setting("PARTICIPANTS_PER_GRANT", "Participants one grant shows", "number", default="200"),
    Setting("VIEWS_PER_GRANT", "Reveals under one grant", "number", default="500"),
    Setting(
        "ACCOUNTS_PER_DAY",
        "Different accounts of which one member sees anything in a day, over all grants. Of the days of"
        " a generated year's consultants (tests/README.md) one in 1000 reached 18, and none more than 26",
        "number",
        default="30",
    ),
    Setting(
        "FIELDS_PER_DAY",
        "Different fields of accounts that one member sees in a day; the same again counts once. Of the same"
        " days one in 1000 reached 71, and none more than 101",
        "number",
        default="120",
    ),
    Setting(
        "MORE_PER_DAY",
        "How often in a day managers can add as much again for one member who asks: three days' work in one"
        " is an incident, and what is beyond it is for a colleague",
        "number",
        default="2",
    ),
    Setting(
        "DETECTION_THRESHOLDS",
        "Thresholds of the rules that watch over the log, where they differ from the rules' own, by commas:"
        " `refusals.count=8`. `GATEKEEPER_ODD_THRESHOLDS`, its former name, is read for one more release",
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
    Setting(
        "REVIEW_SAMPLE_PERCENT", "How many of a week's accesses are drawn for review", "number", default="5"
    ),
    Setting(
        "REVIEW_WEEKLY_CAP", "At most so many are drawn for each reviewer and week", "number", default="20"
    ),
    Setting("REVIEW_DUE_DAYS", "A review is due so long after it was queued", "number", default="7"),
    Setting("REVIEW_ALARM_DAYS", "A review that waits longer is an alarm", "number", default="14"),
)
BY_NAME = {setting.name: setting for setting in SETTINGS}

# Words that stand in examples and never in a generated secret.
PLACEHOLDER = re.compile(r"change.?me|placeholder|example|insecure|replace.?me|your[-_ ]|<|\.\.\.", re.I)


class Environment:
    """Reads settings by their names in the table; every reader raises ImproperlyConfigured."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self.mode = self.text("MODE")
        if self.mode not in {"production", "demo", "test"}:
            raise self.refusal("MODE", "is not one of production, demo, test")
        self.in_production = self.mode == "production"

    def refusal(self, name: str, what: str) -> ImproperlyConfigured:
        """Return the error that names the setting, what is wrong and what it is for."""
        setting = BY_NAME[name]
        twin = f" (or {setting.variable}_FILE)" if setting.secret else ""
        return ImproperlyConfigured(
            f"{setting.variable}{twin} {what}. {setting.help}."
            " gatekeeper/installation/README.md, 'Settings', has the table."
        )

    def text(self, name: str) -> str:
        """Return a setting as it stands, or its default; refuses a missing or placeholder value."""
        setting = BY_NAME[name]
        value = self._variables.get(setting.variable)
        if value is None and setting.formerly:
            value = self._variables.get(PREFIX + setting.formerly)
        if setting.secret and value is None:
            value = self._file(name)
        if value is None:
            value = setting.default
        if value is None or (not value.strip() and setting.default is None):
            raise self.refusal(name, "is missing")
        value = value.strip()
        if setting.secret and PLACEHOLDER.search(value):
            raise self.refusal(name, "holds a placeholder")
        return value

    def _file(self, name: str) -> str | None:
        path = self._variables.get(f"{BY_NAME[name].variable}_FILE")
        if path is None:
            return None
        try:
            return Path(path).read_text(encoding="utf-8")
        except (OSError, ValueError):  # of its encoding, or of its name
            raise self.refusal(name, "names a file that cannot be read") from None

    def number(self, name: str) -> int:
        text = self.text(name)
        if not re.fullmatch(r"[0-9]{1,6}", text):
            raise self.refusal(name, "is not a whole number")
        if text.strip("0") == "" and name != "TICKET_FEED_MAX_AGE":
            raise self.refusal(name, "may not be 0")
        return int(text)

    def names(self, name: str) -> list[str]:
        """Return the parts between commas."""
        return [part.strip() for part in self.text(name).split(",") if part.strip()]

    def switch(self, name: str) -> bool:
        text = self.text(name).lower()
        if text not in {"yes", "no"}:
            raise self.refusal(name, "is neither 'yes' nor 'no'")
        return text == "yes"

    def secret_key(self) -> str:
        key = self.text("SECRET_KEY")
        if len(key) < 50 or len(set(key)) < 10:
            raise self.refusal("SECRET_KEY", "is too short or too plain")
        return key

    def debug(self) -> bool:
        if self.switch("DEBUG") and self.in_production:
            raise self.refusal("DEBUG", "is on in production; remove it")
        return self.switch("DEBUG")

    def time_zone(self) -> str:
        name = self.text("TIME_ZONE")
        try:
            return ZoneInfo(name).key
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise self.refusal("TIME_ZONE", "is no time zone") from None

    def site_url(self) -> str:
        """Return the site's origin: https in production, and no name out of an example."""
        schemes = {"https"} if self.in_production else {"https", "http"}
        try:
            url = addresses.origin(self.text("SITE_URL").rstrip("/"), schemes)
        except AddressError as error:
            what = f"is not {' or '.join(sorted(schemes))}:// and a host: it {error}"
            raise self.refusal("SITE_URL", what) from None
        if self.in_production and PLACEHOLDER.search(url):
            raise self.refusal("SITE_URL", "holds a placeholder")
        return url

    def hosts(self) -> list[str]:
        hosts = self.names("ALLOWED_HOSTS")
        if self.in_production and any("*" in host or PLACEHOLDER.search(host) for host in hosts):
            raise self.refusal("ALLOWED_HOSTS", "serves any host, or holds a placeholder")
        try:
            return [host if host == "*" else addresses.served_host(host) for host in hosts]
        except AddressError as error:
            raise self.refusal("ALLOWED_HOSTS", str(error)) from None

    def mail_server(self) -> MailServer | None:
        """Return the server by which mail leaves; None where none does."""
        text = self.text("MAIL_URL")
        try:
            return addresses.mail_server(text) if text else None
        except AddressError as error:
            raise self.refusal("MAIL_URL", str(error)) from None

    def mail_from(self) -> str:
        """Return the sender of mail, an address or a name with one."""
        sender = self.text("MAIL_FROM")
        try:
            if sender:
                validate_email(parseaddr(sender)[1] if sender.isprintable() else "")
        except ValidationError:
            raise self.refusal("MAIL_FROM", "is no e-mail address, and no name with one in <…>") from None
        return sender

    def trusted_proxies(self) -> list[str]:
        """Return the proxies whose forwarded headers count."""
        names = self.names("TRUSTED_PROXIES")
        try:
            proxies.Trusted.read(names)
        except ValueError:
            raise self.refusal("TRUSTED_PROXIES", "holds what is no address, network or 'unix'") from None
        return names

    def forwarded_header(self) -> str:
        """Return the header that names the client, as its standard spells it."""
        name = self.text("FORWARDED_HEADER").lower()
        spelled = {header.lower(): header for header in proxies.HEADERS}
        if name not in spelled:
            raise self.refusal("FORWARDED_HEADER", f"is neither {' nor '.join(proxies.HEADERS)}")
        return spelled[name]

    def helpdesk_url(self) -> str:
        pattern = self.text("HELPDESK_TICKET_URL")
        if pattern and not ("{number}" in pattern and addresses.is_web_page(pattern)):
            raise self.refusal("HELPDESK_TICKET_URL", "is no https address with {number}")
        return pattern

    def processes(self) -> tuple[Process, ...]:
        """Return the web processes of the whole installation."""
        try:
            return connection_budget.read(self.text("PROCESSES"))
        except ValueError:
            what = "is not of the form pages+api:2x8, with workers and threads from 1 to 99"
            raise self.refusal("PROCESSES", what) from None

    def serves(self) -> tuple[str, ...]:
        """Return what this process serves, where it is a web process."""
        try:
            return connection_budget.read_serves(self.text("SERVES"))
        except ValueError:
            raise self.refusal("SERVES", "is neither pages+api, pages nor api") from None

    def process(self) -> Process:
        """Return which of the web processes this one is."""
        for process in self.processes():
            if process.serves == self.serves():
                return process
        raise self.refusal("SERVES", "names a process that GATEKEEPER_PROCESSES does not")

    def key_ring(self) -> str:
        """Return the key ring as it stands, once it has been read."""
        ring = self.text("KEY_RING")
        try:
            KeyRing.parse(ring)
        except KeyRingError as error:
            raise self.refusal("KEY_RING", f"cannot be used ({error})") from None
        return ring

    def seal(self) -> str:
        """Return the company's seal as it stands, once it has been read."""
        seal = self.text("SEAL")
        try:
            Seal.parse(seal)
        except SealError as error:
            raise self.refusal("SEAL", f"cannot be used: {error}") from None
        return seal

    def log_origin(self) -> str:
        """Return the log's name, which no blank and no '+' may stand in (C2SP signed-note)."""
        origin = self.text("LOG_ORIGIN") or f"{urlsplit(self.site_url()).hostname}/log"
        if len(origin) > 100 or "+" in origin or any(c.isspace() for c in origin):
            raise self.refusal("LOG_ORIGIN", "is too long, or has a blank or '+'")
        return origin

    def log_key(self) -> str:
        """Return the log's private key once it has been read; '' where it does not belong."""
        key = self.text("LOG_KEY")
        if key:
            try:
                Signer(self.log_origin(), key)
            except LogKeyError as error:
                raise self.refusal("LOG_KEY", f"cannot be used: {error}") from None
        return key

    def log_verifier(self) -> str:
        """Return the log's public keys as text, the newest first; '' where neither is given."""
        text, private = self.text("LOG_VERIFIER"), self.log_key()
        own = [str(Signer(self.log_origin(), private).key)] if private else []
        given = [key for key in self.names("LOG_VERIFIER") if key not in own]
        try:
            return str(Keys.read(",".join(own + given))) if own or text else ""
        except ProofError as error:
            raise self.refusal("LOG_VERIFIER", str(error)) from None

    def log_anchors(self) -> list[str]:
        anchors = self.names("LOG_ANCHORS")
        try:
            for name in anchors:
                anchor(name)
        except AnchorError as error:
            raise self.refusal("LOG_ANCHORS", str(error)) from None
        return anchors

    def detection_thresholds(self) -> dict[str, dict[str, int]]:
        """Return rules' thresholds, by rule and name; whether there are such, a check says."""
        found: dict[str, dict[str, int]] = {}
        for part in self.names("DETECTION_THRESHOLDS"):
            named = re.fullmatch(r"([a-z_]{1,24})\.([a-z_]{1,24})=([0-9]{1,6})", part)
            if named is None:
                raise self.refusal("DETECTION_THRESHOLDS", "is not of the form rule.threshold=number")
            found.setdefault(named[1], {})[named[2]] = int(named[3])
        return found

    def team_hours(self) -> dict[str, str]:
        """Return the working hours of teams, by the number of who leads them (or of one member)."""
        found: dict[str, str] = {}
        for part in self.names("TEAM_HOURS"):
            named = re.fullmatch(
                rf"({references.MEMBER})"
                r"=([0-9]{1,2})-([0-9]{1,2}) ([1-7])-([1-7]) ([A-Za-z_/+-]{2,40})",
                part,
            )
            if named is None or max(int(named[2]), int(named[3])) > 24 or named[4] > named[5]:
                raise self.refusal("TEAM_HOURS", "is not of the form K-0020=6-22 1-7 Europe/Warsaw")
            if named[6] not in available_timezones():
                raise self.refusal("TEAM_HOURS", "names a time zone that there is not")
            found[named[1]] = part.partition("=")[2]
        return found

    def ticket_states(self) -> dict[str, str]:
        """Return what the helpdesk's own words for states mean, by the word as it is compared."""
        found: dict[str, str] = {}
        for part in self.names("TICKET_STATES"):
            own, equals, means = part.rpartition("=")
            own, means = " ".join(own.casefold().split()), means.strip().casefold()
            if not (own and equals and means in {"open", "pending", "solved", "closed"}):
                raise self.refusal("TICKET_STATES", "is not of the form word=open, pending, solved or closed")
            if found.setdefault(own, means) != means:
                raise self.refusal("TICKET_STATES", "gives one word two meanings")
        return found

    def trust_roots(self) -> str:
        """Return the certificates on which electronic signatures may rest, as PEM; '' where none."""
        return self._certificates("TRUST_ROOTS")

    def siem_target(self) -> str:
        """Return where the log is sent, once it can be used and was declared as lying in the EU."""
        target, in_eu = self.text("SIEM_TARGET"), self.switch("SIEM_IN_EU")
        if not target:
            return ""
        try:
            found = receiver(target)
            if not isinstance(found, Https):
                return target
            where = urlsplit(target)
            target = addresses.origin(f"https://{where.netloc}", {"https"}) + where.path
        except (TargetError, AddressError) as error:
            raise self.refusal("SIEM_TARGET", str(error)) from None
        if not in_eu:
            raise self.refusal("SIEM_IN_EU", "is not 'yes'")
        return target

    def siem_roots(self) -> str:
        """Return the certificates on which the SIEM's own may rest, as PEM; '' for the system's."""
        return self._certificates("SIEM_ROOTS")

    def _certificates(self, name: str) -> str:
        path = self.text(name)
        if not path:
            return ""
        try:
            text = Path(path).read_text(encoding="ascii")
            x509.load_pem_x509_certificates(text.encode("ascii"))
        except (OSError, ValueError):
            raise self.refusal(name, "names a file without certificates in PEM") from None
        return text

    def webhook_secret(self, name: str) -> str:
        secret = self.text(name)
        if not secret.startswith("whsec_") or _decoded(secret.removeprefix("whsec_")) < 24:
            raise self.refusal(name, "is not 'whsec_' and base64 of 24 bytes or more")
        return secret

    def database(self, name: str) -> dict[str, str] | None:
        """Return the parts of a database's address, None where it is not set.

        Refuses a link that others can read or answer: only a Unix socket or a verified server.
        """
        if self._is_anothers(name):
            return None
        url = self.text(name)
        if not url:
            return None
        try:
            parts = {key: str(value) for key, value in conninfo_to_dict(url).items()}
        except ProgrammingError:
            raise self.refusal(name, "is no PostgreSQL address") from None
        if not parts.get("user") or not parts.get("dbname"):
            raise self.refusal(name, "lacks the role or the database")
        hosts = parts.get("host", "").split(",")
        by_socket = all(host.startswith("/") for host in hosts) and "hostaddr" not in parts
        if not by_socket and parts.get("sslmode") != "verify-full":
            raise self.refusal(name, "is neither a Unix socket (host=/folder) nor sslmode=verify-full")
        return parts

    def _is_anothers(self, name: str) -> bool:
        """Whether a web process' link is not here, and what this one serves does not need it."""
        link, variable = name.removeprefix("DATABASE_URL_"), BY_NAME[name].variable
        is_given = variable in self._variables or f"{variable}_FILE" in self._variables
        return (
            not is_given
            and link in connection_budget.links(connection_budget.NEEDS)
            and link not in connection_budget.links(self.serves())
        )


def _decoded(text: str) -> int:
    """Return how many bytes a base64 text holds, 0 where it is none."""
    try:
        return len(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        return 0


def table() -> str:
    """Return the settings as gatekeeper/installation/README.md prints them between its markers."""
    lines = ["| variable | what it is | default |", "|---|---|---|"]
    for setting in SETTINGS:
        name = f"`{setting.variable}`" + (" 🔒" if setting.secret else "")
        default = "must be set" if setting.default is None else setting.default
        lines.append(f"| {name} | {setting.help} | {f'`{default}`' if default else 'empty'} |")
    return "\n".join(lines).replace("`must be set`", "**must be set**")
